// What a worker keeps has a bound: answers that are asked for and not taken, and the sum of everything.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import net from 'node:net';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Stage, buildDir, item, until } from './stage.mjs';

const MIB = 2 ** 20;
const sanitized = /^NEWSWIRE_SANITIZE:STRING=./m.test(readFileSync(join(buildDir, 'CMakeCache.txt'), 'utf8')) && 'a sanitizer keeps what was freed';
const waiting = (stage) => stage.metric('newswire_answers_waiting_bytes').read();
const cut = (stage) => stage.metric('newswire_answers_cut_total').read();

/** So many stories of 200 KB. */
async function publish(stage, count) {
  for (let n = 0; n < count; n += 10) {
    const stories = Array.from({ length: 10 }, (_, i) => item({ body: `${n + i} `.padEnd(200000, 'x') }));
    assert.equal((await stage.post(stories, { channels: 'world' })).status, 200);
  }
}

/** The paths of so many pages of nearly 4 MiB, each another one. */
async function pages(stage, count, channel = 'world') {
  const paths = [`/v1/feed?channels=${channel}&limit=20`];
  for (let before; paths.length < count;) {
    ({ body: { before } } = await stage.http(`/v1/feed?channels=${channel}&limit=1${before ? `&before=${before}` : ''}`));
    paths.push(`${paths[0]}&before=${before}`);
  }
  return paths;
}

/** Who asks, and takes nothing of the answer until it goes on. */
class Stuck {
  constructor(stage, path) {
    this.bytes = 0;
    this.socket = net.connect({ port: stage.state.port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('error', (error) => { this.error = error; });
    this.socket.on('close', () => { this.closed = true; });
    this.socket.on('end', () => { this.ended = true; this.socket.end(); });
    this.socket.pause();
    this.socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  }
  leaves() { this.socket.destroy(); }
  /** How long the answer is, and how much of it came before the end. */
  async takes() {
    const parts = [];
    this.socket.on('data', (data) => parts.push(data)).resume();
    await until(() => this.closed, 'the end of an answer');
    const all = Buffer.concat(parts), head = all.indexOf('\r\n\r\n') + 4;
    return { length: Number(/content-length: (\d+)/.exec(all.subarray(0, head).toString())?.[1]), body: all.subarray(head) };
  }
}

/** They ask one after the other, so that each has its answer, or as much of it as there is room for, before the next. */
async function stuckAt(stage, paths) {
  const all = [];
  for (const path of paths) {
    const before = await waiting(stage) + await cut(stage);
    all.push(new Stuck(stage, path));
    await until(async () => (await waiting(stage)) + (await cut(stage)) !== before, 'one more answer to wait');
  }
  return all;
}

test('answers that nobody takes have a bound: some are cut off, the others get them whole', async (t) => {
  const stage = await Stage.open(t, { 'answer-memory': '16m' });
  await publish(stage, 40);
  const paths = await pages(stage, 12);
  const stuck = await stuckAt(stage, paths);
  assert.ok((await waiting(stage)) > 10 * MIB && (await waiting(stage)) <= 16 * MIB, `${await waiting(stage)} bytes wait`);
  assert.ok((await cut(stage)) >= 6);
  assert.equal((await stage.http(paths[0])).body.items.length, 20, 'who reads is answered');
  const got = await Promise.all(stuck.map((one) => one.takes()));
  const whole = got.filter(({ length, body }) => body.length === length);
  for (const { body } of whole) assert.equal(JSON.parse(body).items.length, 20);
  assert.ok(whole.length >= 2, `${whole.length} got it whole`);
  assert.equal(await cut(stage), stuck.length - whole.length, 'the others were cut off, and counted');
  await stage.metric('newswire_answers_waiting_bytes').becomes(0);
});

test('many who wait for the same answer cost as much as one', async (t) => {
  const stage = await Stage.open(t);
  await publish(stage, 20);
  const [path] = await pages(stage, 1);
  const stuck = Array.from({ length: 20 }, () => new Stuck(stage, path));
  await stage.metric('newswire_http_requests_total').reaches(20);
  await until(async () => (await waiting(stage)) > 0, 'answers to wait');
  const got = [];
  for (const one of stuck) {
    assert.ok((await waiting(stage)) < 5 * MIB, `${await waiting(stage)} bytes wait`);
    got.push(await one.takes());
  }
  for (const { length, body } of got) assert.equal(body.length, length);
  await stage.metric('newswire_answers_waiting_bytes').becomes(0);
});

/** Bytes of the one worker, now. */
async function resident(stage) {
  const [pid] = await stage.workers();
  return Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]) * 4096;
}

/** From now on the most that the one worker has had. Answers that nobody takes end after 15 s: on a slow machine the first are gone before the last are there. */
async function peak(stage) {
  const [pid] = await stage.workers();
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  return async () => Number(/VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

test('the bound is what holds memory: where it is high, answers take what they will', { skip: sanitized }, async (t) => {
  const grown = [];
  for (const bound of ['16m', '1g']) {
    const stage = await Stage.open(t, { 'answer-memory': bound });
    await publish(stage, 50);
    const paths = await pages(stage, 30);
    const before = await resident(stage), most = await peak(stage);
    const stuck = await stuckAt(stage, paths);
    grown.push((await most() - before) / MIB);
    stuck.forEach((one) => one.leaves());
  }
  assert.ok(grown[0] < 50 && grown[1] > 60, `${grown.map(Math.round).join(' and ')} MiB`);
});

const readersOf = (stage) => Array.from({ length: 64 }, (_, n) => stage.reader({ channels: [`c${n}`] }));

/** Each reader stands still at stories of its own. */
async function fillBacklog(stage) {
  for (const [n, reader] of (await Promise.all(readersOf(stage))).entries()) {
    reader.stopReading();
    const stories = Array.from({ length: 4 }, (_, i) => item({ body: `${n} ${i} `.padEnd(250000, 'x') }));
    assert.equal((await stage.post(stories, { channels: `c${n}` })).status, 200);
  }
}

/** Requests whose last byte does not come. */
async function fillBodies(stage) {
  const all = [];
  const body = Buffer.alloc(4 * MIB, ' ');
  for (let n = 0; n < 31; n++) {
    const socket = net.connect({ port: stage.state.port, host: '127.0.0.1' });
    socket.on('error', () => {});
    all.push(socket);
    socket.write(`POST /v1/items?channels=world HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${stage.key}\r\n` +
      `content-type: application/x-ndjson\r\ncontent-length: ${body.length}\r\n\r\n`);
    await new Promise((sent) => { socket.write(body.subarray(1), sent); });
  }
  return all;
}

test('a worker that is full in every way stays below what its options say, and that is no fancy', { skip: sanitized }, async (t) => {
  const options = { 'max-readers': 64, backlog: '64m', 'lag-memory': '16m', 'answer-memory': '64m', sndbuf: '16k', tick: '60s' };
  const stage = await Stage.open(t, options);
  const limit = await stage.metric('newswire_memory_limit_bytes').read();
  const said = execFileSync(stage.program, ['--print-config', ...stage.args], { encoding: 'utf8' });
  assert.equal(Number(/^# +together +([\d.]+) MiB$/m.exec(said)[1]), Math.round(limit / MIB * 10) / 10);
  const seen = [], parts = [];
  const look = async (what) => {
    seen.push(await resident(stage));
    assert.ok(seen.at(-1) < limit, `${what}: ${seen.at(-1)} of ${limit}`);
  };
  await fillBacklog(stage);
  await look('backlog, readers');
  for (const name of ['newswire_backlog_bytes', 'newswire_waiting_bytes']) parts.push(await stage.metric(name).read());
  const stuck = await stuckAt(stage, await pages(stage, 20, 'feed:all'));
  parts.push(await waiting(stage));
  await look('answers');
  const bodies = await fillBodies(stage);
  await look('bodies');
  stuck.forEach((one) => one.leaves());
  bodies.forEach((socket) => socket.destroy());
  assert.ok(seen.at(-1) > limit / 3, `${seen.at(-1)} of ${limit}`);
  parts.forEach((bytes, i) => {
    const most = [64, 16, 64][i] * MIB;
    assert.ok(bytes <= most && bytes > most / 2, `${['backlog', 'readers', 'answers'][i]}: ${bytes} of ${most}`);
  });
});
