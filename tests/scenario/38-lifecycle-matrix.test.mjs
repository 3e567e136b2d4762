// Every way in, and every order of arrival: short lives of stories, all their permutations, held against a model of the rules.
import test from 'node:test';
import assert from 'node:assert/strict';
import { PATIENCE_MS, Stage, item, until } from './stage.mjs';
import { Tool } from './tool.mjs';

/** Each way: opens it, and returns what sends one item and comes back when the next of the same story may follow. */
const ways = {
  'Redis PUBLISH': async (stage) => (what) => stage.publish(what, 'world'),
  'HTTP POST': async (stage) => (what) => stage.post(what, { channels: 'world' }),
  'the inbox': async (stage) => (what) => stage.redis.xadd('{newswire}:inbox', '*', 'channel', 'world', 'item', JSON.stringify(what)),
  'the line of tools': async (stage) => { const tool = await Tool.open(stage); return (what) => tool.publish(what, ['world']); },
};

const HOUR = 3600_000;
const HELD_MS = 12_000; // embargoes end so long after the start, or later on a slow machine: everything has arrived by then

// --- the events. Their names are their texts, which must be found or not be found later; `at` orders versionCreated -----------------

const usable = (name, version, at, more = {}) => ({ name, version, at, status: 'usable', ...more });
const P1 = usable('P1', 1, 1);
const C2 = usable('C2', 2, 2);
const C3 = usable('C3', 3, 3);
const B1 = usable('B1', 1, 2); // the same version, written later
const H2 = { name: 'H2', version: 2, at: 2, status: 'withheld' };
const K2 = { name: 'K2', version: 2, at: 2, status: 'canceled' };
const K4 = { name: 'K4', version: 4, at: 9, status: 'canceled' };
const K1 = { name: 'K1', version: 1, at: 1, status: 'canceled' }; // Superdesk repeats the version
const E1 = usable('E1', 1, 1, { until: 'end' });
const E2 = usable('E2', 2, 2, { until: 'end' });
const E3 = usable('E3', 3, 3, { until: 'end' });
const LATER1 = usable('LATER1', 1, 2, { until: 'never' }); // E1's embargo moved beyond this test
const SOONER1 = usable('SOONER1', 1, 3, { until: 'end' }); // and back
const PAST1 = usable('PAST1', 1, 1, { until: 'past' });
const X2 = usable('X2', 2, 2, { expired: true });

const histories = [[P1, C2], [P1, C2, K4], [P1, C2, C3, K4], [P1, B1, C2], [P1, H2, C3], [P1, H2, K4], [P1, E2], [P1, E2, K4], [P1, E2, C3],
  [P1, C2, E3], [P1, H2, E3], [E1, K1], [E1, K2], [E1, C2], [E1, LATER1], [E1, LATER1, SOONER1], [E1, LATER1, C2], [E1, H2], [H2, E3, K4], [PAST1, E2],
  [P1, X2], [P1, X2, C3], [K2, P1]];

function* permutations(list) {
  if (list.length < 2) { yield list; return; }
  for (const [i, first] of list.entries()) for (const rest of permutations(list.filter((_, j) => j !== i))) yield [first, ...rest];
}

// --- the model: what domain.md says becomes of a story, one event after the other ------------------------------------------------------

const order = (a, b) => Math.sign(a.version - b.version) || Math.sign(a.at - b.at);

class Model {
  pub = null; held = null; sent = false; told = []; // told: what readers hear, [action, name]
  bring(event, action) {
    this.told.push([action, event.name]);
    this.pub = event;
    this.sent = true;
  }
  tell(action, event) { if (this.sent) this.told.push([action, event.name]); }
  arrives(event) {
    const { pub, held } = this;
    if (pub?.status === 'canceled') return;
    if (event.status === 'canceled') {
      this.tell('kill', event);
      this.pub = event;
      this.held = null;
      return;
    }
    if (pub && order(event, pub) < 0) return;
    if (event.status === 'withheld') {
      if (pub?.status !== 'withheld') this.tell('hold', event);
      this.pub = event;
    } else if (event.until && event.until !== 'past') {
      if (!held || order(event, held) >= 0) this.held = event;
      return;
    } else {
      this.bring(event, pub?.status === 'withheld' ? 'release' : this.sent ? 'correct' : 'publish');
    }
    if (held && order(event, held) >= 0) this.held = null;
  }
  timeComes() {
    if (this.held?.until !== 'end') return;
    this.bring(this.held, 'release');
    this.held = null;
  }
}

// --- the play ----------------------------------------------------------------------------------------------------------------------------

class Life {
  constructor(uri, events) {
    Object.assign(this, { uri, events, model: new Model() });
    for (const event of events) this.model.arrives(event);
  }
  textOf(event) { return `<${this.uri} ${event.name}>`; }
  itemOf(event, end) {
    const times = { end, never: end + HOUR, past: Date.now() - HOUR };
    return item({ uri: this.uri, version: String(event.version), versionCreated: new Date(Date.UTC(2026, 0, 10) + event.at * 1000).toISOString(),
      headline: this.textOf(event), body: `Body of ${this.textOf(event)}`, slugline: this.textOf(event), pubStatus: event.status,
      ...(event.until ? { embargoedUntil: new Date(times[event.until]).toISOString() } : {}),
      ...(event.expired ? { expires: '2026-01-10T00:00:00Z' } : {}) });
  }
  get title() { return `${this.uri}: ${this.events.map((e) => e.name).join(', ')}`; }
}

/** All permutations of all histories, each with a uri of its own. */
const allLives = (prefix) => histories.flatMap((history, h) =>
  [...permutations(history)].map((events, p) => new Life(`urn:${prefix}:${h}.${p}`, events)));

/** The last of what was sent has been decided: what is sent afterwards is with the reader. */
async function decided(reader, way, prefix) {
  const uri = `urn:${prefix}:last:${reader.posts.length}`;
  await way(item({ uri }));
  await reader.saw((m) => m.item?.uri === uri, 'what was sent last');
}

async function wholeFeed(stage) {
  const items = [];
  for (let before = ''; before !== undefined;) {
    const page = await stage.feed(`?channels=world&limit=100${before && `&before=${before}`}`);
    items.push(...page.items);
    before = page.before;
  }
  return new Map(items.map((post) => [post.item.uri, post]));
}

const nameOf = (post) => JSON.stringify(post).match(/<\S+ (\w+)>/)?.[1];

/**
 * What a reader heard of a life is what the model says; what a kill or hold overtook within a tick may be missing.
 * Returns how much is missing of a life without those: what a later version replaced while the reader was behind for a moment.
 */
function checkHeard(life, posts) {
  const { told } = life.model;
  const heard = posts.map((post) => [post.action, nameOf(post) ?? life.events.find((e) => String(e.version) === post.version && e.status !== 'usable')?.name]);
  let at = 0;
  for (const [action, name] of heard) {
    const found = told.findIndex((t, i) => i >= at && t[0] === action && t[1] === name);
    assert.ok(found >= 0, `${life.title}: heard ${JSON.stringify(heard)}, not ${JSON.stringify(told)}`);
    at = found + 1;
  }
  assert.deepEqual(heard.at(-1), told.at(-1), life.title);
  return told.some(([action]) => action === 'kill' || action === 'hold') ? 0 : told.length - heard.length;
}

async function checkShown(stage, life, feed) {
  const { pub } = life.model;
  const { status, text } = await stage.http(`/v1/items/${encodeURIComponent(life.uri)}`);
  const shown = pub?.status === 'usable' ? [pub.name] : [];
  const expected = pub === null ? [404] : pub.status === 'canceled' ? [410] : pub.status === 'withheld' ? [404, 410] : [200];
  assert.ok(expected.includes(status), `${life.title}: ${status}`);
  for (const event of life.events) assert.equal(text.includes(life.textOf(event)), shown.includes(event.name), `${life.title}: ${event.name} at its address`);
  assert.equal(nameOf(feed.get(life.uri) ?? {}), pub?.status === 'usable' && !pub.expired ? pub.name : undefined, `${life.title}: in the feed`);
}

/** Nothing of what may not be known is in these bytes. */
function checkSilence(lives, text, allowed) {
  for (const life of lives)
    for (const event of life.events)
      if (!allowed(life, event)) assert.ok(!text.includes(life.textOf(event)), `${life.title}: ${event.name} was to be seen`);
}

for (const [name, open] of Object.entries(ways)) {
  test(`${name}: ${allLives('x').length} lives of a story, in every order of arrival`, async (t) => {
    const stage = await Stage.open(t, { workers: 2 });
    const reader = await stage.reader({ channels: ['world'] });
    const start = reader.cursor;
    const way = await open(stage);
    const play = async (lives, end) => {
      await Promise.all(lives.map(async (life) => { for (const event of life.events) await way(life.itemOf(event, end)); }));
      await decided(reader, way, 'a');
      const feed = await wholeFeed(stage);
      for (const life of lives) await checkShown(stage, life, feed);
    };
    const began = Date.now();
    await play(allLives('rehearsal'), began + HOUR);
    const lives = allLives(name.replace(/\W/g, '').toLowerCase());
    const end = Date.now() + Math.max(HELD_MS, 6 * (Date.now() - began));
    await play(lives, end);
    assert.ok(Date.now() < end, 'this machine is too slow for this test');
    checkSilence(lives, JSON.stringify(reader.messages), (life, event) => life.model.told.some(([, told]) => told === event.name));

    for (const life of lives) life.model.timeComes();
    const due = lives.filter((life) => life.model.told.at(-1)?.[0] === 'release' && life.model.pub.until === 'end');
    await until(() => reader.posts.filter((post) => post.item?.embargoedUntil === new Date(end).toISOString()).length >= due.length, 'what was under embargo', end - Date.now() + PATIENCE_MS);
    await decided(reader, way, 'b');
    const later = await wholeFeed(stage);
    let missing = 0;
    for (const life of lives) {
      missing += checkHeard(life, reader.posts.filter((post) => (post.item?.uri ?? post.uri) === life.uri));
      await checkShown(stage, life, later);
    }
    assert.ok(missing <= await stage.metric('newswire_conflated_total').read(), `${missing} are missing`);
    const back = await stage.reader({ channels: ['world'], since: start });
    await back.saw((m) => m.cursor === reader.posts.at(-1).cursor, 'the end of what was missed');
    checkSilence(lives, JSON.stringify(back.messages), (life, event) => life.model.pub?.status === 'usable' && life.model.told.some(([, told]) => told === event.name));
    for (const life of lives.filter((l) => l.model.told.length)) {
      const last = back.posts.filter((post) => (post.item?.uri ?? post.uri) === life.uri).at(-1);
      assert.equal(last?.action, life.model.told.at(-1)[0], `${life.title}: who was away`);
    }
    t.diagnostic(`${lives.length} lives, ${lives.reduce((n, life) => n + life.events.length, 0)} items, ${due.length} released`);
  });

  test(`${name}: a chain of updates whose middle is killed, in every order`, async (t) => {
    const stage = await Stage.open(t, { workers: 2 });
    const reader = await stage.reader({ channels: ['world'] });
    const way = await open(stage);
    const chains = [...permutations(['a', 'b', 'c', 'kill'])].map((arrivals, i) => ({ arrivals, uri: (x) => `urn:chain:${i}:${x}` }));
    const made = ({ uri }, what) => (what === 'kill' ? { uri: uri('b'), version: '2', pubStatus: 'canceled' }
      : item({ uri: uri(what), headline: `<${uri(what)} ${what}>`, ...({ b: { evolvedFrom: uri('a') }, c: { evolvedFrom: uri('b') } })[what] }));
    await Promise.all(chains.map(async (chain) => { for (const what of chain.arrivals) await way(made(chain, what)); }));
    await decided(reader, way, 'c');
    const feed = await wholeFeed(stage);
    const story = (post) => post.channels.find((channel) => channel.startsWith('story:'));
    for (const { arrivals, uri } of chains) {
      const before = (x, y) => arrivals.indexOf(x) < arrivals.indexOf(y);
      const of = (x) => reader.posts.filter((post) => (post.item?.uri ?? post.uri) === uri(x)).map((post) => post.action);
      assert.deepEqual([of('a'), of('c')], [['publish'], ['update']], arrivals);
      assert.equal(of('b').at(-1), before('kill', 'b') ? undefined : 'kill', arrivals);
      assert.deepEqual(['a', 'b', 'c'].map((x) => feed.has(uri(x))), [true, false, true], arrivals);
      if (before('b', 'c') && before('b', 'kill')) assert.equal(story(feed.get(uri('c'))), story(feed.get(uri('a'))), `${arrivals}: one story`);
    }
  });
}
