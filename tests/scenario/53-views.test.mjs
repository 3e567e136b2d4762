// What a reader asks for: prefixes of channels, and a subscription that is replaced while news flows.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Events } from './events.mjs';
import { Stage, item, until } from './stage.mjs';

const topic = (code) => ({ subjects: [{ name: 'A topic', uri: `http://cv.iptc.org/newscodes/mediatopic/${code}` }] });

async function accepted(stage, what, channels) {
  const { status, body } = await stage.post(what, { channels });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

// --- prefixes -----------------------------------------------------------------------------------------------------

test('a prefix takes what begins with it, and is told what became of it', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const topics = await stage.reader({ channels: ['topic:2*'] });
  const plain = await stage.reader({ channels: ['wor*', 'art'] });
  const none = await stage.reader({ channels: ['c*', 'topic:3*', 'wor-*'] }); // every post has class:…, which is no plain name
  const all = await stage.reader({ channels: ['*'] });
  const story = item({ ...topic('20000337') });
  let sent = 0;
  for (const [what, channel] of [[story, 'world'], [{ ...story, version: '2', subjects: [] }, 'sport'],
    [{ ...story, version: '3', pubStatus: 'canceled' }, 'sport'], [item(), 'art']]) {
    await accepted(stage, what, [channel]);
    sent += 1;
    await all.hasRead(sent); // text that is killed before it went out is left out
    await plain.hasRead(sent);
    await topics.hasRead(Math.min(sent, 3));
  }
  const actions = async (reader, n) => (await reader.hasRead(n)).map((p) => p.action);
  assert.deepEqual(await actions(topics, 3), ['publish', 'remove', 'kill']);
  assert.deepEqual(await actions(plain, 4), ['publish', 'remove', 'kill', 'publish']);
  assert.deepEqual(await actions(all, 4), ['publish', 'correct', 'kill', 'publish']);
  for (const reader of [topics, plain, all, none]) await reader.settled();
  assert.equal(none.posts.length, 0);
  assert.equal(topics.posts.length, 3);
});

test('a reader who was away has its prefixes caught up, and a feed takes them too', async (t) => {
  const stage = await Stage.open(t);
  const first = await stage.reader({ channels: ['world.*'] });
  const wanted = [];
  for (let i = 0; i < 6; i++) {
    const it = item();
    if (i % 2) wanted.push(it.uri);
    await accepted(stage, it, [i % 2 ? `world.part-${i}` : 'world']);
  }
  assert.deepEqual((await first.hasRead(3)).map((p) => p.item.uri), wanted);
  const back = await stage.reader({ channels: ['world.*'], since: first.messages[0].cursor });
  assert.deepEqual((await back.hasRead(3)).map((p) => p.item.uri), wanted);
  assert.deepEqual((await stage.feed('?channels=world.*')).items.map((p) => p.item.uri), wanted.toReversed());
  const page = await stage.feed('?channels=world.*&limit=2');
  assert.deepEqual(page.items.map((p) => p.item.uri), wanted.slice(1).toReversed());
  assert.deepEqual((await stage.feed(`?channels=world.*&limit=2&before=${page.before}`)).items.map((p) => p.item.uri), wanted.slice(0, 1));
  const document = await stage.http('/feed/world.*.json');
  assert.deepEqual(document.body.items.map((i) => i.id), wanted.toReversed());
});

// --- how much one may ask for -------------------------------------------------------------------------------------

test('what is too much for a subscription is refused with a reason, and the one before stays', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const refused = async (ref, channels, code) => {
    reader.send({ type: 'subscribe', ref, channels });
    assert.equal((await reader.saw((m) => m.ref === ref)).code, code);
  };
  const names = (n, end = '') => Array.from({ length: n }, (_, i) => `c${i}${end}`);
  await refused(1, names(257), 'too_many_channels');
  await refused(2, names(2000), 'too_many_channels');
  await refused(3, names(33, '*'), 'too_many_channels');
  await refused(4, ['a*b'], 'bad_channel');
  await refused(5, ['World*'], 'bad_channel');
  await refused(6, ['user:*'], 'bad_channel');
  reader.send({ type: 'subscribe', ref: 7, channels: ['world', ...names(223), ...names(32, '*')] });
  await reader.saw((m) => m.type === 'subscribed' && m.ref === 7);
  await accepted(stage, item(), ['world']);
  await reader.hasRead(1);
  const greedy = await stage.reader();
  greedy.send({ type: 'subscribe', channels: names(10000) });
  assert.deepEqual(await greedy.ends(), { code: 1009, reason: 'too_big' });
  const loop = await stage.reader();
  for (let i = 0; i < 200; i++) loop.send({ type: 'subscribe', ref: i, channels: [`c${i}`] });
  assert.equal((await loop.ends()).code, 4029);
});

test('the longest names there are find their posts', async (t) => {
  const stage = await Stage.open(t);
  const name = `region:${'a'.repeat(64)}`;
  const reader = await stage.reader({ channels: [name, `${name}*`, 'x'.repeat(64)] });
  await accepted(stage, item(), ['x'.repeat(64)]);
  await reader.hasRead(1);
  reader.send({ type: 'subscribe', ref: 1, channels: [`desk:${'b'.repeat(64)}*`] });
  await reader.type('subscribed');
});

/** What comes back for a request that is written as it is. */
async function answerTo(stage, head) {
  const socket = stage.dial();
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (data) => { text += data; });
  socket.write(head);
  await new Promise((done) => { socket.on('close', done); }); // by a reset too
  return text;
}

test('a URL of 64 KiB has an answer that says so, by every way', async (t) => {
  const stage = await Stage.open(t);
  const long = Array.from({ length: 8000 }, (_, i) => `c${i}`).join(',').repeat(2).slice(0, 64 << 10);
  const reader = stage.connect({ channels: long });
  const error = await reader.type('error');
  assert.equal(error.code, 'bad_query');
  assert.match(error.detail, /subscribe/);
  assert.equal((await reader.ends()).code, 4000);
  for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
    const path = method === 'DELETE' ? '/v1/items/urn:x' : method === 'POST' ? '/v1/items' : '/v1/feed';
    const answer = await answerTo(stage, `${method} ${path}?channels=${long} HTTP/1.1\r\nHost: x\r\ncontent-length: 0\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 400 /, method);
    if (method !== 'HEAD') assert.match(answer, /"code":"bad_query"/);
  }
  const most = `${'world,'.repeat(681)}sport`; // 4,091 bytes and the name
  assert.equal((await stage.http(`/v1/feed?x=${most}`)).status, 200);
  assert.equal((await stage.workers()).length, 1);
});

// --- brief ----------------------------------------------------------------------------------------------------------

test('a brief reader gets each story without its body, and reads that at its address until the story is killed', async (t) => {
  const stage = await Stage.open(t);
  const brief = await stage.reader({ channels: ['world'], view: 'brief' });
  const full = await stage.reader({ channels: ['world'] });
  const story = item({ headline: 'Ferry stopped', body: 'The whole text.', by: 'Ann', urgency: 2 });
  const at = `/v1/items/${encodeURIComponent(story.uri)}`;
  await accepted(stage, story, ['world']);
  const [post] = await brief.hasRead(1);
  assert.equal(post.item.bodies, undefined);
  assert.equal(post.item.representationType, 'partial');
  assert.deepEqual([post.item.uri, post.item.version, post.item.headlines, post.item.by, post.item.urgency],
    [story.uri, '1', story.headlines, 'Ann', 2]);
  const whole = (await full.hasRead(1))[0];
  assert.deepEqual({ ...post, item: null }, { ...whole, item: null });
  const read = (etag) => stage.http(at, { headers: etag ? { 'if-none-match': etag } : {} });
  const first = await read();
  assert.deepEqual(first.body.item, whole.item);
  assert.equal(first.headers.get('cache-control'), 'no-cache'); // kept, and asked for each time
  const etag = first.headers.get('etag');
  assert.equal((await read(etag)).status, 304);
  await accepted(stage, { ...story, version: '2', bodies: [{ role: 'main', contentType: 'text/plain', value: 'Another text.' }] }, ['world']);
  assert.equal((await brief.hasRead(2))[1].item.version, '2');
  const second = await read(etag);
  assert.equal(second.status, 200);
  assert.equal(second.body.item.bodies[0].value, 'Another text.');
  assert.notEqual(second.headers.get('etag'), etag);
  await accepted(stage, { ...story, version: '3', pubStatus: 'canceled' }, ['world']);
  assert.equal((await brief.hasRead(3))[2].action, 'kill');
  for (const known of [undefined, etag, second.headers.get('etag')]) assert.equal((await read(known)).status, 410);
});

test('the view is part of what a subscribe asks for, and a feed has it too', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const subscribe = async (ref, more) => {
    reader.send({ type: 'subscribe', ref, channels: ['world'], ...more });
    return reader.saw((m) => m.ref === ref);
  };
  for (const [i, more] of [{ view: 'brief' }, { view: 'full' }, { view: 'brief' }, {}].entries()) {
    assert.equal((await subscribe(i, more)).type, 'subscribed');
    await accepted(stage, item({ body: 'text' }), ['world']);
    await reader.hasRead(i + 1);
  }
  assert.deepEqual(reader.posts.map((p) => p.item.bodies === undefined), [true, false, true, false]);
  assert.equal((await subscribe('x', { view: 'short' })).code, 'bad_view');
  const [whole, brief] = [await stage.http('/v1/feed?channels=world'), await stage.http('/v1/feed?channels=world&view=brief')];
  assert.equal(brief.body.items.length, 4);
  assert.equal(brief.body.cursor, whole.body.cursor);
  assert.ok(brief.body.items.every((p) => p.item.bodies === undefined) && whole.body.items.every((p) => p.item.bodies));
  assert.notEqual(brief.headers.get('etag'), whole.headers.get('etag'));
  const refused = stage.connect({ view: 'short' });
  assert.equal((await refused.type('error')).code, 'bad_view');
  assert.equal((await refused.ends()).code, 4000);
});

test('brief posts may be compressed as whole ones are', async (t) => {
  const stage = await Stage.open(t);
  const plain = await stage.reader({ channels: ['world'], view: 'brief' });
  const compressed = await stage.reader({ channels: ['world'], view: 'brief', socket: { perMessageDeflate: true } });
  assert.match(compressed.socket.extensions, /permessage-deflate/);
  for (let i = 0; i < 5; i++) await accepted(stage, item({ headline: 'word '.repeat(200 * i + 1), body: 'text' }), ['world']);
  await plain.hasRead(5);
  await compressed.hasRead(5);
  // `like` is there for the compression alone.
  assert.deepEqual(compressed.posts.map(({ like, ...post }) => post), plain.posts);
  assert.ok(plain.posts.every((p) => p.item.bodies === undefined));
});

test('an event stream is brief, too', async (t) => {
  const stage = await Stage.open(t);
  const events = await Events.open(stage, { channels: ['world'], view: 'brief' });
  const socket = await stage.reader({ channels: ['world'], view: 'brief' });
  await accepted(stage, item({ body: 'text' }), ['world']);
  await socket.hasRead(1);
  await events.hasRead(1);
  assert.equal(socket.posts[0].item.representationType, 'partial');
  assert.deepEqual(events.posts, socket.posts);
});

test('a brief reader who was away is caught up in brief, also beside whole ones', async (t) => {
  const stage = await Stage.open(t);
  const first = await stage.reader({ channels: ['world'], view: 'brief' });
  for (let i = 0; i < 20; i++) await accepted(stage, item({ body: 'x'.repeat(9000) }), ['world']);
  const brief = await stage.reader({ channels: ['world'], view: 'brief', since: first.messages[0].cursor });
  const whole = await stage.reader({ channels: ['world'], since: first.messages[0].cursor });
  const seen = (await first.hasRead(20)).map((p) => p.cursor);
  assert.deepEqual((await brief.hasRead(20)).map((p) => p.cursor), seen);
  assert.deepEqual((await whole.hasRead(20)).map((p) => p.cursor), seen);
  assert.ok(brief.posts.every((p) => p.item.bodies === undefined) && whole.posts.every((p) => p.item.bodies));
});

// --- a subscription is replaced while news flows --------------------------------------------------------------------

/** Random numbers that come again with their seed. */
function dice(seed) {
  let a = seed;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let x = Math.imul(a ^ (a >>> 15), 1 | a);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) % n;
  };
}

const place = (id) => id.split(':').at(-1).split('-').map(BigInt);
const compare = (a, b) => {
  const [x, y] = [place(a), place(b)];
  return x[0] !== y[0] ? (x[0] < y[0] ? -1 : 1) : x[1] < y[1] ? -1 : x[1] > y[1] ? 1 : 0;
};

const takes = (name, channel) => (name.endsWith('*')
  ? channel.startsWith(name.slice(0, -1)) && (name.includes(':') || !channel.includes(':')) : name === channel);
const wants = (want, channels) => channels.some((c) => want.channels.some((name) => takes(name, c)))
  && (!want.class || channels.some((c) => want.class.includes(c.replace('class:', ''))));

/** What a post is to a subscription: its action, or null. */
function expected(want, post) {
  const now = wants(want, post.channels), before = wants(want, post.was);
  if (post.action === 'kill') return now || before ? 'kill' : null;
  return now ? post.action : before ? 'remove' : null;
}

/** A desk that keeps what it was told: each post with its place, and where earlier versions of its uri went. */
class Desk {
  constructor(stage, roll) { Object.assign(this, { stage, roll, posts: [], stories: [] }); }
  async send(what, channels) {
    const was = this.routes.get(what.uri) ?? [];
    const receipt = await accepted(this.stage, what, channels);
    this.posts.push({ ...receipt, was });
    this.routes.set(what.uri, [...new Set([...was, ...receipt.channels])]);
  }
  routes = new Map();
  channels() { return ['a', 'a.x', 'b', 'b.y', 'c'].filter(() => this.roll(3) === 0).concat('d').slice(0, 2); }
  /** A new story, a correction of one that lives (somewhere else, perhaps), or its end. */
  async act(body) {
    const living = this.stories.filter((s) => !s.dead && !s.busy);
    const old = living[this.roll(living.length || 1)];
    const kind = this.roll(10);
    if (old && kind > 4) {
      old.item = { ...old.item, version: String(Number(old.item.version) + 1), ...topic(20000000 + this.roll(3)), ...(body ? { bodies: body } : {}) };
      old.dead = kind === 9;
      await this.sendNext(old, old.dead ? { ...old.item, pubStatus: 'canceled' } : old.item);
      return;
    }
    const fresh = { item: item({ ...topic(20000000 + this.roll(3)), urgency: 1 + this.roll(5), ...(body ? { bodies: body } : {}) }) };
    this.stories.push(fresh);
    await this.sendNext(fresh, fresh.item);
  }
  /** Versions of one story go one after the other. */
  async sendNext(story, what) {
    story.busy = true;
    await this.send(what, this.channels());
    story.busy = false;
  }
}

/** A reader who changes his mind, and remembers what he wanted from where. */
class Fickle {
  constructor(reader, roll, want) { Object.assign(this, { reader, roll, wants: [want], asked: 0, lagged: new Set() }); }
  newWant() {
    const all = ['a', 'a.x', 'b', 'b.y', 'c', 'd', 'a*', 'b.*', 'topic:20000001', 'topic:2*', 'class:flash', 'feed:all', 'type:*'];
    const channels = all.filter(() => this.roll(5) === 0);
    return { channels: channels.length ? channels : ['feed:all'], ...(this.roll(3) ? {} : { class: ['flash', 'urgent'] }) };
  }
  /** back: a cursor of his own from before, or undefined. */
  change(back) {
    const want = this.newWant();
    this.wants.push({ ...want, since: back });
    this.reader.send({ type: 'subscribe', ref: ++this.asked, ...want, ...(back ? { since: back } : {}) });
  }
  /** What came under each of his wishes, and from which place. */
  get stretches() {
    const out = [{ want: this.wants[0], from: this.reader.messages[0].cursor, posts: [] }];
    for (const m of this.reader.messages) {
      if (m.type === 'subscribed') out.push({ want: this.wants[m.ref], from: m.cursor, posts: [], ref: m.ref });
      else if (m.type === 'post') out.at(-1).posts.push(m);
      else assert.ok(['hello', 'tick'].includes(m.type), JSON.stringify(m));
    }
    return out;
  }
  /** Every post of the wire once, in order, for the wish that was in force; strictly all of them where he kept up. */
  judge(wire) {
    const { stretches } = this;
    assert.equal(stretches.length, this.asked + 1);
    stretches.forEach((s, i) => {
      const next = stretches[i + 1];
      const upto = next && !next.want.since ? next.from : null; // else he jumped away from a place that only the server knows
      const due = wire.filter((p) => compare(p.id, s.from) > 0 && (!upto || compare(p.id, upto) <= 0))
        .map((p) => ({ ...p, as: expected(s.want, p) })).filter((p) => p.as);
      // A version that was left out because of a later one, which he then did not want any more.
      const beyond = upto ? wire.filter((p) => compare(p.id, upto) > 0 && expected(s.want, p)) : [];
      this.judgeStretch(s, due, Boolean(upto) || !next, Boolean(s.want.since) || this.lagged.has(i), beyond);
    });
  }
  judgeStretch(s, due, isWhole, mayConflate, beyond) {
    const what = `wish ${JSON.stringify(s.want)} from ${s.from}`;
    let at = 0;
    const missing = (p) => {
      const later = due.slice(due.indexOf(p) + 1).concat(mayConflate ? beyond : []).filter((q) => q.uri === p.uri);
      const isExcused = mayConflate ? later.length > 0 : later.some((q) => q.as === 'kill'); // text that was killed before it went
      assert.ok(isExcused, `${p.as} of ${p.uri} v${p.version} (${p.id}) was lost: ${what}`);
    };
    for (const got of s.posts) {
      while (at < due.length && !got.cursor.endsWith(`:${due[at].id}`)) missing(due[at++]);
      assert.ok(at < due.length, `${got.action} ${got.cursor} came twice, or is not for him: ${what}`);
      assert.equal(got.action, due[at++].as, what);
    }
    if (isWhole) while (at < due.length) missing(due[at++]);
  }
}

async function untilTold(fickle, desk) {
  await until(() => fickle.reader.messages.filter((m) => m.type === 'subscribed').length === fickle.asked, 'an answer to each subscribe');
  await until(() => compare(fickle.reader.cursor, desk.posts.at(-1).id) >= 0, 'the end of the wire');
}

for (const seed of [1, 2, 3, 4]) {
  test(`whatever is subscribed to while news flows, nothing is lost and nothing comes twice: dice ${seed}`, async (t) => {
    const stage = await Stage.open(t, { workers: 2 });
    const roll = dice(seed);
    const desk = new Desk(stage, roll);
    const fickles = [];
    for (const channels of [['feed:all'], ['a', 'topic:*'], ['b*']])
      fickles.push(new Fickle(await stage.reader({ channels }), roll, { channels }));
    for (let step = 0; step < 150; step++) {
      const acts = Array.from({ length: 1 + roll(3) }, () => desk.act());
      for (const f of fickles)
        if (roll(4) === 0 && f.asked < 40) f.change(roll(4) === 0 ? f.reader.cursor : undefined); // 50 in a second are the most
      await Promise.all(acts);
    }
    desk.posts.sort((x, y) => compare(x.id, y.id));
    for (const f of fickles) {
      await untilTold(f, desk);
      f.judge(desk.posts);
    }
  });

  test(`who lags and subscribes meanwhile gets the final state of everything, once, in order: dice ${seed}`, async (t) => {
    const stage = await Stage.open(t, { sndbuf: '16k' });
    const roll = dice(1000 + seed);
    const desk = new Desk(stage, roll);
    const fickle = new Fickle(await stage.reader({ channels: ['feed:all'] }), roll, { channels: ['feed:all'] });
    const large = [{ role: 'main', contentType: 'text/plain', value: 'x'.repeat(100 << 10) }];
    const lag = () => fickle.lagged.add(fickle.asked);
    for (let round = 0; round < 4; round++) {
      fickle.reader.stopReading();
      for (let i = 0; i < 12; i++) {
        lag();
        await desk.act(large);
        if (roll(3) === 0) fickle.change(roll(3) === 0 ? fickle.reader.cursor : undefined);
        lag();
      }
      fickle.reader.goOnReading();
      await untilTold(fickle, desk);
    }
    fickle.judge(desk.posts);
  });
}
