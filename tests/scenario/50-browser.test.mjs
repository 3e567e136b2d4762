// The goal: what a newsroom publishes is what a reader in a real browser sees, at once, and never what was taken back.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { Stage, item, sample, PATIENCE_MS } from './stage.mjs';

const executablePath = process.env.CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ...(process.env.NEWSWIRE_TLS ? ['--ignore-certificate-errors'] : [])];

let browser;
before(async () => { browser = await chromium.launch({ executablePath, args }); });
after(async () => { await browser?.close(); });

/** A reader at the page, who asks no other server for anything. `errors`: what went wrong in the page. */
async function visit(t, stage, { path = '/', width = 1000, height = 800 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
  t.after(() => context.close());
  await context.route((url) => url.origin !== new URL(stage.url).origin && url.protocol !== 'data:', (route) => route.abort());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(String(error)));
  await page.goto(stage.url + path);
  await page.locator('#link', { hasText: 'Live' }).waitFor();
  t.after(() => assert.deepEqual(page.errors, [], 'errors in the page'));
  return page;
}

const story = (page, text) => page.locator('article', { hasText: text });
const becomes = (page, what, test, arg) => page.waitForFunction(test, arg).catch((error) => {
  throw new Error(`waited for: ${what}\n${error.message}`);
});
/** Everything in the page, also what is not visible. */
const everything = (page) => page.evaluate(() => document.documentElement.outerHTML);

/** Kills the server, which then cannot tidy up: the file that says where it runs is taken away here. */
async function crash(stage) {
  await stage.stop('SIGKILL');
  await rm(join(stage.dir, 'newswired.json'), { force: true });
}

/** The time, as items carry it. */
const now = () => new Date().toISOString();

test('an item that is published into Redis appears in an open page at once', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  await page.getByText('No news yet.').waitFor();

  await stage.publish(sample(1), 'world');
  const article = story(page, 'Harbour council approves night ferry');
  await article.waitFor();
  assert.equal(await page.locator('#empty').isHidden(), true);
  assert.equal(await article.locator('.label').innerText(), 'World');
  assert.match(await article.locator('.byline').innerText(), /By Ilse Marrow.*Ostrel.*Example Wire/s);
  assert.equal(await article.locator('time').getAttribute('datetime'), '2026-01-10T08:12:04.000Z');
  assert.equal(await article.locator('.body').isVisible(), false);
  await becomes(page, 'a polite announcement', () => document.querySelector('#said').textContent === '1 new story');

  await article.locator('.read').click();
  await article.getByText('Two boats will make four crossings').waitFor();
  await article.getByText('Ilse Marrow covers ports and coastal towns.').waitFor();
  await article.getByText('Reporter', { exact: true }).waitFor();
  await article.getByText('IM', { exact: true }).waitFor(); /* the portrait did not load */
  await becomes(page, 'the picture that did not load to be gone', () => !document.querySelector('figure'));
});

test('each kind of item finds its form', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  const picture = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="6"/>')}`;
  const ferry = sample(1);
  ferry.associations[0].renditions[0].href = picture;
  ferry.associations[1].renditions[0].href = picture;
  for (const one of [ferry, sample(2), sample(7), sample(8)])
    await stage.publish(one, 'world');
  await becomes(page, 'all of them', () => document.querySelectorAll('article').length === 4); /* a story that is open is not pushed away */

  const withPicture = story(page, 'Harbour council');
  await withPicture.locator('figure img').waitFor();
  assert.equal(await withPicture.locator('figure img').getAttribute('alt'), 'White ferry beside a stone pier at dusk.');
  assert.equal(await withPicture.locator('figcaption').innerText(),
    'A ferry leaves the old pier at Ostrel, Jan. 9, 2026. Tomas Reef/Example Wire');
  await withPicture.locator('.read').click();
  await withPicture.locator('.avatar img').waitFor();

  await story(page, 'how the tide gates were built').getByText('Video', { exact: true }).waitFor();
  const quotation = story(page, 'We will pay for the second boat');
  await quotation.waitFor();
  assert.equal(await quotation.locator('h2').count(), 0);

  const ukrainian = story(page, 'Ліхтарі на молі знову світять');
  await ukrainian.waitFor();
  assert.equal(await ukrainian.getAttribute('lang'), 'uk');
  await ukrainian.locator('.read').click();
  await ukrainian.getByText('Пише про порт.').waitFor();
});

test('reading time is shown for a long text, and not for a short one', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  await stage.publish(item({ headline: 'Long', body: `Begin.\n\n${'word '.repeat(625)}` }));
  await stage.publish(item({ headline: 'Short', body: 'Only this.' }));
  await story(page, 'Long').getByText('3 min read').waitFor();
  await story(page, 'Short').waitFor();
  assert.equal(await story(page, 'Short').getByText('min read').count(), 0);
});

test('a correction replaces the text in its place and says what was wrong', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  await stage.publish(sample(1));
  await story(page, 'voted 7 to 2').waitFor();
  await stage.publish(item({ headline: 'Something else' }));
  await story(page, 'Something else').waitFor();
  await story(page, 'Harbour council').locator('.read').click();

  await stage.publish(sample(4));
  const corrected = story(page, 'voted 6 to 3');
  await corrected.waitFor();
  assert.match(await corrected.locator('.correction').innerText(), /Correction.*an earlier version gave the vote as 7 to 2/s);
  assert.equal(await story(page, 'voted 7 to 2').count(), 0);
  assert.equal(await corrected.locator('.body').isVisible(), true, 'what was open stays open');
  assert.equal(await page.locator('article').last().getAttribute('id'), await corrected.getAttribute('id'));
});

test('a flash is breaking news: one banner, which goes when the flash is killed, with every word of it', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  assert.equal(await page.locator('[role=alert]').innerText(), '');
  await stage.publish(sample(3));
  await page.locator('[role=alert]', { hasText: 'STRONG EARTHQUAKE SHAKES VAND' }).waitFor();
  await story(page, 'STRONG EARTHQUAKE').waitFor();

  await stage.publish(sample(5));
  await story(page, 'The alert it quoted was caused by a sensor fault.').waitFor();
  assert.equal(await page.locator('[role=alert]').innerText(), '');
  assert.equal(await page.locator('#banner-close').isVisible(), false);
  assert.doesNotMatch(await everything(page), /EARTHQUAKE/);

  await stage.publish(sample(3)); /* a late copy */
  await stage.publish(item({ headline: 'Afterwards' }));
  await story(page, 'Afterwards').waitFor();
  assert.doesNotMatch(await everything(page), /EARTHQUAKE/);
  await page.reload();
  await story(page, 'Afterwards').waitFor();
  assert.doesNotMatch(await everything(page), /EARTHQUAKE/);
});

test('a dismissed banner does not come back with the next version; another flash does come', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  const flash = (uri, version, headline) => item({ uri, version, headline, urgency: 1 });
  await stage.publish(flash('urn:test:one', '1', 'First flash'));
  await page.locator('[role=alert]', { hasText: 'First flash' }).waitFor();
  await page.getByRole('button', { name: 'Dismiss breaking news' }).click();
  await stage.publish(flash('urn:test:one', '2', 'First flash, corrected'));
  await story(page, 'First flash, corrected').waitFor();
  assert.equal(await page.locator('[role=alert]').innerText(), '');
  await stage.publish(flash('urn:test:two', '1', 'Second flash'));
  await page.locator('[role=alert]', { hasText: 'Second flash' }).waitFor();
});

test('a withheld story is hidden, and returns where it was', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  const held = (version, changes = {}) => item({ uri: 'urn:test:held', version, headline: 'Delicate matter', ...changes });
  await stage.publish(held('1'));
  await stage.publish(item({ headline: 'On top' }));
  await story(page, 'On top').waitFor();
  await stage.publish(held('2', { pubStatus: 'withheld' }));
  await story(page, 'temporarily withheld').waitFor();
  assert.doesNotMatch(await everything(page), /Delicate matter/);
  await stage.publish(held('3'));
  await story(page, 'Delicate matter').waitFor();
  assert.match(await page.locator('article').last().innerText(), /Delicate matter/);
});

test('nothing in an item can become more than text', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  let calls = 0;
  await page.exposeFunction('pwned', () => { calls++; });
  const evil = '"><img src=x onerror=pwned()><script>pwned()</script><svg onload=pwned()><a href="javascript:pwned()">x</a>{{7*7}}';
  const link = 'javascript:pwned()';
  const prose = (role) => [{ role, contentType: 'text/html', value: `<p>${evil}</p>` }, { role, value: evil }];
  await stage.publish({
    uri: `urn:test:${evil}`, version: '1', type: 'video', urgency: 1, versionCreated: now(), language: 'en',
    headlines: [{ role: 'main', value: `Hostile ${evil}` }], descriptions: [...prose('summary'), ...prose('correction')],
    bodies: [{ role: 'main', contentType: 'text/html',
      value: `<p>Readable</p><p>${evil}</p><iframe src="${link}"></iframe><style>*{display:none}</style><p>to the end</p>` }],
    by: evil, located: evil, genres: [{ name: evil }], infoSources: [{ name: evil }],
    renditions: [{ name: 'film', href: link, contentType: 'video/mp4' }, { name: 'poster', href: link, contentType: 'image/png' }],
    associations: [
      { name: 'main', rel: 'featured', type: 'picture', uri: 'urn:test:p', by: evil, descriptions: prose('caption'),
        renditions: [{ name: 'web', href: `${link}//"onload="pwned()`, contentType: 'image/png' }] },
      { name: 'author', rel: 'author', type: 'component', uri: 'urn:test:a', title: evil, descriptions: prose('biography'),
        renditions: [{ name: 'avatar', href: `data:text/html,${evil}`, contentType: 'image/png' }] },
    ],
  });
  const hostile = story(page, 'Hostile');
  await hostile.waitFor();
  await hostile.locator('.read').click();
  await hostile.getByText('to the end').waitFor();
  assert.match(await hostile.locator('h2').innerText(), /<script>pwned\(\)<\/script>/, 'shown as it was written');
  const found = await page.evaluate(() => ({
    foreign: document.querySelectorAll('article :is(script, iframe, svg, style, object, embed), body script').length,
    handlers: [...document.querySelectorAll('article *, .banner *')]
      .filter((e) => [...e.attributes].some((a) => a.name.startsWith('on'))).length,
    links: [...document.querySelectorAll('[href], [src]')].map((e) => e.href || e.src).filter((u) => /^(javascript|data:text)/i.test(u)),
  }));
  assert.deepEqual(found, { foreign: 0, handlers: 0, links: [] });

  await stage.publish({ uri: `urn:test:${evil}`, version: '2', type: 'text', pubStatus: 'canceled', versionCreated: now(),
    descriptions: [{ role: 'withdrawal', value: `Gone ${evil}` }] });
  await story(page, 'Gone').waitFor();
  assert.equal(await page.locator('article a, article img').count(), 0);
  await page.evaluate(() => new Promise((done) => setTimeout(done))); /* what was set off has run */
  assert.equal(calls, 0);
});

test('a reader in the middle of the page is not moved, and takes the news when ready', async (t) => {
  const stage = await Stage.open(t);
  for (let n = 1; n <= 15; n++) await stage.publish(item({ headline: `Earlier ${n}` }));
  const page = await visit(t, stage);
  await story(page, 'Earlier 15').waitFor();
  await page.evaluate(() => scrollTo(0, 700));
  const place = () => page.evaluate(() => [scrollY, document.querySelectorAll('article')[6].getBoundingClientRect().top]);
  await becomes(page, 'the page to have scrolled', () => scrollY === 700);
  const before = await place();

  await stage.publish(item({ headline: 'Newcomer one' }));
  await page.getByRole('button', { name: '1 new story' }).waitFor();
  await stage.publish(item({ uri: 'urn:test:short-lived', headline: 'Newcomer two' }));
  await page.getByRole('button', { name: '2 new stories' }).waitFor();
  await stage.publish(item({ uri: 'urn:test:short-lived', version: '2', pubStatus: 'canceled' }));
  const button = page.getByRole('button', { name: '1 new story' });
  await button.waitFor();
  assert.deepEqual(await place(), before);
  assert.doesNotMatch(await everything(page), /Newcomer/);

  await button.click();
  await story(page, 'Newcomer one').waitFor();
  assert.equal(await page.evaluate(() => scrollY), 0);
  assert.match(await page.locator('article').first().innerText(), /Newcomer one/);
  assert.equal(await page.locator('article').count(), 16, 'of what was killed unseen, not even a notice');
});

test('paused, the page stands still; withdrawals still take effect', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  await stage.publish(item({ uri: 'urn:test:doomed', headline: 'Doomed' }));
  await story(page, 'Doomed').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await stage.publish(item({ headline: 'Later' }));
  await page.getByRole('button', { name: '1 new story' }).waitFor();
  assert.equal(await story(page, 'Later').count(), 0);
  await stage.publish(item({ uri: 'urn:test:doomed', version: '2', pubStatus: 'canceled' }));
  await story(page, 'withdrawn').waitFor();
  assert.doesNotMatch(await everything(page), /Doomed/);
  await page.getByRole('button', { name: 'Resume' }).click();
  await story(page, 'Later').waitFor();
});

test('the keyboard walks the feed, and Show more brings the older pages', async (t) => {
  const stage = await Stage.open(t);
  for (let n = 1; n <= 25; n++) await stage.publish(item({ headline: `Story number ${n}.` }));
  const page = await visit(t, stage);
  await becomes(page, 'a page of stories', () => document.querySelectorAll('article').length === 20);
  await page.getByRole('button', { name: 'Show more' }).click();
  await becomes(page, 'the rest', () => document.querySelectorAll('article').length === 25);
  assert.equal(await page.locator('#more').isVisible(), false);
  const headlines = await page.locator('article h2').allInnerTexts();
  assert.deepEqual(headlines, Array.from({ length: 25 }, (_, n) => `Story number ${25 - n}.`));
  assert.match(await page.evaluate(() => document.activeElement.innerText), /Story number 5\./);

  await page.keyboard.press('PageUp');
  assert.match(await page.evaluate(() => document.activeElement.innerText), /Story number 6\./);
  await page.keyboard.press('PageDown');
  const focused = page.locator('article:focus');
  assert.match(await focused.innerText(), /Story number 5\./);
  assert.equal(await focused.getAttribute('aria-posinset'), '21');
  assert.equal(await focused.getAttribute('aria-setsize'), '-1');
  assert.equal(await page.locator('#feed').getAttribute('role'), 'feed');
  assert.equal(await page.locator('#feed').getAttribute('aria-busy'), 'false');
});

test('the address selects the channels', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage, { path: '/?channels=sport,culture' });
  await stage.publish(item({ headline: 'Of the world' }), 'world');
  await stage.publish(item({ headline: 'Of sport' }), 'sport');
  await story(page, 'Of sport').waitFor();
  assert.equal(await story(page, 'Of the world').count(), 0);

  const lost = await browser.newPage();
  t.after(() => lost.close());
  await lost.goto(`${stage.url}/?channels=${encodeURIComponent('NO SUCH')}`);
  await lost.getByText('This selection cannot be shown').waitFor();
});

test('when the server dies the page says so, comes back by itself and misses nothing', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  await stage.publish(item({ uri: 'urn:test:before', headline: 'Before the crash' }));
  await story(page, 'Before the crash').waitFor();
  const { port } = stage.state;

  await crash(stage);
  await becomes(page, 'the page to say that it is not live',
    () => /^Reconnecting… last update \d\d:\d\d$/.test(document.querySelector('#link').textContent));
  await story(page, 'Before the crash').waitFor();

  stage.options.port = port;
  await stage.start();
  await stage.publish(item({ headline: 'While nobody listened' }));
  await stage.publish(item({ uri: 'urn:test:before', version: '2', pubStatus: 'canceled' }));
  await story(page, 'While nobody listened').waitFor();
  await story(page, 'withdrawn').waitFor();
  await page.locator('#link', { hasText: 'Live' }).waitFor();
  assert.doesNotMatch(await everything(page), /Before the crash/);
});

test('after a gap the page shows what the feed has, and nothing else', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  await stage.publish(item({ uri: 'urn:test:kept', headline: 'Kept' }));
  await stage.publish(item({ uri: 'urn:test:lost', headline: 'Lost' }));
  await story(page, 'Lost').waitFor();

  /* Redis comes back empty: everything before is history. */
  await stage.redis.flushall();
  await page.locator('article').first().waitFor({ state: 'detached' });
  await stage.publish(item({ headline: 'A new beginning' }));
  await story(page, 'A new beginning').waitFor();
  assert.equal(await page.locator('article').count(), 1);
});

test('the page fits from 320 pixels up, whatever is in it', async (t) => {
  const stage = await Stage.open(t);
  const word = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerk'.repeat(4);
  await stage.publish(item({ headline: word, urgency: 1, by: word, located: word, body: `${word}\n\n${word}`, versionCreated: now() }),
    'a'.repeat(64));
  for (const width of [320, 360, 768, 1280]) {
    const page = await visit(t, stage, { width });
    await page.locator('article').waitFor();
    await page.locator('.read').click();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
  }
});

test('every file of the page is the server\'s own, under a policy that lets nothing else run', async (t) => {
  const stage = await Stage.open(t);
  const asked = [];
  const page = await browser.newPage();
  t.after(() => page.close());
  page.on('response', (response) => asked.push(response));
  await page.goto(stage.url);
  await page.locator('#link', { hasText: 'Live' }).waitFor();
  const files = asked.filter((response) => ['document', 'script', 'stylesheet', 'font'].includes(response.request().resourceType()));
  assert.deepEqual(files.map((response) => new URL(response.url()).pathname), ['/', '/page/page.js']);
  const headers = await Promise.all(files.map((response) => response.allHeaders()));
  assert.deepEqual(headers.map((all) => all['content-encoding']), ['gzip', 'gzip']);
  assert.ok(headers.reduce((sum, all) => sum + Number(all['content-length']), 0) < 60_000, 'the page is less than 60 KB as it is sent');
  for (const response of asked) {
    assert.equal(new URL(response.url()).origin, stage.url, response.url());
    assert.equal(response.status(), 200, response.url());
  }
  const policy = asked[0].headers()['content-security-policy'];
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
});
