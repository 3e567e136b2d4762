// The goal: the tabs of a browser are one reader, and each of them sees every post exactly once, whatever becomes of the one that leads.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { launch } from './clients.mjs';
import { cutter } from './events.mjs';
import { Stage, item, until } from './stage.mjs';
import { judge, publishWhileCut } from './thousand.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

const titles = (first, last) => Array.from({ length: last - first + 1 }, (_, n) => String(first + n));

/** A window of a browser with some tabs, which show nothing but have the SDK of the server. */
async function window(t, url) {
  const context = await browser.newContext();
  t.after(() => context.close());
  /** One more tab; it reads from the moment on in which this resolves. */
  const tab = async ({ clock = false, ...options } = {}) => {
    const page = await context.newPage();
    page.errors = [];
    page.on('pageerror', (error) => page.errors.push(String(error)));
    if (clock) await page.clock.install();
    await page.goto(`${url}/robots.txt`);
    await page.evaluate(async ({ url: server, hurry, ...more }) => {
      if (hurry) Math.random = () => 0.002; // waits are random parts of seconds
      const { connect: open } = await import('/sdk/newswire.js');
      Object.assign(globalThis, { seen: [], posts: [], gaps: 0, errors: [] });
      globalThis.wire = open({ ...more, ...(server && { url: server }) });
      wire.addEventListener('post', ({ detail }) => { posts.push(detail); seen.push(detail.item?.headlines[0].value); });
      wire.addEventListener('gap', () => gaps++);
      wire.addEventListener('error', ({ detail }) => errors.push(detail.message));
    }, options);
    await page.waitForFunction(() => wire.status.state === 'live');
    return page;
  };
  return { context, tab };
}

/** Of these tabs the one that leads, as soon as one does. */
const leading = (tabs) => until(async () => {
  const roles = await Promise.all(tabs.map(role));
  const leaders = tabs.filter((_, n) => roles[n] === 'leads');
  return leaders.length === 1 && leaders[0];
}, 'one tab to lead');
const role = (page) => page.evaluate(() => wire.status.role);
const has = (page, n) => page.waitForFunction((count) => seen.length >= count, n);
/** Every one of them has seen just these, in this order. */
async function allSaw(pages, expected) {
  for (const page of pages) {
    await has(page, expected.length).catch(async (error) => { throw new Error(`${error.message}; it has ${await page.evaluate(() => seen)}`); });
    assert.deepEqual(await page.evaluate(() => seen), expected);
    assert.deepEqual(page.errors, []);
  }
}

/** Publishes one after the other, until the tab that is to see them all has them; `meanwhile` happens in the middle. */
async function flow(stage, from, to, meanwhile = async () => {}) {
  const half = Math.floor((from + to) / 2);
  const publish = async (first, last) => {
    for (const headline of titles(first, last)) {
      assert.equal((await stage.post(item({ headline }), { channels: 'world' })).status, 201);
      await new Promise((go) => setImmediate(go));
    }
  };
  await publish(from, half);
  await Promise.all([meanwhile(), publish(half + 1, to)]);
}

test('five tabs are one reader, and each sees every post once', async (t) => {
  const stage = await Stage.open(t);
  const { tab } = await window(t, stage.url);
  const tabs = [];
  for (let n = 0; n < 5; n++) tabs.push(await tab());
  await stage.metric('newswire_readers').becomes(1);
  await leading(tabs);
  assert.deepEqual((await Promise.all(tabs.map(role))).sort(), ['follows', 'follows', 'follows', 'follows', 'leads']);
  await flow(stage, 1, 40);
  await allSaw(tabs, titles(1, 40));
  await stage.metric('newswire_readers').becomes(1);
});

test('the tab that leads closes in the middle of the news: the others miss nothing and double nothing', async (t) => {
  const stage = await Stage.open(t);
  const { tab } = await window(t, stage.url);
  const tabs = [];
  for (let n = 0; n < 4; n++) tabs.push(await tab());
  for (let round = 0; round < 3; round++) {
    const leader = await leading(tabs);
    await flow(stage, 1 + round * 40, 40 + round * 40, () => leader.close());
    tabs.splice(tabs.indexOf(leader), 1);
    await allSaw(tabs, titles(1, 40 + round * 40));
    await stage.metric('newswire_readers').becomes(1);
  }
  assert.equal(await leading(tabs), tabs[0]);
});

test('the tab that leads crashes: the same', async (t) => {
  const stage = await Stage.open(t);
  const { tab, context } = await window(t, stage.url);
  const leader = await tab();
  const others = [await tab(), await tab()];
  const devtools = await context.newCDPSession(leader);
  await flow(stage, 1, 40, () => Promise.race([devtools.send('Page.crash').catch(() => {}), new Promise((crashed) => leader.once('crash', crashed))]));
  await allSaw(others, titles(1, 40));
  await stage.metric('newswire_readers').becomes(1);
});

test('a tab that is put to sleep leads no more; awake, it has what it missed, and there is one reader again', async (t) => {
  const stage = await Stage.open(t);
  const { tab } = await window(t, stage.url);
  const first = await tab();
  const second = await tab();
  const says = (type) => first.evaluate((event) => void document.dispatchEvent(new Event(event)), type);
  await flow(stage, 1, 20, () => says('freeze')); // as a browser says it to a page in the background
  await allSaw([second], titles(1, 20));
  await second.waitForFunction(() => wire.status.role === 'leads');
  assert.deepEqual(await first.evaluate(() => [wire.status.state, wire.status.reason]), ['waiting', 'asleep']);
  await flow(stage, 21, 30, () => says('resume'));
  await allSaw([first, second], titles(1, 30));
  await stage.metric('newswire_readers').becomes(1);
});

test('a tab that hangs is gone around, and its lead is taken away; let loose, it follows', async (t) => {
  const stage = await Stage.open(t);
  const { tab } = await window(t, stage.url);
  const first = await tab();
  const second = await tab();
  let held;
  await first.route('**/hang', (route) => { held = route; });
  const release = () => held.fulfill({ body: 'go on' });
  await first.evaluate(() => void setTimeout(() => {
    const request = new XMLHttpRequest();
    request.open('GET', '/hang', false);
    request.send();
  }));
  await until(() => held, 'the tab to hang');
  await flow(stage, 1, 20);
  await allSaw([second], titles(1, 20));
  await second.waitForFunction(() => wire.status.role === 'leads');
  await flow(stage, 21, 30, release);
  await allSaw([first, second], titles(1, 30));
  await first.waitForFunction(() => wire.status.role === 'follows' && wire.status.state === 'live');
  await stage.metric('newswire_readers').becomes(1);
});

test('a tab that comes late, with the place of yesterday, catches up and joins', async (t) => {
  const stage = await Stage.open(t);
  const { tab } = await window(t, stage.url);
  const first = await tab();
  await flow(stage, 1, 10);
  await allSaw([first], titles(1, 10));
  const since = await first.evaluate(() => posts[3].cursor);
  const late = await tab({ since });
  await flow(stage, 11, 20);
  await allSaw([late], titles(5, 20));
  await allSaw([first], titles(1, 20));
  await stage.metric('newswire_readers').becomes(1);
});

test('a laptop that was closed for an hour comes back at once, from its place', async (t) => {
  const stage = await Stage.open(t);
  const { tab } = await window(t, stage.url);
  const page = await tab({ clock: true });
  await flow(stage, 1, 5);
  await allSaw([page], titles(1, 5));
  const before = await stage.metric('newswire_readers_opened_total').read();
  await page.evaluate(() => wire.addEventListener('status', ({ detail }) => { if (detail.state === 'waiting') globalThis.why = detail.reason; }));
  await page.clock.fastForward('01:00:00');
  await page.waitForFunction(() => globalThis.why);
  assert.equal(await page.evaluate(() => why), 'silent');
  await stage.metric('newswire_readers_opened_total').reaches(before + 1);
  await flow(stage, 6, 10);
  await allSaw([page], titles(1, 10));
  await stage.metric('newswire_readers').becomes(1);
});

test('offline and back: every tab goes on from its place', async (t) => {
  const stage = await Stage.open(t);
  const { tab, context } = await window(t, stage.url);
  const tabs = [await tab(), await tab()];
  await flow(stage, 1, 10);
  await allSaw(tabs, titles(1, 10));
  await context.setOffline(true);
  for (const one of tabs) await one.waitForFunction(() => wire.status.state !== 'live');
  await stage.metric('newswire_readers').becomes(0);
  await flow(stage, 11, 20);
  await context.setOffline(false);
  await allSaw(tabs, titles(1, 20));
});

test('a thousand posts in three tabs, cut off fifty times: each once and in order', async (t) => {
  const stage = await Stage.open(t);
  const relay = await cutter(t, stage.url);
  const control = await stage.reader({ channels: ['world'] });
  const { tab } = await window(t, stage.url);
  const tabs = [];
  for (let n = 0; n < 3; n++) tabs.push(await tab({ url: relay.url, channels: ['world'], hurry: true }));
  await publishWhileCut(stage, relay, control, { cuts: 50 });
  const last = control.posts.at(-1).cursor;
  for (const [n, one] of tabs.entries()) {
    await one.waitForFunction((cursor) => posts.at(-1)?.cursor === cursor, last);
    judge(`tab ${n}`, await one.evaluate(() => posts), control.posts);
    assert.deepEqual([await one.evaluate(() => gaps), one.errors], [0, []]);
  }
});

test('where a proxy breaks upgrades, the tabs share Server-Sent Events', async (t) => {
  const stage = await Stage.open(t);
  const relay = await cutter(t, stage.url, [Infinity], { without: ['upgrade'] });
  const { tab } = await window(t, relay.url);
  const tabs = [];
  for (let n = 0; n < 3; n++) tabs.push(await tab({ hurry: true }));
  await stage.metric('newswire_readers').becomes(1);
  assert.deepEqual(await Promise.all(tabs.map((one) => one.evaluate(() => wire.status.via))), ['sse', 'sse', 'sse']);
  await flow(stage, 1, 20, () => relay.cutAll());
  await allSaw(tabs, titles(1, 20));
  await tabs.shift().close();
  await flow(stage, 21, 30);
  await allSaw(tabs, titles(1, 30));
});
