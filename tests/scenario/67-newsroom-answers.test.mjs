// The goal: a composer can ask the server what its key may, what became of the stories that it sent, and for what it has under embargo;
// nobody else is told. And a drill stays a drill.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Stage, item, until } from './stage.mjs';
import { changeKeys, keyOf, publisher } from './keys.mjs';

const ask = (stage, path, key = stage.key) => stage.http(path, { headers: key === null ? {} : { authorization: `Bearer ${key}` } });
const hour = () => new Date(Date.now() + 3600e3).toISOString();
const sent = async (stage, who, query = '') => (await ask(stage, `/v1/sent${query}`, keyOf(who))).body.entries;

/** A stage with publishers: {name: [may, channels]}. */
async function stageOf(t, people) {
  const stage = await Stage.open(t);
  await changeKeys(stage, { keys: Object.entries(people).map(([name, [may, channels = ['*'], more]]) => publisher(name, may, { channels, ...more })) });
  return stage;
}

test('a key is told whose it is and what it may; a wrong one is told nothing', async (t) => {
  const stage = await stageOf(t, { desk: [['publish', 'correct'], ['world', 'sport.*'], { urgency: { 1: 'bulletin' } }] });
  const { status, body, headers, text } = await ask(stage, '/v1/key', keyOf('desk'));
  assert.deepEqual([status, headers.get('cache-control')], [200, 'no-store']);
  assert.deepEqual([body.publisher, body.may, body.channels], ['desk', ['publish', 'correct'], ['world', 'sport.*']]);
  assert.deepEqual(Object.values(body.urgency), ['bulletin', 'bulletin', 'urgent', 'regular', 'regular', 'regular', 'deferred', 'deferred', 'deferred']);
  assert.equal(body.max_item, 262144);
  assert.ok(Math.abs(Date.parse(body.time) - Date.now()) < 60e3);
  assert.ok(!text.includes(keyOf('desk')) && !/[0-9a-f]{64}/.test(text), 'neither the key nor its hash');

  const node = await ask(stage, '/v1/key');
  assert.deepEqual([node.body.publisher, node.body.channels, node.body.urgency[1]], ['node', ['*'], 'flash']);
  assert.ok(node.body.may.includes('all'));
  for (const key of [null, 'wrong', `${keyOf('desk')}x`]) {
    const refused = await ask(stage, '/v1/key', key);
    assert.deepEqual([refused.status, refused.body.code, refused.headers.get('www-authenticate')], [401, 'unauthorized', 'Bearer']);
  }
});

test('whoever sent stories is told what became of each, also what others did to them; nobody else is', async (t) => {
  const stage = await stageOf(t, { desk: [['publish', 'correct', 'kill', 'embargo']], other: [['publish']], chief: [['correct', 'kill', 'all', 'audit']] });
  const post = async (who, what) => assert.ok((await stage.post(what, { channels: 'world', key: keyOf(who) })).status < 300);
  await post('desk', item({ uri: 'urn:sent:1' }));
  await post('desk', item({ uri: 'urn:sent:2', embargoedUntil: hour() }));
  await post('other', item({ uri: 'urn:sent:3' }));
  await post('chief', item({ uri: 'urn:sent:1', version: '2' }));
  await post('desk', item({ uri: 'urn:sent:1', version: '1' }));
  await post('desk', item({ uri: 'urn:sent:4' }));
  await post('chief', { uri: 'urn:sent:4', pubStatus: 'canceled' });
  await post('desk', item({ uri: 'urn:sent:5' }));
  await post('desk', item({ uri: 'urn:sent:5', version: '2', pubStatus: 'withheld' }));

  const entries = await sent(stage, 'desk', '?limit=100');
  assert.deepEqual(entries.map((e) => [e.uri.at(-1), e.who, e.what, e.story.status, e.story.version]), [
    ['5', 'desk', 'hold', 'withheld', '2'], ['5', 'desk', 'publish', 'withheld', '2'],
    ['4', 'chief', 'kill', 'canceled', '1'], ['4', 'desk', 'publish', 'canceled', '1'],
    ['1', 'desk', 'stale', 'usable', '2'], ['1', 'chief', 'correct', 'usable', '2'],
    ['2', 'desk', 'held', 'held', undefined], ['1', 'desk', 'publish', 'usable', '2']]);
  const held = entries.find((e) => e.what === 'held');
  assert.deepEqual([held.story.owner, held.story.held], ['desk', '1']);
  assert.ok(Math.abs(Date.parse(held.story.embargo) - Date.now() - 3600e3) < 60e3);
  await until(async () => (await sent(stage, 'desk'))[0].reach?.complete, 'the reach to be there too');

  assert.deepEqual((await sent(stage, 'other')).map((e) => e.uri), ['urn:sent:3']);
  assert.deepEqual((await sent(stage, 'desk', '?uri=urn:sent:4&limit=1')).map((e) => e.what), ['kill']);
  assert.deepEqual((await sent(stage, 'chief')).map((e) => [e.uri, e.story.owner]), [['urn:sent:4', 'desk'], ['urn:sent:1', 'desk']]);
  assert.equal((await sent(stage, 'chief', '?who=*&limit=100')).length, 9);
  for (const [who, query, ...expected] of [['desk', '?who=*', 403, 'may_not_audit'], ['desk', '?who=other', 400, 'bad_who'], ['desk', '?limit=0', 400, 'bad_limit'],
    ['desk', '?before=x', 400, 'bad_before'], ['nobody', '', 401, 'unauthorized']]) {
    const { status, body } = await ask(stage, `/v1/sent${query}`, keyOf(who));
    assert.deepEqual([status, body.code], expected, query);
  }
});

test('much that others did costs a question little: it is answered in stretches', async (t) => {
  const stage = await stageOf(t, { desk: [['publish']] });
  assert.equal((await stage.post(item({ uri: 'urn:old' }), { channels: 'world', key: keyOf('desk') })).status, 201);
  await stage.redis.eval(`for i = 1, 7000 do redis.call('XADD', '{newswire}:audit', '*', 'v', '1', 'who', 'noise', 'what', 'publish',
    'uri', 'urn:noise:' .. i, 'version', '1', 'channels', '', 'id', '', 'time', '1') end`, 0);
  const { body: first } = await ask(stage, '/v1/sent', keyOf('desk'));
  assert.deepEqual(first.entries, []);
  assert.match(first.before, /^\d+-\d+$/);
  const { body: second } = await ask(stage, `/v1/sent?before=${first.before}`, keyOf('desk'));
  assert.deepEqual([second.entries.map((e) => e.uri), second.before], [['urn:old'], undefined]);
});

test('an embargo is told to its owner and to who may audit, never to others who touched the story', async (t) => {
  const stage = await stageOf(t, { desk: [['publish', 'embargo']], guest: [['correct']], auditor: [['audit']] });
  assert.equal((await stage.post(item({ uri: 'urn:hush', embargoedUntil: hour() }), { channels: 'world', key: keyOf('desk') })).status, 202);
  await stage.redis.xadd('{newswire}:audit', '*', 'v', '1', 'who', 'guest', 'what', 'stale', 'uri', 'urn:hush', 'version', '1', 'channels', '', 'id', '', 'time', '1');
  const [mine] = await sent(stage, 'guest');
  assert.deepEqual(mine.story, { status: '', owner: 'desk' });
  for (const [who, query] of [['desk', ''], ['auditor', '?who=*']]) {
    const [entry] = await sent(stage, who, query);
    assert.deepEqual([entry.story.status, entry.story.held], ['held', '1'], who);
  }
});

test('what is under embargo is shown to its owner, and to nobody but him and who may all', async (t) => {
  const stage = await stageOf(t, { desk: [['publish', 'embargo', 'kill']], other: [['publish', 'audit']], chief: [['all']] });
  const news = item({ uri: 'urn:later', headline: 'Not yet', embargoedUntil: hour(), edNote: 'for editors' });
  assert.equal((await stage.post(news, { channels: 'world', key: keyOf('desk') })).status, 202);
  for (const who of ['desk', 'chief']) {
    const { status, body, headers } = await ask(stage, '/v1/held?uri=urn:later', keyOf(who));
    assert.deepEqual([status, headers.get('cache-control'), body.uri, body.version, body.class], [200, 'no-store', 'urn:later', '1', 'regular']);
    assert.ok(body.channels.includes('world'));
    assert.equal(Date.parse(body.embargo), Date.parse(news.embargoedUntil));
    assert.equal(body.item.headlines[0].value, 'Not yet');
    assert.equal(body.item.edNote, undefined);
  }
  for (const [who, uri, ...expected] of [['other', 'urn:later', 404, 'not_found'], ['desk', 'urn:none', 404, 'not_found'], ['desk', '', 400, 'bad_uri'],
    ['nobody', 'urn:later', 401, 'unauthorized']]) {
    const { status, body, text } = await ask(stage, `/v1/held?uri=${uri}`, keyOf(who));
    assert.deepEqual([status, body.code], expected, `${who} ${uri}`);
    assert.ok(!text.includes('Not yet'));
  }
  assert.equal((await stage.post({ uri: 'urn:later', pubStatus: 'canceled' }, { key: keyOf('desk') })).status, 201);
  assert.equal((await ask(stage, '/v1/held?uri=urn:later', keyOf('desk'))).status, 404);
});

test('a drill reaches those who asked for it, and nobody who reads everything', async (t) => {
  const stage = await Stage.open(t);
  const all = await stage.reader();
  const flashes = await stage.reader({ channels: ['class:flash', 'type:text', 'lang:en'] });
  const drill = await stage.reader({ channels: ['exercise', 'exercise.night'] });
  const news = (more) => item({ urgency: 1, language: 'en', subjects: [{ literal: '20000337' }], ...more });
  const { body } = await stage.post(news({ uri: 'urn:drill:1' }), { channels: 'exercise' });
  assert.deepEqual(body.channels, ['exercise']);
  await stage.publish(news({ uri: 'urn:drill:2', channels: ['exercise.night'] }), 'exercise');
  await stage.post(news({ uri: 'urn:drill:1', version: '2', evolvedFrom: 'urn:real' }), { channels: 'exercise' });
  await stage.post({ uri: 'urn:drill:2', pubStatus: 'canceled' });
  await stage.post(item({ uri: 'urn:real' }), { channels: 'exercised' }); // another word
  const posts = await drill.hasRead(4);
  assert.deepEqual(posts.map((p) => p.action), ['publish', 'publish', 'correct', 'kill']);
  assert.deepEqual((await all.hasRead(1)).map((p) => p.item.uri), ['urn:real']);
  assert.ok(posts.slice(0, 3).every((p) => p.channels.every((c) => c.startsWith('exercise'))));
  await flashes.settled();
  assert.deepEqual(flashes.posts.filter((p) => p.item.uri !== 'urn:real'), []);
  assert.deepEqual((await stage.feed()).items.map((p) => p.item.uri), ['urn:real']);
  assert.deepEqual((await stage.feed('?channels=exercise')).items.map((p) => p.item.uri), ['urn:drill:1']);
});

test('no story is both a drill and news', async (t) => {
  const stage = await Stage.open(t);
  const all = await stage.reader();
  const refused = async (what, channels) => {
    const { status, body } = await stage.post(what, { channels });
    assert.deepEqual([status, body.code], [422, 'bad_channel'], channels);
    return body;
  };
  const mixed = await refused(item(), 'exercise,world');
  assert.equal(mixed.errors[0].pointer, '/channels');
  await refused(item({ channels: ['exercise.night'] }), 'world');
  await stage.post(item({ uri: 'urn:news' }), { channels: 'world' });
  await refused(item({ uri: 'urn:news', version: '2' }), 'exercise');
  await stage.post(item({ uri: 'urn:drill' }), { channels: 'exercise' });
  await refused(item({ uri: 'urn:drill', version: '2' }), 'world');
  await stage.post(item({ uri: 'urn:wait', embargoedUntil: hour() }), { channels: 'exercise' });
  await refused(item({ uri: 'urn:wait', version: '2' }), 'world');
  await all.settled();
  assert.deepEqual(all.posts.map((p) => p.item.uri), ['urn:news']);
});
