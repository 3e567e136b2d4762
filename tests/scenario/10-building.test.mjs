// The building: how newswired starts, refuses to start, loses children and stops.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer, connect } from 'node:net';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stage, Store, program, until, PATIENCE_MS } from './stage.mjs';

/** Runs newswired to its end; it is not expected to stay. */
function run(args, env = {}) {
  return new Promise((done) => {
    execFile(program('newswired'), args, { env: { ...process.env, ...env }, timeout: PATIENCE_MS },
      (error, stdout, stderr) => done({ code: error ? error.code : 0, stdout, stderr }));
  });
}

async function directory(t) {
  const dir = await mkdtemp(join(tmpdir(), 'nw-building-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Whether the process is over (a zombie that nobody has buried yet is). */
async function isOver(pid) {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return status === null || status.slice(status.lastIndexOf(')') + 2).startsWith('Z');
}

async function takesConnections(port) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
}

test('it starts with nothing but a directory, says where it is, and leaves cleanly', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const announced = join(stage.dir, 'newswired.json');
  assert.equal(stage.state.pid, stage.child.pid);
  assert.equal(stage.state.url, `http://127.0.0.1:${stage.state.port}`);
  assert.equal(stage.state.redis, `unix:${join(stage.dir, 'redis.sock')}`);
  await until(() => stage.out.includes(`newswire is running: ${stage.state.url}/`), 'the greeting');
  await stage.logged(/event=ready url=/);
  for (const name of ['publish.key', 'newswired.json', 'lock', 'redis.sock'])
    assert.equal((await stat(join(stage.dir, name))).mode & 0o777, 0o600, name);
  assert.match(stage.key, /^[0-9a-f]{64}$/);
  assert.equal((await stage.workers()).length, 2);

  const children = await stage.children();
  assert.equal(await stage.stop('SIGTERM'), 0);
  assert.ok(!existsSync(announced));
  for (const pid of children) assert.ok(await isOver(pid), `process ${pid} is over`);
});

test('the private Redis writes every accepted word to the disk at once, and drops nothing', async (t) => {
  const stage = await Stage.open(t);
  const setting = async (name) => (await stage.redis.config('GET', name))[1];
  assert.equal(await setting('appendonly'), 'yes');
  assert.equal(await setting('appendfsync'), 'always');
  assert.equal(await setting('maxmemory-policy'), 'noeviction');
  assert.equal(await setting('save'), '');
  assert.equal(await setting('port'), '0');
});

test('Ctrl-C stops it as SIGTERM does', async (t) => {
  const stage = await Stage.open(t);
  assert.equal(await stage.stop('SIGINT'), 0);
});

test('the key stays the same from start to start', async (t) => {
  const stage = await Stage.open(t);
  const { key } = stage;
  await stage.restart();
  assert.equal(stage.key, key);
});

test('a second newswired on the same directory says whose it is', async (t) => {
  const stage = await Stage.open(t);
  const second = await run(['--port=0', `--state-dir=${stage.dir}`]);
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`newswired runs already on .*\\(process ${stage.child.pid}\\)`));
  assert.ok(existsSync(join(stage.dir, 'newswired.json')), 'the first is still announced');
});

test('a port that another newswired of the same user has is not shared in silence', async (t) => {
  const stage = await Stage.open(t);
  const second = await run([`--port=${stage.state.port}`, `--state-dir=${await directory(t)}`]);
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`port ${stage.state.port} is in use by .*\\(process \\d+\\)`));
});

test('a port that another program has is named with that program', async (t) => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address();
  const result = await run([`--port=${port}`, `--state-dir=${await directory(t)}`]);
  assert.equal(result.code, 1);
  assert.match(result.stderr, new RegExp(`port ${port} is in use by .*\\(process ${process.pid}\\): stop that, or give --port`));
});

test('wrong options are refused with where they stand and what is allowed', async (t) => {
  const file = join(await directory(t), 'newswired-config.json');
  await writeFile(file, '{\n  "workers": 2,\n  "max-itme": "1m"\n}\n');
  const cases = [
    [['--prot=80'], {}, /^newswired: --prot: there is no such option; did you mean --port\?\n$/],
    [['--max-item=9t'], {}, /^newswired: --max-item: "9t" is not a number of bytes.*allowed is 1k to 4m\n$/],
    [['publish'], {}, /^newswired: publish: newswired takes options only/],
    [[], { NEWSWIRE_PORT: '99999' }, /^newswired: NEWSWIRE_PORT \(environment\): 99999 is too large; allowed is 0 to 65535\n$/],
    [[`--config=${file}`], {}, /newswired-config\.json line 3: "max-itme": there is no such option; did you mean "max-item"\?\n$/],
    [['--config=/no/such/file'], {}, /^newswired: --config: \/no\/such\/file: No such file or directory\n$/],
    [['--redis=redis://desk:secret@db:0'], {}, /^newswired: --redis: (?!.*secret).*port/],
  ];
  for (const [args, env, expected] of cases) {
    const { code, stdout, stderr } = await run(args, env);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, expected);
  }
});

test('a flag outranks the environment, which outranks the file; --print-config tells which won', async (t) => {
  const file = join(await directory(t), 'config.json');
  await writeFile(file, '{"port": 81, "feed-max": 7,\n "retention": "48h", "redis": "redis://desk:secret@db"}');
  const { code, stdout } = await run(['--print-config', '--port=83'],
    { NEWSWIRE_CONFIG: file, NEWSWIRE_PORT: '82', NEWSWIRE_FEED_MAX: '8' });
  assert.equal(code, 0);
  assert.match(stdout, /^port +83 +flag --port$/m);
  assert.match(stdout, /^feed-max +8 +environment NEWSWIRE_FEED_MAX$/m);
  assert.match(stdout, /^retention +2d +.*config\.json line 2$/m);
  assert.match(stdout, /^redis +redis:\/\/desk:\*\*\*@db /m);
  assert.match(stdout, /^tick +25s +default$/m);
});

test('--help and --version answer and end', async () => {
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--max-item SIZE/);
  const version = await run(['--version']);
  assert.match(version.stdout, /^newswired \d+\.\d+\.\d+\n$/);
});

test('without redis-server it says what to install', async (t) => {
  const result = await run(['--port=0', `--state-dir=${await directory(t)}`], { PATH: '/nonexistent' });
  assert.equal(result.code, 1);
  assert.match(result.stderr, /redis-server is not installed: run `apt install redis-server`/);
});

test('a state directory that cannot be made or is too long a path is told', async (t) => {
  const dir = await directory(t);
  await writeFile(join(dir, 'file'), '');
  const under = await run(['--port=0', `--state-dir=${join(dir, 'file', 'state')}`]);
  assert.equal(under.code, 1);
  assert.match(under.stderr, /cannot make the directory .*Not a directory.*--state-dir/);
  const long = await run(['--port=0', `--state-dir=${join(dir, 'x'.repeat(100))}`]);
  assert.equal(long.code, 1);
  assert.match(long.stderr, /too long for a Unix socket in it, by \d+ bytes: give --state-dir a shorter one/);
});

test('a private Redis whose file is ruined ends the start, with Redis\' own last word', async (t) => {
  const stage = await Stage.open(t);
  await stage.stop();
  await writeFile(join(stage.dir, 'appendonlydir', 'appendonly.aof.manifest'), 'ruined\n');
  const result = await run(['--port=0', `--state-dir=${stage.dir}`]);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /event=redis_died .*last_word="?[^"]*manifest/i);
  assert.match(result.stderr, /event=cannot_start reason="redis-server ends as soon as it starts/);
});

test('a worker that is killed is replaced at once, on the same port', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const before = await stage.workers();
  process.kill(before[0], 'SIGKILL');
  await stage.logged(new RegExp(`event=worker_died worker=\\d pid=${before[0]} signal=9 .*again_in_ms=0`));
  const after = await until(async () => {
    const now = await stage.workers();
    return now.length === 2 && !now.includes(before[0]) && now;
  }, 'two workers again');
  assert.ok(after.includes(before[1]), 'the other worker lives on');
  for (let i = 0; i < 20; i++) assert.equal((await stage.http('/healthz')).status, 200); // the kernel spreads them over both
});

test('a worker that dies again and again is started with growing pauses', async (t) => {
  const stage = await Stage.open(t);
  for (let round = 0; round < 4; round++) {
    const [pid] = await until(async () => {
      const now = await stage.workers();
      return now.length === 1 && now;
    }, 'a worker');
    process.kill(pid, 'SIGKILL');
    await stage.logged(new RegExp(`worker_died worker=0 pid=${pid} `));
  }
  await until(async () => (await stage.workers()).length === 1, 'a worker');
  const pauses = [...stage.log.matchAll(/again_in_ms=(\d+)/g)].map((m) => Number(m[1]));
  assert.equal(pauses[0], 0);
  assert.equal(pauses.length, 4);
});

test('who is dead is not counted while its place is empty', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const workers = stage.metric('newswire_workers');
  await workers.becomes(2);
  const [, other] = await stage.workers();
  for (let pause = 0; pause < 2000;) {
    const victim = await until(async () => (await stage.workers()).find((pid) => pid !== other), 'a worker in the other place');
    process.kill(victim, 'SIGKILL');
    pause = Number((await stage.logged(new RegExp(`worker_died worker=\\d pid=${victim} .*again_in_ms=(\\d+)`)))[1]);
  }
  // The kernel gives connections to the empty place, too, where they wait.
  await until(async () => (await Promise.race(Array.from({ length: 8 }, () => workers.read()))) === 1, 'one worker to be left');
  await workers.becomes(2);
});

test('a private Redis that is killed comes back with what it held', async (t) => {
  const stage = await Stage.open(t);
  await stage.redis.set('kept', 'yes');
  const before = await stage.redisPid();
  process.kill(before, 'SIGKILL');
  await until(async () => { const now = await stage.redisPid(); return now && now !== before; }, 'another Redis');
  await until(async () => (await stage.redis.get('kept').catch(() => '')) === 'yes', 'the key that was set');
  assert.equal((await stage.workers()).length, 1, 'the worker lived on');
});

test('with --redis it starts none of its own, and waits for one that is away', async (t) => {
  const store = await Store.open(t);
  await store.kill();
  const dir = await directory(t);
  const opening = Stage.open(t, { store, dir, workers: 2 });
  await until(() => existsSync(join(dir, 'publish.key')), 'the state directory to be made');
  assert.ok(!existsSync(join(dir, 'newswired.json')), 'not announced before readers can be served');
  await store.start();
  const stage = await opening;
  assert.equal(stage.state.redis, store.address);
  assert.equal((await stage.children()).length, 2);
  assert.ok(!existsSync(join(dir, 'redis.sock')));
});

test('readers are told goodbye before it ends', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const readers = [];
  for (let i = 0; i < 6; i++) readers.push(await stage.reader({ channels: ['world'] }));
  assert.equal(await stage.stop('SIGTERM'), 0);
  for (const reader of readers) {
    assert.equal((await reader.type('bye')).reason, 'drain');
    assert.equal((await reader.ends()).code, 1001);
  }
});

test('kill -9 of the first process takes everything along, and the next start finds its way', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const children = await stage.children();
  assert.equal(children.length, 3);
  await stage.redis.set('kept', 'yes');
  await stage.stop('SIGKILL');
  await stage.start(); // at once: it waits for what is still dying, then removes the stale newswired.json
  for (const pid of children) await until(() => isOver(pid), `process ${pid} to be over`);
  await until(async () => (await stage.redis.get('kept').catch(() => '')) === 'yes', 'the key that was set');
});
