// The goal: newswired gets other options, or becomes another release, while everybody reads and posts: nobody is refused, nothing is lost, and what
// cannot be is refused in words, with everything as before.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readFile, readdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { connect as dial, createServer as listen } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';
import { connect } from '../../clients/web/sdk/newswire.js';
import { changeKeys, keyOf, publisher } from './keys.mjs';
import { Stage, Store, item, program, until } from './stage.mjs';

async function directory(t) {
  const dir = await mkdtemp(join(tmpdir(), 'nw-renewing-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** `newswired reload` or `upgrade`, as an operator says it. */
function order(stage, word, { file = program('newswired'), dir = stage.dir } = {}) {
  return new Promise((done) => execFile(file, [word, '--state-dir', dir],
    (error, out, err) => done({ code: error ? error.code : 0, out, err })));
}

const which = (name) => new Promise((done, fail) => execFile('which', [name], (error, out) => (error ? fail(error) : done(out.trim()))));

const state = async (stage) => JSON.parse(await readFile(join(stage.dir, 'newswired.json'), 'utf8'));

/** Readers that come back by themselves, and what each of them has read. */
function audience(t, stage, count) {
  return Array.from({ length: count }, () => {
    const wire = connect({ url: stage.url, WebSocket, share: false });
    t.after(() => wire.close());
    wire.read = [];
    wire.gaps = 0;
    wire.addEventListener('post', ({ detail }) => wire.read.push(detail.item.uri));
    wire.addEventListener('gap', () => { wire.gaps += 1; });
    return wire;
  });
}

/** Connects all the time, as new readers do. refused: what went wrong. */
function knocking(t, stage) {
  const knocks = { count: 0, refused: [], over: false };
  const one = () => new Promise((done) => {
    const socket = stage.dial({}, () => {
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    });
    let answer = '';
    socket.on('data', (data) => { answer += data; });
    socket.on('error', (error) => knocks.refused.push(String(error)));
    socket.on('close', () => {
      knocks.count += 1;
      if (!answer.startsWith('HTTP/1.1 200')) knocks.refused.push(`answered: ${answer}`);
      done();
    });
  });
  const end = (async () => { while (!knocks.over) await one(); })();
  knocks.end = async () => { knocks.over = true; await end; return knocks.refused; };
  t.after(() => knocks.end());
  return knocks;
}

/** Posts over HTTP all the time. sent: uris with a receipt. */
function desk(t, stage) {
  const posts = { sent: [], failed: [], over: false };
  const end = (async () => {
    while (!posts.over) {
      const one = item();
      const answer = await stage.post(one).catch((error) => ({ status: 0, body: String(error) }));
      if (answer.status === 201) posts.sent.push(one.uri);
      else posts.failed.push(answer);
    }
  })();
  posts.end = async () => { posts.over = true; await end; };
  t.after(() => posts.end());
  return posts;
}

async function everybodyHas(wires, posts) {
  await posts.end();
  assert.deepEqual(posts.failed, [], 'every post had its receipt');
  for (const wire of wires) {
    await until(() => new Set(wire.read).size >= posts.sent.length, 'a reader to have everything')
      .catch((error) => { throw new Error(`${error.message}: ${new Set(wire.read).size} of ${posts.sent.length}`); });
    assert.deepEqual([...wire.read].sort(), [...posts.sent].sort(), 'each once');
    assert.equal(wire.gaps, 0);
  }
}

/** A newswired with a file of options. */
async function configured(t, options, more = {}) {
  const dir = await directory(t);
  const config = join(dir, 'config.json');
  const write = (what) => writeFile(config, typeof what === 'string' ? what : JSON.stringify(what));
  await write(options);
  return { stage: await Stage.open(t, { workers: 2, tick: undefined, config, 'drain-time': '1s', ...more }), write };
}

test('a reload puts the changed options in force, and nobody notices but by a goodbye', async (t) => {
  const { stage, write } = await configured(t, { tick: '20s' });
  const wires = audience(t, stage, 60);
  await until(() => wires.every((wire) => wire.status.state === 'live'), 'all to be live');
  const before = await stage.workers();
  const plain = await stage.reader();
  assert.equal((await plain.type('hello')).tick, 20);
  const knocks = knocking(t, stage);
  const posts = desk(t, stage);
  await until(() => posts.sent.length > 20, 'some posts');
  await write({ tick: '7s', 'max-item': '2k' });
  const answer = await order(stage, 'reload');
  assert.deepEqual([answer.code, answer.err], [0, '']);
  assert.match(answer.out, /^reloaded: version 0\.\d+\.\d+, generation 2 of workers/);
  assert.match((await plain.ends()) && JSON.stringify(plain.messages.at(-1)), /"bye"/);
  await until(async () => (await stage.workers()).length === 2, 'the old workers to be gone');
  assert.ok((await stage.workers()).every((pid) => !before.includes(pid)));
  const sent = posts.sent.length;
  await until(() => posts.sent.length > sent + 20, 'posts after it');
  assert.deepEqual(await knocks.end(), []);
  assert.ok(knocks.count > 50);
  await everybodyHas(wires, posts);
  assert.equal((await (await stage.reader()).type('hello')).tick, 7);
  assert.equal((await stage.post(item({ body: 'x'.repeat(4000) }))).status, 413);
  const readers = await stage.metric('newswire_readers').read();
  assert.ok(readers >= 60 && readers < 70, `gauges of those who left do not count: ${readers}`);
});

test('an order is answered when the new workers serve, not when the old ones are gone', async (t) => {
  const { stage } = await configured(t, {}, { 'drain-time': '600s' });
  const before = await stage.workers();
  const reader = await stage.reader();
  reader.socket.pause(); // takes nothing, not even a goodbye
  assert.equal((await order(stage, 'reload')).code, 0);
  assert.equal((await stage.workers()).length >= 3, true, 'one of the old workers stays for its reader');
  assert.ok(before.length === 2 && (await state(stage)).generation === 2);
  const again = await order(stage, 'reload');
  assert.equal(again.code, 1);
  assert.match(again.err, /still saying goodbye/);
  reader.close();
  await stage.stop('SIGKILL');
});

/** One POST by hand: connected now, sent by say(), or in two parts by begin() and end(). answer: the status when it has come. */
function byHand(stage, story) {
  const body = JSON.stringify(story);
  const socket = stage.dial();
  let heard = '';
  socket.on('data', (data) => { heard += data; });
  const answer = new Promise((done) => {
    socket.on('error', (error) => done(String(error)));
    socket.on('close', () => done(Number(heard.split(' ')[1]) || `no answer: "${heard}"`));
  });
  const connected = new Promise((done) => socket.on('connect', done));
  const text = `POST /v1/items?channels=world HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${stage.key}\r\n`
    + `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  return { connected, answer, say: () => socket.write(text), begin: () => socket.write(text.slice(0, -20)), end: () => socket.write(text.slice(-20)) };
}

test('who had connected before a reload, and asks after it, is answered', async (t) => {
  const { stage } = await configured(t, {}, { 'drain-time': '6s' });
  const posts = Array.from({ length: 8 }, () => byHand(stage, item()));
  await Promise.all(posts.map((post) => post.connected));
  await stage.http('/healthz'); // whoever came before is with a worker by now
  assert.equal((await order(stage, 'reload')).code, 0);
  for (const post of posts) post.say();
  assert.deepEqual(await Promise.all(posts.map((post) => post.answer)), posts.map(() => 201));
});

test('a request under way when its worker is told to stop has its answer, even if Redis takes longer than the drain', async (t) => {
  const store = await Store.open(t);
  const { stage } = await configured(t, {}, { store, 'drain-time': '0' });
  const reader = await stage.reader();
  store.child.kill('SIGSTOP');
  const post = byHand(stage, item());
  const requests = stage.metric('newswire_http_requests_total');
  let others = await requests.read(); // each reading is a request too
  post.say();
  await until(async () => (await requests.read()) > (others += 1), 'the request to be taken');
  const exit = once(stage.child, 'exit');
  stage.child.kill('SIGTERM');
  await reader.ends();
  await until(() => stage.log.includes('worker_stops'), 'the worker without a request to end');
  store.child.kill('SIGCONT');
  assert.equal(await post.answer, 201);
  assert.equal((await exit)[0], 0);
});

test('SIGHUP is the same, and may come again', async (t) => {
  const { stage, write } = await configured(t, { tick: '20s' });
  for (const [tick, generation] of [[6, 2], [7, 3]]) {
    await write({ tick: `${tick}s` });
    stage.child.kill('SIGHUP');
    await until(async () => (await state(stage)).generation === generation, `generation ${generation}`);
    await until(async () => (await stage.workers()).length === 2, 'the old workers to be gone');
    assert.equal((await (await stage.reader()).type('hello')).tick, tick);
  }
});

test('options that make no sense, or need a restart, are refused in words, and everything stays as it is', async (t) => {
  const { stage, write } = await configured(t, { tick: '20s' });
  const reader = await stage.reader();
  const before = await stage.workers();
  for (const [options, words] of [
    ['{"tick": ', /config\.json/], [{ tick: '2d' }, /tick/], [{ tock: '2s' }, /tock/],
    [{ tick: '20s', prefix: 'other' }, /--prefix cannot change while newswired runs/], [{ tick: '20s', redis: 'redis://127.0.0.1' }, /--redis cannot change/]]) {
    await write(options);
    const answer = await order(stage, 'reload');
    assert.equal(answer.code, 1);
    assert.match(answer.err, /^newswired: not reloaded: /);
    assert.match(answer.err, words);
  }
  await write({ tick: '20s' });
  assert.deepEqual(await stage.workers(), before);
  assert.equal(reader.closed, null);
  const { generation, renewals, renewal_trouble: trouble } = await state(stage);
  assert.deepEqual([generation, renewals], [1, 5]);
  assert.match(trouble, /--redis/);
  assert.equal((await order(stage, 'reload')).code, 0);
  assert.equal((await state(stage)).renewal_trouble, '');
});

test('new workers that cannot serve are given up: those before stay', async (t) => {
  const store = await Store.open(t);
  const { stage } = await configured(t, {}, { store });
  const reader = await stage.reader();
  const before = await stage.workers();
  store.child.kill('SIGSTOP'); // a new worker would wait for it
  const answer = order(stage, 'reload');
  const added = await until(async () => (await stage.workers()).filter((pid) => !before.includes(pid))[1], 'both new workers');
  process.kill(added, 'SIGKILL');
  const { code, err } = await answer;
  assert.equal(code, 1);
  assert.match(err, /not reloaded: a new worker could not serve/);
  store.child.kill('SIGCONT');
  await until(async () => (await stage.workers()).length === 2, 'the new workers to be gone');
  assert.deepEqual(await stage.workers(), before);
  await until(async () => (await stage.post(item())).status === 201, 'a post');
  await reader.hasRead(1);
});

test('a stop in the middle of a reload is a stop', async (t) => {
  const store = await Store.open(t);
  const { stage } = await configured(t, {}, { store });
  store.child.kill('SIGSTOP');
  const answer = order(stage, 'reload');
  await until(async () => (await stage.workers()).length === 4, 'the new workers');
  const children = await stage.children();
  assert.equal(await stage.stop(), 0);
  assert.equal((await answer).code, 1);
  assert.ok(!existsSync(join(stage.dir, 'newswired.json')));
  for (const pid of children) assert.throws(() => process.kill(pid, 0), `process ${pid}`);
  store.child.kill('SIGCONT');
});

test('a file of keys with a slip in it stops a reload and an upgrade, and the keys from before hold', async (t) => {
  const { stage } = await configured(t, {});
  await changeKeys(stage, { keys: [publisher('desk', ['publish'])] });
  await writeFile(join(stage.dir, 'keys.json'), '{"keys": [', { mode: 0o600 });
  for (const word of ['reload', 'upgrade']) {
    const { code, err } = await order(stage, word);
    assert.equal(code, 1);
    assert.match(err, /keys\.json/);
  }
  assert.equal((await stage.post(item(), { key: keyOf('desk'), channels: 'world' })).status, 201);
});

/** The program again, as another release of it. */
async function release(file, version) {
  const bytes = await readFile(program('newswired'));
  const old = Buffer.from('0.1.0');
  assert.equal(old.length, version.length);
  for (let at = bytes.indexOf(old); at >= 0; at = bytes.indexOf(old, at + 1)) {
    // Its own, and not the end of another number.
    if (bytes[at + old.length] === 0 || bytes[at + old.length] === 0x22) bytes.write(version, at, 'latin1');
  }
  await writeFile(`${file}.new`, bytes, { mode: 0o755 });
  await rename(`${file}.new`, file);
}

test('an upgrade: another release takes over the sockets, the readers and the private Redis, in the same process', async (t) => {
  const dir = await directory(t);
  const file = join(dir, 'newswired');
  await copyFile(program('newswired'), file);
  await chmod(file, 0o755);
  const stage = await Stage.open(t, { workers: 2, 'drain-time': '1s', program: file });
  const wires = audience(t, stage, 60);
  await until(() => wires.every((wire) => wire.status.state === 'live'), 'all to be live');
  const redis = await stage.redisPid();
  const before = await stage.workers();
  const knocks = knocking(t, stage);
  const posts = desk(t, stage);
  await until(() => posts.sent.length > 20, 'some posts');

  await release(file, '0.1.9');
  const answer = await order(stage, 'upgrade', { file });
  assert.deepEqual([answer.code, answer.err], [0, '']);
  assert.match(answer.out, /^upgraded: from version 0\.1\.0 to 0\.1\.9, generation 2 of workers/);
  await until(async () => (await stage.workers()).length === 2, 'the old workers to be gone');
  assert.ok((await stage.workers()).every((pid) => !before.includes(pid)));
  assert.equal(await stage.redisPid(), redis);
  const sent = posts.sent.length;
  await until(() => posts.sent.length > sent + 20, 'posts after it');
  assert.deepEqual(await knocks.end(), []);
  await everybodyHas(wires, posts);
  assert.equal((await (await stage.reader()).type('hello')).server, 'newswired/0.1.9');

  // And back again: two releases share one Redis in both directions.
  await copyFile(program('newswired'), `${file}.old`);
  await rename(`${file}.old`, file);
  stage.child.kill('SIGUSR2');
  await until(async () => (await state(stage)).generation === 3, 'the third generation');
  assert.equal((await state(stage)).version, '0.1.0');
  // It looks after what it was handed: a worker and the Redis are started again, and it ends as always.
  await until(async () => (await stage.workers()).length === 2, 'the old workers to be gone');
  const [victim] = await stage.workers();
  process.kill(victim, 'SIGKILL');
  await until(async () => { const now = await stage.workers(); return now.length === 2 && !now.includes(victim); }, 'the worker to be back');
  process.kill(redis, 'SIGKILL');
  await until(async () => (await stage.redisPid()) !== redis, 'the private Redis to be back');
  await until(async () => (await stage.post(item()).catch(() => ({}))).status === 201, 'a post');
  const children = await stage.children();
  assert.equal(await stage.stop(), 0);
  for (const pid of children) assert.throws(() => process.kill(pid, 0), `process ${pid}`);
});

test('a request that is still arriving when an upgrade has come has its answer, even if that takes longer than the drain', async (t) => {
  const { stage } = await configured(t, {});
  for (const word of ['reload', 'upgrade']) {
    const posts = Array.from({ length: 8 }, () => byHand(stage, item()));
    for (const post of posts) post.begin();
    await Promise.all(posts.map((post) => post.connected));
    await stage.http('/healthz'); // whoever came before is with a worker by now
    assert.equal((await order(stage, word)).code, 0, word);
    await pause(4000); // the drain is of one second
    for (const post of posts) post.end();
    assert.deepEqual(await Promise.all(posts.map((post) => post.answer)), posts.map(() => 201), word);
    await until(async () => (await stage.workers()).length === 2, 'the old workers to be gone');
  }
});

test('what would end the next program is seen before it is this process: an upgrade is refused in words, and everything stays as it is', async (t) => {
  const bin = await directory(t);
  await symlink(await which('redis-server'), join(bin, 'redis-server'));
  const { stage, write } = await configured(t, { tick: '20s' }, { env: { PATH: bin } });
  const reader = await stage.reader();
  const before = await stage.children();
  const refused = async (words) => {
    const { code, err } = await order(stage, 'upgrade');
    assert.equal(code, 1);
    assert.match(err, /^newswired: not upgraded: /);
    assert.match(err, words);
  };
  for (const [options, words] of [[{ redis: 'redis://127.0.0.1' }, /--redis cannot change/], [{ prefix: 'other' }, /--prefix cannot change/]]) {
    await write(options);
    await refused(words);
  }
  await write({ tick: '7s' });
  await writeFile(join(stage.dir, 'publish.key'), 'too short\n');
  await refused(/is no key of 16 to 255 letters/);
  await writeFile(join(stage.dir, 'publish.key'), `${stage.key}\n`);
  await unlink(join(bin, 'redis-server'));
  await refused(/redis-server is not installed/);
  assert.deepEqual(await stage.children(), before);
  assert.equal((await stage.post(item())).status, 201);
  await reader.hasRead(1);

  await symlink(await which('redis-server'), join(bin, 'redis-server'));
  assert.equal((await order(stage, 'upgrade')).code, 0);
  await until(async () => (await stage.workers()).length === 2, 'the old workers to be gone');
  assert.equal((await (await stage.reader()).type('hello')).tick, 7);
});

/** A redis-server in `bin` that takes its time to begin: `script` may say `wait_for FILE`, a file in `bin`, and `tell_of_cut`, as Redis does. */
async function slowRedis(bin, script) {
  const [redis, sleep] = await Promise.all([which('redis-server'), which('sleep')]);
  await writeFile(join(bin, 'redis-server.new'), `#!/bin/sh
wait_for() { while [ ! -e "${bin}/$1" ]; do ${sleep} 0.05; done; }
tell_of_cut() { echo "812:M 23 Nov 2026 21:53:00.123 # !!! Truncating the AOF appendonly.aof.1.incr.aof at offset 812 !!!"; }
${script}
exec ${redis} "$@"
`, { mode: 0o755 });
  await rename(join(bin, 'redis-server.new'), join(bin, 'redis-server'));
}

test('an upgrade while the private Redis reads a file that was cut: the file is written anew all the same', async (t) => {
  const bin = await directory(t);
  await symlink(await which('redis-server'), join(bin, 'redis-server'));
  const { stage } = await configured(t, {}, { env: { PATH: bin }, 'log-level': 'debug' });
  await stage.post(item());
  const aof = async () => (await readdir(join(stage.dir, 'appendonlydir'))).find((name) => name.endsWith('.incr.aof'));
  const cut = await aof();
  const restart = async (script) => {
    await slowRedis(bin, script);
    const redis = await stage.redisPid();
    const started = stage.log.split('event=redis_started').length;
    process.kill(redis, 'SIGKILL');
    await until(() => stage.log.split('event=redis_started').length > started, 'Redis to be started again');
  };

  await restart('wait_for loaded; tell_of_cut');
  const upgrade = order(stage, 'upgrade');
  await stage.logged(/event=taken_over/);
  await writeFile(join(bin, 'loaded'), '');
  assert.equal((await upgrade).code, 0);
  await stage.logged(/event=redis_file_cut/);
  await until(async () => (await aof()) !== cut, 'the file to be another');
  await until(async () => (await stage.workers()).length === 2, 'the old workers to be gone');

  // The program that has read of the cut is the one to see to it.
  await restart('tell_of_cut; wait_for ready');
  await until(() => stage.log.split('Truncating the AOF').length === 3, 'the second cut to be heard of');
  const { code, err } = await order(stage, 'upgrade');
  assert.equal(code, 1);
  assert.match(err, /not upgraded: the private Redis .* try again/);
  await writeFile(join(bin, 'ready'), '');
  await until(() => stage.log.split('event=redis_file_cut').length === 3, 'the second cut to be mended');
  assert.equal((await order(stage, 'upgrade')).code, 0);
});

test('a new program that says nothing is given up', async (t) => {
  const dir = await directory(t);
  const file = join(dir, 'newswired');
  await copyFile(program('newswired'), file);
  await chmod(file, 0o755);
  const stage = await Stage.open(t, { workers: 1, program: file });
  await rm(file);
  await writeFile(file, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
  const { code, err } = await order(stage, 'upgrade');
  assert.equal(code, 1);
  assert.match(err, /not upgraded: .* took too long/);
  await copyFile(program('newswired'), `${file}.new`);
  await chmod(`${file}.new`, 0o755);
  await rename(`${file}.new`, file);
  assert.equal((await order(stage, 'upgrade')).code, 0, 'and another may follow');
});

test('an upgrade to what does not run is refused, and the running one stays', async (t) => {
  const dir = await directory(t);
  const file = join(dir, 'newswired');
  await copyFile(program('newswired'), file);
  await chmod(file, 0o755);
  const stage = await Stage.open(t, { workers: 2, 'drain-time': '1s', program: file });
  const reader = await stage.reader();
  const before = await stage.children();
  await unlink(join(stage.dir, 'publish.key')); // the workers have it
  for (const [text, mode] of [['#!/bin/sh\nexit 3\n', 0o755], ['no program', 0o755], ['#!/bin/sh\nexit 0\n', 0o644]]) {
    await rm(file);
    await writeFile(file, text, { mode });
    const answer = await order(stage, 'upgrade');
    assert.equal(answer.code, 1, text);
    assert.match(answer.err, /not upgraded: the new program does not start/);
  }
  await rm(file);
  assert.match((await order(stage, 'upgrade')).err, /not upgraded/);
  assert.ok(!existsSync(join(stage.dir, 'publish.key')), 'no key was made that no worker knows');
  assert.deepEqual(await stage.children(), before);
  assert.equal((await stage.post(item())).status, 201);
  await reader.hasRead(1);
});

test('an order without anybody to hear it is answered', async (t) => {
  const dir = await directory(t);
  const nobody = await order(null, 'reload', { dir });
  assert.equal(nobody.code, 3);
  assert.match(nobody.err, /none runs there/);
  const wrong = await new Promise((done) => execFile(program('newswired'), ['upgrade', '--port', 'x'], (error, out, err) => done({ code: error.code, err })));
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /port/);
});

/** A way to the Redis of a stage, on which new connections wait as long as `held` says. */
async function slowWay(t, path) {
  const way = { held: 0 };
  const ends = new Set();
  const server = listen((client) => {
    const far = dial(path);
    for (const [from, to] of [[client, far], [far, client]]) {
      ends.add(from);
      from.on('error', () => to.destroy()).on('close', () => { ends.delete(from); to.destroy(); });
    }
    far.pipe(client);
    setTimeout(() => client.pipe(far), way.held);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.close(); for (const end of ends) end.destroy(); });
  return Object.assign(way, { address: `redis://127.0.0.1:${server.address().port}` });
}

test('a successor lets nobody in before it can take what is posted', async (t) => {
  const store = await Store.open(t);
  const way = await slowWay(t, store.path);
  const stage = await Stage.open(t, { store: { address: way.address, redis: store.redis } });
  const [old] = await stage.workers();
  way.held = 1500;
  const posts = desk(t, stage);
  assert.equal((await order(stage, 'reload')).code, 0);
  await until(async () => !(await stage.workers()).includes(old), 'the old worker to end');
  await posts.end();
  assert.deepEqual(posts.failed, []);
  assert.ok(posts.sent.length > 20, `${posts.sent.length} posts`);
});
