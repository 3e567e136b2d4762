// A purge: the story is gone from everywhere, from every file too; its readers are told; nobody does it by accident.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { Stage, Store, item, program, until } from './stage.mjs';

const auth = (key) => (key === null ? {} : { authorization: `Bearer ${key}` });
const purge = (stage, uri, key = stage.key) =>
  stage.http(`/v1/items/${encodeURIComponent(uri)}`, { method: 'DELETE', headers: auth(key) });

/** Everything in a directory's files, or in those of this name. */
async function stored(dir, name = /./) {
  let text = '';
  for (const file of await readdir(dir, { recursive: true, withFileTypes: true }))
    if (file.isFile() && name.test(file.name)) text += await readFile(join(file.path ?? file.parentPath, file.name), 'latin1').catch(() => ''); // gone meanwhile
  return text;
}

/** What the server says to these bytes until it closes. */
async function raw(stage, bytes) {
  const { hostname, port } = new URL(stage.url);
  const socket = net.connect(Number(port), hostname).setEncoding('latin1');
  let answer = '';
  socket.on('error', () => {}).on('data', (data) => { answer += data; }).write(bytes);
  await new Promise((done) => { socket.on('close', done); }); // by a reset too
  return answer;
}

/** One run of a program with this on its standard input: {code, out, err}. */
async function run(command, args, { stage, input = '', env = {} }) {
  const child = spawn(command, args, { env: { ...process.env, NEWSWIRE_STATE_DIR: stage.dir, NEWSWIRE_KEY: '', ...env } });
  const seen = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (data) => { seen.out += data; });
  child.stderr.setEncoding('utf8').on('data', (data) => { seen.err += data; });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  [seen.code] = await once(child, 'close');
  return seen;
}

test('a purged story is gone from every file, feed and page, and every reader who saw it is told without a word', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store, workers: 2 });
  const reader = await stage.reader({ channels: ['world'] });
  const away = await stage.reader({ channels: ['world'] });
  const start = away.cursor;
  away.close();
  const uri = 'urn:newsml:stage.example:purged';
  await stage.post(item({ uri, headline: 'XQ7731 one', body: 'XQ7731' }), { channels: 'world' });
  await stage.post(item({ uri, version: '2', headline: 'XQ7731 two' }), { channels: 'world,sport' });
  await stage.post(item({ uri, version: '3', headline: 'XQ7731 three',
    embargoedUntil: new Date(Date.now() + 3600e3).toISOString() }), { channels: 'world' });
  await stage.post(item({ uri: 'urn:stays', headline: 'KX1200 stays' }), { channels: 'world' });
  await reader.hasRead(3);
  await store.redis.save();
  for (const name of [/appendonly/, /\.rdb$/]) assert.ok((await stored(store.dir, name)).includes('XQ7731'), `${name}`);

  const { status, body } = await purge(stage, uri);
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), ['status', 'id', 'versions', 'feeds', 'held']);
  assert.deepEqual([body.status, body.versions, body.held], ['purged', 2, true]);
  assert.ok(body.feeds >= 3);
  const kill = (await reader.hasRead(4))[3];
  assert.deepEqual(Object.keys(kill), ['type', 'cursor', 'action', 'uri', 'version']);
  assert.deepEqual([kill.action, kill.uri, kill.version], ['kill', uri, '2']);
  assert.ok(kill.cursor.endsWith(`:${body.id}`));
  const back = await stage.reader({ channels: ['world'], since: start });
  await back.saw((m) => m.action === 'kill', 'the kill');
  assert.ok(!JSON.stringify(back.messages).includes('XQ7731'));

  assert.equal((await stage.http(`/v1/items/${encodeURIComponent(uri)}`)).status, 410);
  assert.deepEqual((await stage.feed('?channels=world')).items.map((post) => post.item.uri), ['urn:stays']);
  const late = await stage.post(item({ uri, version: '4', headline: 'late' }), { channels: 'world' });
  assert.deepEqual([late.status, late.body.code], [422, 'killed']);
  const trail = await stage.http(`/v1/audit?uri=${uri}&limit=1`, { headers: auth(stage.key) });
  assert.deepEqual([trail.body.entries[0].who, trail.body.entries[0].what], ['node', 'purge']);

  const again = await purge(stage, uri);
  assert.deepEqual([again.status, again.body], [200, { status: 'purged', id: body.id, versions: 0, feeds: 0, held: false }]);
  await stage.metric('newswire_purged_total').becomes(2);

  await until(async () => !(await stored(store.dir, /appendonly/)).includes('XQ7731'), 'the text to be gone from the append-only files', 60000);
  await store.redis.save(); // a snapshot of the operator's own is written anew by the next one
  const all = await stored(store.dir);
  assert.ok(!all.includes('XQ7731'));
  assert.ok(!stage.log.includes('XQ7731'));
  assert.ok(!(await stage.http('/metrics')).text.includes('XQ7731'));
  await store.redis.shutdown('NOSAVE').catch(() => {});
  await store.kill();
  const nowhere = await purge(stage, 'urn:stays');
  assert.deepEqual([nowhere.status, nowhere.body.code, nowhere.headers.get('retry-after')], [503, 'redis_away', '1']);
  await store.start();
  assert.equal(await store.redis.hget(`{newswire}:item:${uri}`, 'action'), 'purge');
});

test('nobody purges without the key, and a wrong question is answered clearly', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader();
  await stage.post(item({ uri: 'urn:safe' }), { channels: 'world' });
  for (const key of [null, 'wrong', `${stage.key}x`]) {
    const { status, body } = await purge(stage, 'urn:safe', key);
    assert.deepEqual([status, body.code], [401, 'unauthorized']);
  }
  const unknown = await purge(stage, 'urn:unknown');
  assert.deepEqual([unknown.status, unknown.body.code], [404, 'not_found']);
  for (const path of ['/v1/items', '/v1/items?uri=', `/v1/items?uri=${'u'.repeat(1025)}`]) {
    const { status, body } = await stage.http(path, { method: 'DELETE', headers: auth(stage.key) });
    assert.deepEqual([status, body.code], [400, 'bad_uri'], path);
  }
  for (const rest of ['content-length: 5\r\n\r\nhello', 'content-length: 5\r\n\r\nhelloDELETE /v1/items/urn:safe HTTP/1.1\r\nhost: x\r\n\r\n',
    'content-length: 500\r\n\r\nhello', 'transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n']) {
    const answer = await raw(stage, `DELETE /v1/items/urn:safe HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${stage.key}\r\n${rest}`);
    assert.match(answer, /^HTTP\/1\.1 400 .*"code":"bad_body"/s, rest);
    assert.equal(answer.match(/HTTP\/1\.1/g).length, 1);
  }
  assert.equal((await stage.http('/v1/items', { method: 'PUT' })).headers.get('allow'), 'GET, HEAD, POST, DELETE, OPTIONS');
  await stage.redis.rename('{newswire}:audit', '{newswire}:kept');
  await stage.redis.set('{newswire}:audit', 'of another program');
  const planted = await purge(stage, 'urn:safe');
  assert.deepEqual([planted.status, planted.body.code], [503, 'store']);
  assert.match(planted.body.detail, /\{newswire\}:audit is a string/);
  assert.equal((await stage.http('/v1/items/urn:safe')).status, 200);
  await reader.settled();
  await reader.hasRead(1);
  assert.ok(!stage.log.includes(stage.key));
});

test('newswire purge asks first, and without a terminal wants --yes', async (t) => {
  const stage = await Stage.open(t);
  for (const n of [1, 2, 3]) await stage.post(item({ uri: `http://stage.example/a b/${n}` }), { channels: 'world' });
  const uri = (n) => `http://stage.example/a b/${n}`;
  const known = async (n) => (await stage.http(`/v1/items?uri=${encodeURIComponent(uri(n))}`)).status;
  const newswire = program('newswire');

  const silent = await run(newswire, ['purge', uri(1)], { stage, input: 'purge\n' });
  assert.deepEqual([silent.code, silent.out], [2, '']);
  assert.match(silent.err, /--yes/);
  const terminal = (input) => run('script', ['-qec', `'${newswire}' purge '${uri(1)}'`, '/dev/null'], { stage, input });
  const no = await terminal('yes\n');
  assert.equal(no.code, 2);
  assert.match(no.out, /gone for everybody and for ever.*nothing was purged/s);
  assert.equal(await known(1), 200);
  const yes = await terminal('purge\n');
  assert.equal(yes.code, 0, yes.out);
  assert.match(yes.out, /purged http:\/\/stage\.example\/a b\/1 versions 1 feeds \d+ id \d+-\d+/);
  assert.equal(await known(1), 410);

  const several = await run(newswire, ['purge', '--yes', uri(2), 'urn:unknown', uri(3)], { stage });
  assert.equal(several.code, 1);
  assert.equal(several.out.trimEnd().split('\n').length, 2);
  assert.match(several.err, /not_found/);
  assert.deepEqual([await known(2), await known(3)], [410, 410]);
  const keyless = await run(newswire, ['purge', '--yes', '--url', stage.url, uri(2)], { stage });
  assert.deepEqual([keyless.code, keyless.out], [1, '']);
  assert.match(keyless.err, /unauthorized/);
  assert.equal((await run(newswire, ['purge', '--yes'], { stage })).code, 2);
});
