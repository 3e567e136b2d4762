// Superdesk, unchanged: its HTTP push aimed at /v1/items with nothing but its signature, in the order in which it really sends.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Stage, Store, sample, until } from './stage.mjs';
import { changeKeys, publisher, superdeskSignature } from './keys.mjs';

const secret = '123456789';
const may = ['publish', 'correct', 'kill', 'flash', 'embargo'];

/** As superdesk/publish/transmitters/http_push.py does it: JSON in ASCII, no Authorization, the signature over the raw body. */
function push(stage, what, { secret: own = secret, channels = 'local-desk', signature } = {}) {
  const body = typeof what === 'string' ? what
    : JSON.stringify(what).replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const signed = signature === undefined ? superdeskSignature(own, body) : signature;
  return stage.http(`/v1/items?channels=${channels}`, { method: 'POST', body,
    headers: { 'content-type': 'application/json', ...(signed === null ? {} : { 'x-superdesk-signature': signed }) } });
}
const said = ({ status, body }) => [status, typeof body.status === 'string' ? body.status : body.code];
const opens = async (t, more = {}) => {
  const stage = await Stage.open(t, more);
  await changeKeys(stage, { keys: [publisher('desk', ['publish']), { name: 'superdesk', secret, channels: ['local-desk'], may }] });
  return stage;
};
const superdesk = (more = {}) => sample(8, more);

test('an item, its correction, an update, an embargo and a kill go through with nothing but the signature', async (t) => {
  const stage = await opens(t);
  const reader = await stage.reader({ channels: ['local-desk'] });
  const { guid } = superdesk();
  const first = superdesk(), second = superdesk({ version: '4', versioncreated: '2026-01-10T11:00:00+0000', headline: 'Друга версія' });
  const update = superdesk({ guid: `${guid}-2`, evolvedfrom: guid, version: '1' });
  const held = superdesk({ guid: `${guid}-3`, version: '1', embargoed: new Date(Date.now() + 3600e3).toISOString().replace(/\.\d+Z$/, '+0000') });
  const kill = superdesk({ version: '4', pubstatus: 'canceled', headline: 'Kill/Takedown notice', body_html: '<p>Please kill story slugged pier-lights.</p>' });

  assert.deepEqual(said(await push(stage, first)), [201, 'accepted']);
  assert.deepEqual(said(await push(stage, second)), [201, 'accepted']);
  assert.deepEqual(said(await push(stage, update)), [201, 'accepted']);
  assert.deepEqual(said(await push(stage, held)), [202, 'held']);
  await reader.hasRead(3);
  // Its worker had no answer in time, and sends each once more: no 4xx, which it would count as failed for good.
  for (const again of [first, second, update, held]) assert.equal((await push(stage, again)).status, 200);
  assert.deepEqual(said(await push(stage, kill)), [201, 'accepted'], 'a kill repeats the last version');
  assert.deepEqual(said(await push(stage, kill)), [200, 'duplicate'], 'and may come twice');
  assert.deepEqual(said(await push(stage, { ...kill, version: '5' })), [200, 'duplicate'], 'also in other words');
  assert.deepEqual(said(await push(stage, superdesk({ version: '6', headline: 'Too late' }))), [200, 'ignored'], 'what comes after it is no failure');

  const [, correction, evolved, killed] = await reader.hasRead(4);
  assert.deepEqual([correction.action, evolved.action, killed.action], ['correct', 'update', 'kill']);
  assert.ok(!JSON.stringify(killed).includes('lease kill'));
  assert.equal(await stage.redis.hget(`{newswire}:item:${guid}`, 'owner'), 'superdesk');
  assert.equal(await stage.redis.zcard('{newswire}:embargo'), 1, 'the embargoed one waits');
  assert.ok(!stage.log.includes(secret));
});

test('a kill that overtakes its item: the item is not taken, and Superdesk counts no failure', async (t) => {
  const stage = await opens(t);
  const reader = await stage.reader({ channels: ['local-desk'] });
  assert.deepEqual(said(await push(stage, superdesk({ version: '4', pubstatus: 'canceled' }))), [201, 'accepted']);
  const late = await push(stage, superdesk());
  assert.deepEqual([late.status, late.body.status, late.body.code], [200, 'ignored', 'killed']);
  await reader.settled();
  assert.deepEqual(reader.posts, []);
  assert.equal((await stage.rejects())[0].reason, 'killed');
});

test('what no reader would get is answered 200 and logged; what is no JSON, 400; Redis away, 503', async (t) => {
  const store = await Store.open(t);
  const stage = await opens(t, { store });
  const body = { guid: 'urn:odd', version: '1', headline: 'H', pubstatus: 'usable' };
  for (const [type, code] of [['spike', 'bad_value'], ['advisory', 'advisory']]) {
    const answer = await push(stage, { ...body, type });
    assert.deepEqual([answer.status, answer.body.status, answer.body.code], [200, 'ignored', code], type);
  }
  await stage.logged(/event=item_refused reason=bad_value pointer=\/type .*owner=superdesk/);
  assert.deepEqual(said(await push(stage, '{"guid":"urn:cut')), [400, 'not_json']);
  assert.deepEqual(said(await push(stage, { ...body, urgency: 'high' })), [422, 'wrong_type']);
  assert.equal(await stage.redis.xlen('{newswire}:wire'), 0);
  await store.kill();
  await until(async () => (await stage.http('/readyz/publish')).status === 503, 'Redis to be missed');
  const away = await push(stage, { ...body, type: 'text' });
  assert.deepEqual([away.status, away.headers.get('retry-after')], [503, '1'], 'to be tried again');
  await store.start();
  await until(async () => (await stage.http('/readyz/publish')).status === 200, 'Redis to be back');
  assert.deepEqual(said(await push(stage, { ...body, type: 'text' })), [201, 'accepted']);
});

const zoned = (ms) => new Date(Date.now() + ms).toISOString().replace(/\.\d+Z$/, '+0000'); // as Superdesk writes times
const readyIs = (stage, status) => until(async () => (await stage.http('/readyz/publish')).status === status, `publishing to be ${status}`);

/** Superdesk's worker: a push is tried again as long as it gets 5xx or no answer; what is new goes before what failed. Says what the last answer was. */
class Queue {
  constructor(stage) { this.stage = stage; this.failed = []; this.said = []; }
  async send(what) {
    const answer = await push(this.stage, what).catch(() => null);
    if (answer === null || answer.status >= 500) this.failed.push(what);
    else this.said.push([what.version, ...said(answer)]);
    assert.ok(answer === null || answer.status < 400 || answer.status >= 500, `no 4xx, which it would never send again: ${answer?.status}`);
  }
  async sendAgain() {
    const failed = this.failed;
    this.failed = [];
    for (const what of failed) await this.send(what);
  }
}

test('what failed with 503 is sent again after what is newer: the last version stands, and nothing counts as failed', async (t) => {
  const store = await Store.open(t);
  const stage = await opens(t, { store });
  const reader = await stage.reader({ channels: ['local-desk'] });
  const version = (n, more = {}) => superdesk({ version: `${n}`, versioncreated: `2026-01-10T1${n}:00:00+0000`, headline: `Version ${n}`, ...more });
  const queue = new Queue(stage);
  await queue.send(version(1));
  await reader.hasRead(1);
  await store.kill();
  await readyIs(stage, 503);
  await queue.send(version(2));
  await queue.send(superdesk({ guid: 'urn:other', version: '1', pubstatus: 'usable' }));
  assert.equal(queue.failed.length, 2, '503, to be tried again');
  await store.start();
  await readyIs(stage, 200);
  await queue.send(version(3));
  await queue.send({ ...superdesk({ guid: 'urn:other', version: '2', pubstatus: 'canceled' }) });
  await queue.sendAgain();
  await queue.sendAgain();
  assert.deepEqual(queue.said, [['1', 201, 'accepted'], ['3', 201, 'accepted'], ['2', 201, 'accepted'], ['2', 200, 'stale'], ['1', 200, 'ignored']]);
  assert.deepEqual(queue.failed, []);
  const posts = await reader.hasRead(2);
  await until(async () => (await stage.http('/readyz')).text === 'ready\n', 'the link that reads to be back as well');
  assert.deepEqual(posts.map((post) => [post.action, post.item?.headlines[0].value]), [['publish', 'Version 1'], ['correct', 'Version 3']]);
  assert.equal((await stage.http('/v1/items/urn:other')).status, 410);
  assert.equal((await stage.feed('?channels=local-desk')).items[0].item.version, '3');
});

test('an answer that never came: Superdesk sends the same again, and readers get it once', async (t) => {
  const store = await Store.open(t);
  const stage = await opens(t, { store });
  const reader = await stage.reader({ channels: ['local-desk'] });
  const body = JSON.stringify(superdesk());
  store.child.kill('SIGSTOP');
  const gone = new AbortController();
  const heard = stage.metric('newswire_desk_heard_total').reaches(1).then(() => gone.abort());
  await assert.rejects(fetch(`${stage.url}/v1/items?channels=local-desk`, { method: 'POST', body, signal: gone.signal,
    headers: { 'content-type': 'application/json', 'x-superdesk-signature': superdeskSignature(secret, body) } }));
  await heard;
  store.child.kill('SIGCONT');
  await reader.hasRead(1);
  for (const _ of ['again', 'and again']) assert.deepEqual(said(await push(stage, body)), [200, 'duplicate']);
  await reader.settled();
  await reader.hasRead(1);
});

test('under embargo: corrected, killed, or lifted before its end, and told to readers only when it is over', async (t) => {
  const stage = await opens(t);
  const reader = await stage.reader({ channels: ['local-desk'] });
  const held = (name, more = {}) => superdesk({ guid: `urn:held:${name}`, version: '1', headline: `Held ${name}`, embargoed: zoned(3600e3), ...more });
  for (const name of ['killed', 'lifted', 'corrected']) assert.deepEqual(said(await push(stage, held(name))), [202, 'held']);
  assert.deepEqual(said(await push(stage, held('killed', { pubstatus: 'canceled' }))), [201, 'accepted'], 'by the same version');
  assert.deepEqual(said(await push(stage, held('killed', { version: '2' }))), [200, 'ignored']);
  assert.deepEqual(said(await push(stage, held('lifted', { version: '2', versioncreated: zoned(0), embargoed: undefined }))), [201, 'accepted']);
  const end = zoned(2000);
  assert.deepEqual(said(await push(stage, held('corrected', { version: '2', versioncreated: zoned(0), headline: 'Held and corrected', embargoed: end }))), [202, 'held']);
  // A picture that is still under embargo holds the story that carries it.
  const picture = { featuremedia: { guid: 'urn:pic', type: 'picture', embargoed: zoned(3600e3), headline: 'P', renditions: {} } };
  assert.deepEqual(said(await push(stage, superdesk({ guid: 'urn:held:picture', associations: picture }))), [202, 'held']);

  const posts = await reader.hasRead(2);
  assert.deepEqual(posts.map((post) => [post.action, post.item.uri, post.item.headlines[0].value]),
    [['publish', 'urn:held:lifted', 'Held lifted'], ['release', 'urn:held:corrected', 'Held and corrected']]);
  assert.ok(Date.now() >= Date.parse(end.replace('+0000', 'Z')), 'not before its time');
  assert.ok(!/Held killed/.test(JSON.stringify(reader.messages)));
  assert.equal((await stage.http('/v1/items/urn:held:killed')).status, 410);
  assert.equal((await stage.http('/v1/items/urn:held:picture')).status, 404);
});

test('a signed body that somebody sends again: a duplicate, also after the kill, and only where its key may send', async (t) => {
  const stage = await opens(t);
  const reader = await stage.reader();
  const body = JSON.stringify(superdesk()), signature = superdeskSignature(secret, body);
  const again = (options = {}) => push(stage, body, { signature, ...options });
  assert.deepEqual(said(await again()), [201, 'accepted']);
  for (let i = 0; i < 20; i++) assert.deepEqual(said(await again()), [200, 'duplicate']);
  assert.deepEqual(said(await again({ channels: 'world' })), [403, 'channel_forbidden']);
  assert.deepEqual(said(await push(stage, superdesk({ pubstatus: 'canceled' }))), [201, 'accepted']);
  assert.equal((await again()).status, 200);
  assert.equal((await stage.http(`/v1/items/${superdesk().guid}`)).status, 410, 'it stays killed');
  await reader.settled();
  assert.deepEqual(reader.posts.map((post) => post.action), ['publish', 'kill']);
  // A signature is of one body: not of a part of it, nor of it in another form.
  for (const other of [`${body} `, body.slice(0, -1), JSON.stringify(JSON.parse(body), null, 1), `[${body}]`])
    assert.equal((await push(stage, other, { signature })).status, 401);
});

test('no signature, a wrong one and one of another secret are 401; a body signed before is a duplicate', async (t) => {
  const stage = await opens(t);
  const what = superdesk();
  const body = JSON.stringify(what);
  const good = superdeskSignature(secret, body);
  const tries = { none: null, wrong: `${good.slice(0, -1)}${good.at(-1) === '0' ? '1' : '0'}`, upper: good.toUpperCase(), bare: good.slice(5),
    'of another body': superdeskSignature(secret, `${body} `), 'of another secret': superdeskSignature('987654321', body) };
  for (const [name, signature] of Object.entries(tries)) {
    const { status, headers } = await push(stage, body, { signature });
    assert.deepEqual([status, headers.get('www-authenticate')], [401, 'Bearer'], name);
  }
  assert.equal(await stage.metric('newswire_unauthorized_total{way="signature"}').read(), 5);
  assert.equal(await stage.redis.xlen('{newswire}:wire'), 0);
  assert.deepEqual(said(await push(stage, body, { signature: good })), [201, 'accepted']);
  assert.deepEqual(said(await push(stage, body, { signature: good })), [200, 'duplicate'], 'replayed');
  assert.deepEqual(said(await push(stage, superdesk({ guid: 'urn:elsewhere' }), { channels: 'world' })), [403, 'channel_forbidden']);
  await changeKeys(stage, { keys: [publisher('desk', ['publish'])] });
  assert.deepEqual(said(await push(stage, body, { signature: good })), [401, 'unauthorized'], 'nobody has a secret any more');
});
