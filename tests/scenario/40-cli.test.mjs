// The program newswire against the real server: publish by every way in, tail through faults, feed.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Stage, Store, item, program, sample, until } from './stage.mjs';

const samples = join(dirname(fileURLToPath(import.meta.url)), '../samples');

/** One run of newswire. out, err: what it wrote so far; lines: of stdout; code: once it has ended. */
class Cli {
  constructor(t, args, { dir = '/nonexistent', env = {}, input } = {}) {
    Object.assign(this, { out: '', err: '', code: null });
    this.child = spawn(program('newswire'), args, {
      env: { ...process.env, NEWSWIRE_STATE_DIR: dir, NEWSWIRE_KEY: '', ...env }, stdio: 'pipe' });
    this.child.stdout.setEncoding('utf8').on('data', (data) => { this.out += data; });
    this.child.stderr.setEncoding('utf8').on('data', (data) => { this.err += data; });
    this.child.stdin.on('error', () => {});
    this.child.stdin.end(input ?? '');
    this.ended = once(this.child, 'close').then(([code]) => { this.code = code; return this; });
    t.after(async () => {
      if (this.code === null) this.child.kill();
      await this.ended;
      assert.doesNotMatch(this.err, /Sanitizer|runtime error/);
    });
  }
  get lines() { return this.out.split('\n').slice(0, -1); }
  get messages() { return this.lines.map((line) => JSON.parse(line)); }
  get posts() { return this.messages.filter((m) => m.type === 'post'); }
  says(pattern) { return until(() => this.err.match(pattern), `${pattern} on stderr; it says ${this.err}`); }
  prints(pattern) { return until(() => this.out.match(pattern), `${pattern} on stdout; it says ${this.out}${this.err}`); }
}

const runs = (t, stage, ...args) => new Cli(t, args, { dir: stage.dir }).ended;
const tails = async (t, stage, ...args) => {
  const tail = new Cli(t, ['tail', '--json', ...args], { dir: stage.dir });
  await tail.prints(/"type":"hello"/);
  return tail;
};

/** Items as files in a directory of their own. */
async function files(t, ...items) {
  const dir = await mkdtemp(join(tmpdir(), 'nw-items-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return Promise.all(items.map(async (one, i) => {
    const path = join(dir, `${i}.json`);
    await writeFile(path, typeof one === 'string' ? one : JSON.stringify(one));
    return path;
  }));
}

test('an item is published over HTTP to the server on this machine, and its receipt is shown', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['news'] });
  const run = await runs(t, stage, 'publish', join(samples, '03-flash.json'));
  assert.match(run.out, /^sent urn:newsml:wire\.example:20260110:quake-vand version 1 publish id \d+-\d+ \(fsync\)\n$/);
  assert.equal(run.code, 0);
  assert.equal((await reader.hasRead(1))[0].class, 'flash');
});

test('each of several items gets its line, in their order, and the worst decides the exit status', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const [first, third, second, held, broken] = await files(t,
    item({ uri: 'urn:a' }), item({ uri: 'urn:a', version: '3' }), item({ uri: 'urn:a', version: '2' }),
    item({ uri: 'urn:h', embargoedUntil: new Date(Date.now() + 3600e3).toISOString() }), '{"uri":');
  const run = await runs(t, stage, 'publish', '--channel', 'world,sport', first, third, third, second, held);
  assert.deepEqual(run.lines.map((line) => line.split(' ').slice(0, 4).join(' ')), ['sent urn:a version 1',
    'sent urn:a version 3', 'duplicate urn:a version 3', 'stale urn:a version 2', 'held urn:h version 1']);
  assert.equal(run.code, 4);
  const [, correction] = await reader.hasRead(2);
  assert.equal(correction.action, 'correct');
  assert.deepEqual(['world', 'sport'].filter((c) => correction.channels.includes(c)), ['world', 'sport']);

  const refused = await runs(t, stage, 'publish', broken, first);
  assert.match(refused.err, /^newswire: refused .*4\.json: \S+/);
  assert.match(refused.out, /^stale urn:a version 1/);
  assert.equal(refused.code, 1);
});

test('an item may come from standard input, and the key from a file or the environment', async (t) => {
  const stage = await Stage.open(t);
  const [key, wrong] = await files(t, `${stage.key}\nnot this\n`, 'wrong\n');
  const input = JSON.stringify(item({ uri: 'urn:stdin' }));
  const publish = async (args, env) => new Cli(t, ['publish', '--to', stage.url, ...args, '-'], { env, input }).ended;
  assert.match((await publish(['--key', key])).out, /^sent urn:stdin /);
  assert.match((await publish([], { NEWSWIRE_KEY: stage.key })).out, /^duplicate urn:stdin /);
  for (const refused of [await publish(['--key', wrong]), await publish([])]) {
    assert.match(refused.err, /refused -: unauthorized/);
    assert.equal(refused.code, 1);
    assert.equal(refused.out, '');
  }
});

test('through Redis an item is heard, and nobody calls that sent', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const reader = await stage.reader({ channels: ['world'] });
  const args = ['publish', '--to', stage.state.redis, '-c', 'world', join(samples, '01-story.json')];
  const run = await new Cli(t, args).ended;
  assert.match(run.out, /^handed over .* on world: heard by 2 listeners; no receipt, Redis pub\/sub is not durable\n$/);
  assert.equal(run.code, 0);
  await reader.hasRead(1);
});

test('through a Redis to which nobody listens an item is lost, and that is said', async (t) => {
  const store = await Store.open(t);
  const run = await new Cli(t, ['publish', '--to', store.address, join(samples, '01-story.json')]).ended;
  assert.match(run.err, /not heard: .* heard by 0 listeners/);
  assert.equal(run.out, '');
  assert.equal(run.code, 1);
  const [broken] = await files(t, '{"uri":"urn:a",}');
  const check = await new Cli(t, ['publish', '--to', store.address, broken]).ended;
  assert.match(check.err, /not JSON: line 1/);
  assert.equal(check.code, 1);
});

test('through the inbox an item is queued, published once a server runs, and nobody calls that sent', async (t) => {
  const store = await Store.open(t);
  const [broken] = await files(t, '{"uri":"urn:a",}');
  const run = await new Cli(t, ['publish', '--to', store.address, '--inbox', '-c', 'world,sport', join(samples, '01-story.json'), broken]).ended;
  assert.match(run.out, /^queued \S+01-story\.json as \d+-\d+: not decided yet\n$/);
  assert.match(run.err, /not JSON: line 1/);
  assert.equal(run.code, 1);
  await Stage.open(t, { store });
  await until(async () => (await store.redis.xlen('{newswire}:wire')) === 1, 'it to be published');
  assert.equal(await store.redis.xlen('{newswire}:inbox'), 0);
  assert.match(await store.redis.hget('{newswire}:item:urn:newsml:wire.example:20260110:harbour-ferry-41', 'channels'), /sport .*world/);
});

test('a server that comes back within the patience gets the item; one that stays away is named', async (t) => {
  const stage = await Stage.open(t);
  const { port } = stage.state;
  await stage.stop();
  const args = ['publish', '--to', stage.url, join(samples, '01-story.json')];
  const away = await new Cli(t, [...args, '--patience', '0']).ended;
  assert.match(away.err, new RegExp(`not sent .*cannot connect to 127\\.0\\.0\\.1:${port}`));
  assert.equal(away.code, 3);
  const waiting = new Cli(t, args, { env: { NEWSWIRE_KEY: stage.key } });
  await waiting.says(/trying again/);
  stage.options.port = port;
  await stage.start();
  await waiting.ended;
  assert.match(waiting.out, /^sent urn:newsml:wire\.example:20260110:harbour-ferry-41 version 1 publish /);
  assert.equal(waiting.code, 0);
});

test('whatever answers on the port, an item is sent only if a receipt says so', async (t) => {
  let answer;
  const impostor = http.createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(...answer).end('{"items":[]}'));
  }).listen(0, '127.0.0.1');
  await once(impostor, 'listening');
  t.after(() => impostor.close());
  const to = `http://127.0.0.1:${impostor.address().port}`;
  for (const [status, headers] of [[200, {}], [201, { 'content-type': 'application/json' }], [302, { location: '/v1/feed' }]]) {
    answer = [status, headers];
    const run = await new Cli(t, ['publish', '--to', to, join(samples, '01-story.json')], { env: { NEWSWIRE_KEY: 'k' } }).ended;
    assert.equal(run.out, '');
    assert.match(run.err, /refused/);
    assert.equal(run.code, 1);
  }
});

test('a wrong command line ends with status 2 and says what is wrong', async (t) => {
  const stage = await Stage.open(t);
  for (const [args, complaint] of [
    [['publish'], /which file/],
    [['publish', '-c', 'feed:all', 'x'], /no channel to publish on: feed:all/],
    [['publish', '--to', 'gopher://x', join(samples, '01-story.json')], /cannot be used/],
    [['publish', '--to', stage.state.redis, '-c', 'a,b', 'x'], /one channel/],
    [['publish', '--inbox', 'x'], /--inbox needs --to/],
    [['publish', '--inbox', '--to', stage.url, 'x'], /--inbox needs --to/],
    [['publish', '/nonexistent/item.json'], /cannot open it/],
    [['tail', '--since', 'x'.repeat(65)], /cannot be used/],
    [['feed', '--limit', '101'], /1 to 100/],
    [['nonsense'], /no command nonsense/],
  ]) {
    const run = await runs(t, stage, ...args);
    assert.match(run.err, complaint);
    assert.equal(run.code, 2, args.join(' '));
  }
  const none = await new Cli(t, ['tail']).ended;
  assert.match(none.err, /no newswired runs there: \/nonexistent/);
  assert.equal(none.code, 3);
});

test('tail shows news as people read them, and as many as were asked for', async (t) => {
  const stage = await Stage.open(t);
  const tail = new Cli(t, ['tail', '--count', '2', '-c', 'world'], { dir: stage.dir });
  await stage.metric('newswire_readers').reaches(1);
  await stage.publish(sample(3), 'world');
  await tail.prints(/EARTHQUAKE/); // a kill that comes within the same tick would take its text before it went out
  await stage.publish(sample(5), 'world');
  await tail.ended;
  assert.equal(tail.code, 0);
  assert.match(tail.out, /^2026-01-10 11:02:07Z {2}FLASH {5}STRONG EARTHQUAKE SHAKES VAND/);
  assert.match(tail.out, /KILL {6}This report has been withdrawn/);
  assert.match(tail.err, /to go on from here: --since \w+:\d+-\d+/);
});

test('tail goes on where it was after the server restarted: nothing missing, nothing twice', async (t) => {
  const stage = await Stage.open(t);
  const tail = await tails(t, stage, '-c', 'world');
  await stage.post(item({ uri: 'urn:before' }), { channels: 'world' });
  await until(() => tail.posts.length === 1, 'the first post');
  stage.options.port = stage.state.port;
  await stage.stop();
  await tail.says(/no link, trying again/);
  await stage.start();
  await stage.post(item({ uri: 'urn:after' }), { channels: 'world' });
  await until(() => tail.posts.length === 2, 'the second post');
  assert.deepEqual(tail.posts.map((p) => p.item.uri), ['urn:before', 'urn:after']);
  assert.equal(tail.messages.filter((m) => m.type === 'hello').at(-1).resumed, true);
  await tail.says(/live again/);
});

test('tail survives a worker that is killed', async (t) => {
  const stage = await Stage.open(t);
  const tail = await tails(t, stage);
  await stage.post(item({ uri: 'urn:1' }));
  await until(() => tail.posts.length === 1, 'the first post');
  process.kill((await stage.workers())[0], 'SIGKILL');
  await tail.says(/live again/);
  await stage.post(item({ uri: 'urn:2' }));
  await until(() => tail.posts.length === 2, 'the second post');
  assert.deepEqual(tail.posts.map((p) => p.item.uri), ['urn:1', 'urn:2']);
});

test('one tail goes on where another ended', async (t) => {
  const stage = await Stage.open(t);
  const first = new Cli(t, ['tail', '-n', '1'], { dir: stage.dir });
  await stage.metric('newswire_readers').reaches(1);
  await stage.post(item({ uri: 'urn:1' }));
  await first.ended;
  const [, cursor] = await first.says(/--since (\S+)/);
  await stage.post(item({ uri: 'urn:2' }));
  const second = await new Cli(t, ['tail', '--json', '-n', '1', '--since', cursor], { dir: stage.dir }).ended;
  assert.deepEqual(second.posts.map((p) => p.item.uri), ['urn:2']);
});

test('the largest item arrives whole', async (t) => {
  const stage = await Stage.open(t, { 'max-item': '4m' });
  const tail = await tails(t, stage, '-n', '1');
  const body = 'Ліхтарі '.repeat(250000);
  const [large] = await files(t, item({ uri: 'urn:large', body }));
  assert.match((await runs(t, stage, 'publish', large)).out, /^sent urn:large/);
  await tail.ended;
  assert.ok(tail.posts[0].item.bodies[0].value === body, 'whole'); // too long to be shown
});

test('an item that is too large is refused with the limit named', async (t) => {
  const stage = await Stage.open(t);
  const [large] = await files(t, item({ uri: 'urn:large', body: 'x'.repeat(300000) }));
  const run = await runs(t, stage, 'publish', large);
  assert.match(run.err, /refused .*too_large.*262144/);
  assert.equal(run.code, 1);
});

test('a subscription that the server refuses ends tail', async (t) => {
  const stage = await Stage.open(t);
  const run = await runs(t, stage, 'tail', '-c', 'NOT/A/CHANNEL');
  assert.match(run.err, /refused \(\d+\)/);
  assert.equal(run.code, 1);
});

test('Ctrl-C ends tail in peace, and so does a reader of its output who has had enough', async (t) => {
  const stage = await Stage.open(t);
  const tail = await tails(t, stage);
  tail.child.kill('SIGINT');
  await tail.ended;
  assert.equal(tail.code, 0);
  const cut = await tails(t, stage);
  cut.child.stdout.destroy();
  await stage.post(item());
  await cut.ended;
  assert.equal(cut.code, 0);
});

test('feed lists a page, and the page before it', async (t) => {
  const stage = await Stage.open(t);
  for (let i = 1; i <= 5; i++) await stage.post(item({ uri: `urn:${i}` }), { channels: 'world' });
  const uris = (run) => run.messages[0].items.map((p) => p.item.uri);
  const page = await runs(t, stage, 'feed', '-c', 'world', '--limit', '3', '--json');
  assert.deepEqual(uris(page), ['urn:5', 'urn:4', 'urn:3']);
  const older = await runs(t, stage, 'feed', '-c', 'world', '-n', '3', '--json', '--before', page.messages[0].before);
  assert.deepEqual(uris(older), ['urn:2', 'urn:1']);

  const human = await runs(t, stage, 'feed', '-c', 'world', '-n', '3');
  assert.match(human.out, /REGULAR {3}Story \d+\n +publish · urn:5 version 1 · world\n/);
  const [, before] = await human.says(/--before (\S+)/);
  assert.equal(before, page.messages[0].before);
  const nothing = await runs(t, stage, 'feed', '-c', 'sport');
  assert.match(nothing.err, /nothing there/);
  assert.equal(nothing.code, 0);
});

test('the version is that of the server', async (t) => {
  const run = await new Cli(t, ['--version']).ended;
  assert.match(run.out, /^newswire \d+\.\d+\.\d+\n$/);
  assert.equal(run.code, 0);
});
