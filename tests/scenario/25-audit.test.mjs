// The audit trail: who did what to which story, for those who may know, and never a word of the story itself.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { Stage, item, program, until } from './stage.mjs';

const audit = (stage, query = '', key = stage.key) =>
  stage.http(`/v1/audit${query}`, { headers: key === null ? {} : { authorization: `Bearer ${key}` } });

/** One run of newswire audit: {code, out, err}. */
const command = (stage, args, env = {}) => new Promise((tell) => {
  execFile(program('newswire'), ['audit', ...args],
    { env: { ...process.env, NEWSWIRE_STATE_DIR: stage.dir, NEWSWIRE_KEY: '', ...env } },
    (error, out, err) => tell({ code: error ? error.code : 0, out, err }));
});

test('the trail tells the life of a story, newest first, without its text', async (t) => {
  const stage = await Stage.open(t);
  const headline = 'A headline that the trail must not hold';
  const first = await stage.post(item({ uri: 'urn:life', headline }), { channels: 'world' });
  await stage.post(item({ uri: 'urn:life', version: '3', headline }), { channels: 'world' });
  await stage.post(item({ uri: 'urn:life', version: '2', headline }), { channels: 'world' });
  await stage.publish(item({ uri: 'urn:other' }), 'sport');
  await stage.metric('newswire_desk_total{result="accepted"}').becomes(3);
  await stage.post(item({ uri: 'urn:life', version: '4', pubStatus: 'canceled', headline }));

  const { status, body, headers, text } = await audit(stage);
  assert.equal(status, 200);
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.equal(headers.get('access-control-allow-origin'), null);
  assert.deepEqual(body.entries.map((e) => [e.who, e.what, e.uri, e.version, e.before]), [
    ['node', 'kill', 'urn:life', '4', '3'],
    ['redis', 'publish', 'urn:other', '1', undefined],
    ['node', 'stale', 'urn:life', '2', '3'],
    ['node', 'correct', 'urn:life', '3', '1'],
    ['node', 'publish', 'urn:life', '1', undefined]]);
  const oldest = body.entries.at(-1);
  assert.deepEqual(Object.keys(oldest), ['id', 'time', 'who', 'what', 'uri', 'version', 'channels', 'wire', 'reach']);
  assert.deepEqual(Object.keys(oldest.reach), ['readers', 'behind', 'ms', 'workers', 'reported', 'complete']);
  assert.equal(body.entries[2].reach, undefined, 'what did not go out has none');
  assert.equal(oldest.wire, first.body.id);
  assert.deepEqual(oldest.channels, first.body.channels);
  assert.ok(Math.abs(Date.parse(oldest.time) - Date.now()) < 60000);
  assert.equal(body.entries[2].wire, undefined);
  assert.ok(!text.includes(headline));
  assert.equal(body.before, undefined);
});

test('pages and filters find what was asked for, also far back', async (t) => {
  const stage = await Stage.open(t);
  for (let i = 1; i <= 5; i++) await stage.post(item({ uri: `urn:page:${i}` }), { channels: 'world' });
  const seen = [];
  for (let query = '?limit=2'; query;) {
    const { body } = await audit(stage, query);
    assert.ok(body.entries.length <= 2);
    seen.push(...body.entries.map((e) => e.uri));
    query = body.before && `?limit=2&before=${body.before}`;
  }
  assert.deepEqual(seen, [5, 4, 3, 2, 1].map((i) => `urn:page:${i}`));
  await stage.redis.eval(`for i = 1, 3000 do redis.call('XADD', '{newswire}:audit', '*', 'v', '1', 'who', 'noise', 'what', 'stale',
    'uri', 'urn:noise', 'version', i, 'channels', '', 'id', '', 'time', '1') end`, 0);
  const found = async (query) => (await audit(stage, query)).body.entries.map((e) => e.uri);
  assert.deepEqual(await found('?uri=urn:page:3'), ['urn:page:3']);
  assert.equal((await found('?who=node&what=publish&limit=100')).length, 5);
  assert.deepEqual(await found('?who=node&uri=urn:noise'), []);
});

test('without the key nobody is told anything, and a wrong question is answered clearly', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(item({ uri: 'urn:secret' }), { channels: 'world' });
  const before = await stage.metric('newswire_http_refused_total').read();
  for (const key of [null, 'wrong', stage.key.slice(0, -1), `${stage.key}x`]) {
    const { status, body, headers, text } = await audit(stage, '', key);
    assert.deepEqual([status, body.code, headers.get('www-authenticate')], [401, 'unauthorized', 'Bearer']);
    assert.ok(!text.includes('urn:secret'));
  }
  for (const [query, code] of [['?limit=0', 'bad_limit'], ['?limit=101', 'bad_limit'], ['?limit=x', 'bad_limit'],
    ['?before=nonsense', 'bad_before'], ['?before=1-2-3', 'bad_before'], ['?before=99999999999999999999999-0', 'bad_before']]) {
    const { status, body } = await audit(stage, query);
    assert.deepEqual([status, body.code], [400, code], query);
  }
  assert.equal((await stage.http('/v1/audit', { method: 'PUT' })).status, 405);
  await stage.metric('newswire_http_refused_total').becomes(before + 11);
  await stage.redis.rename('{newswire}:audit', '{newswire}:audit:other');
  await stage.redis.set('{newswire}:audit', 'of another program');
  const planted = await audit(stage);
  assert.deepEqual([planted.status, planted.body.code], [503, 'redis_away']);
  await stage.logged(/WRONGKEY \{newswire\}:audit is a string/);
  assert.ok(!stage.log.includes(stage.key));
});

test('newswire audit prints a line for each entry, and says what is wrong', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(item({ uri: 'urn:cli:1' }), { channels: 'world' });
  await stage.post(item({ uri: 'urn:cli:1', version: '2' }), { channels: 'world,sport' });
  await stage.post(item({ uri: 'urn:cli:2' }), { channels: 'world' });
  await until(async () => (await audit(stage)).body.entries.every((e) => e.reach.complete), 'the worker to have reported');

  const all = await command(stage, []);
  assert.equal(all.code, 0, all.err);
  const lines = all.out.trimEnd().split('\n');
  assert.equal(lines.length, 3);
  assert.match(lines[1], /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}node {2}correct {2}urn:cli:1 version 2 before 1 · sport · world id \d+-\d+: written to 0 readers$/);
  const page = await command(stage, ['--uri', 'urn:cli:1', '--limit', '1', '--json']);
  const json = JSON.parse(page.out);
  assert.deepEqual(json.entries.map((e) => e.what), ['correct']);
  const older = await command(stage, ['--uri', 'urn:cli:1', '--before', json.before]);
  assert.match(older.out, /^\S+ {2}node {2}publish {2}urn:cli:1 version 1 · world id \S+: written to 0 readers\n$/);
  const none = await command(stage, ['--what', 'kill']);
  assert.deepEqual([none.code, none.out], [0, '']);
  assert.match(none.err, /nothing there/);

  const remote = await command(stage, ['--url', stage.url]);
  assert.deepEqual([remote.code, remote.out], [1, '']);
  assert.match(remote.err, /unauthorized/);
  assert.equal((await command(stage, ['--url', stage.url], { NEWSWIRE_KEY: stage.key })).code, 0);
  assert.equal((await command(stage, ['--limit', '1000'])).code, 2);
});
