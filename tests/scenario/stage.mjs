// stage.mjs - a newswired of its own for one scenario, with readers, a desk and faults; all real.
//
//   const stage = await Stage.open(t, { workers: 2 });        options are newswired's, camelCase or dashed
//   const reader = await stage.reader({ channels: ['world'] });
//   await stage.publish(stage.item({ headline: 'Rain' }), 'world');      Redis PUBLISH, as a newsroom tool does
//   await reader.hasRead(1);
//
// Everything waits for a condition, never for a while. Ports and directories come from the system; what was started is
// ended by its id when the test ends (t.after).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { readFileSync, existsSync, openSync, writeSync, closeSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve, dirname } from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import Redis from 'ioredis';
import WebSocket from 'ws';

const here = dirname(fileURLToPath(import.meta.url));
export const buildDir = resolve(process.env.NEWSWIRE_BUILD ?? join(here, '../../build'));
export const program = (name) => join(buildDir, name);
/** Who has lost a server tries again within 30 s. */
export const PATIENCE_MS = Number(process.env.NEWSWIRE_PATIENCE_MS ?? 40000);

/** With NEWSWIRE_TLS, a directory of certificates.mjs, every newswired speaks TLS (and Node must be told to trust it: NODE_EXTRA_CA_CERTS). */
const sealed = process.env.NEWSWIRE_TLS
  ? { 'tls-cert': join(process.env.NEWSWIRE_TLS, 'cert.pem'), 'tls-key': join(process.env.NEWSWIRE_TLS, 'key.pem') } : {};

/** Waits until look() gives something true, and returns it. */
export async function until(look, what, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`waited ${patience} ms for: ${what}`);
    await new Promise((go) => setImmediate(() => setTimeout(go, 5)));
  }
}

/** A sample item of tests/samples by its number, changed by `changes`. */
export function sample(number, changes = {}) {
  const names = { 1: '01-story', 2: '02-video', 3: '03-flash', 4: '04-correction-of-01', 5: '05-kill-of-03',
    6: '06-embargo', 7: '07-no-headline', 8: '08-superdesk-dialect' };
  const text = readFileSync(join(here, '../samples', `${names[number]}.json`), 'utf8');
  return { ...JSON.parse(text), ...changes };
}

let serial = 0;
/** A small item of our own; `headline` and `body` are put where ninjs 3.1 wants them. */
export function item({ headline, body, uri, version = '1', ...rest } = {}) {
  serial += 1;
  return {
    uri: uri ?? `urn:newsml:stage.example:${process.pid}:${serial}`, version, type: 'text',
    versionCreated: new Date(Date.UTC(2026, 0, 10) + serial * 1000).toISOString(),
    headlines: [{ role: 'main', value: headline ?? `Story ${serial}` }],
    ...(body === undefined ? {} : { bodies: [{ role: 'main', contentType: 'text/plain', value: body }] }),
    ...rest,
  };
}

/** One WebSocket reader. messages: all that came, in order; posts: those of type post. */
export class Reader {
  constructor(url, { protocol = 'newswire.v1', ...options } = {}) {
    this.messages = [];
    this.socket = new WebSocket(url, protocol === null ? [] : protocol, { perMessageDeflate: false, ...options });
    this.closed = null; // {code, reason}
    this.socket.on('message', (data, isBinary) => this.messages.push(isBinary ? data : JSON.parse(data.toString())));
    this.socket.on('close', (code, reason) => { this.closed = { code, reason: reason.toString() }; });
    this.socket.on('error', (error) => { this.error = error; });
    this.socket.on('unexpected-response', (request, response) => {
      this.refused = response.statusCode;
      this.socket.terminate();
    });
  }
  get posts() { return this.messages.filter((m) => m.type === 'post'); }
  get cursor() { return this.messages.filter((m) => m.cursor).at(-1)?.cursor; }
  /** The first message (from now or before) for which test() is true. */
  saw(test, what = 'a message') {
    return until(() => {
      const m = this.messages.find(test);
      if (!m && this.closed) throw new Error(`closed (${JSON.stringify(this.closed)}) while waiting for ${what}`);
      return m;
    }, what);
  }
  type(type) { return this.saw((m) => m.type === type, `a message of type ${type}`); }
  /** Exactly n posts have come; returns them. */
  async hasRead(n) {
    await until(() => this.posts.length >= n, `${n} posts (have ${this.posts.length})`).catch((e) => {
      throw new Error(`${e.message}; have ${this.posts.length}${this.closed ? `, closed ${this.closed.code}` : ''}`);
    });
    if (this.posts.length > n) throw new Error(`${this.posts.length} posts instead of ${n}`);
    return this.posts;
  }
  /** A round trip: whatever the server wrote to us before has arrived. */
  async settled() {
    const before = this.messages.filter((m) => m.type === 'tick').length;
    this.send({ type: 'ping' });
    await until(() => this.messages.filter((m) => m.type === 'tick').length > before, 'the answer to a ping');
  }
  send(message) { this.socket.send(typeof message === 'string' ? message : JSON.stringify(message)); }
  stopReading() { this.socket._socket.pause(); }
  goOnReading() { this.socket._socket.resume(); }
  async ends() { return until(() => this.refused ?? this.closed, 'the end of the connection'); }
  close() { this.socket.terminate(); }
}

/** A real Redis of our own, for several nodes or for faults. */
export class Store {
  static async open(t, args = [], env = {}) {
    const store = new Store();
    store.env = env;
    store.dir = await mkdtemp(join(tmpdir(), 'nw-redis-'));
    store.path = join(store.dir, 'redis.sock');
    store.args = args;
    t.after(() => store.close());
    await store.start();
    return store;
  }
  get address() { return `unix:${this.path}`; }
  async start() {
    // A file that may not grow (chaos' full disk) is an error of the write, as a full disk is, and no signal.
    this.child = spawn('sh', ['-c', 'trap "" XFSZ; exec redis-server "$@"', 'sh', '--port', '0', '--unixsocket', this.path, '--unixsocketperm', '600', '--dir', this.dir,
      '--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--daemonize', 'no', ...this.args], { stdio: 'ignore', env: { ...process.env, ...this.env } });
    this.redis ??= connect(this.path);
    await until(async () => (await this.redis.ping().catch(() => '')) === 'PONG', 'Redis to answer');
  }
  async kill(signal = 'SIGKILL') {
    this.child.kill(signal);
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }
  async close() {
    this.redis?.disconnect();
    if (this.child.exitCode === null && this.child.signalCode === null) await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** A wall clock that the test sets, for programs that are started with `env`. */
export class WallClock {
  static async open(t) {
    const clock = new WallClock();
    const dir = await mkdtemp(join(tmpdir(), 'nw-clock-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    clock.path = join(dir, 'skew');
    clock.jump(0);
    clock.env = { LD_PRELOAD: program('skewed_clock.so'), SKEWED_CLOCK: clock.path,
      ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0` };
    return clock;
  }
  /** Ahead of the real time by so many ms, at once. */
  jump(ms) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(ms));
    const file = openSync(this.path, existsSync(this.path) ? 'r+' : 'w'); // in place: it is mapped
    writeSync(file, bytes, 0, 8, 0);
    closeSync(file);
  }
}

function connect(path) {
  const redis = new Redis({ path, lazyConnect: false, retryStrategy: () => 50, maxRetriesPerRequest: 200 });
  redis.on('error', () => {});
  return redis;
}

export class Stage {
  static item = item;
  item = item;

  /** Starts newswired. options: {workers: 2, tick: '1s', …}, undefined for none; program: another newswired; store: a Store to use instead of a private Redis. */
  static async open(t, { store, env = {}, dir, program: file = program('newswired'), ...options } = {}) {
    const stage = new Stage();
    stage.program = file;
    stage.options = { port: 0, workers: 1, bind: '127.0.0.1', tick: '1s', 'drain-time': '200ms', ...sealed, ...options };
    stage.env = env;
    stage.store = store;
    stage.ownDir = dir === undefined;
    stage.dir = dir ?? await mkdtemp(join(tmpdir(), 'nw-stage-'));
    stage.readers = [];
    t.after(() => stage.close());
    await stage.start();
    return stage;
  }

  get args() {
    const args = Object.entries(this.options).filter(([, value]) => value !== undefined).map(([name, value]) =>
      `--${name.replace(/[A-Z]|_/g, (c) => (c === '_' ? '-' : `-${c.toLowerCase()}`))}=${value}`);
    args.push(`--state-dir=${this.dir}`);
    if (this.store) args.push(`--redis=${this.store.address}`);
    return args;
  }

  async start() {
    this.everLogged = (this.everLogged ?? '') + (this.log ?? ''); // by those before
    this.log = '';
    this.out = '';
    this.child = spawn(this.program, this.args, { env: { ...process.env, ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout.on('data', (data) => { this.out += data; });
    this.child.stderr.on('data', (data) => { this.log += data; });
    const file = join(this.dir, 'newswired.json');
    await until(async () => {
      if (this.child.exitCode !== null) throw new Error(`newswired ended (${this.child.exitCode}):\n${this.out}${this.log}`);
      if (!existsSync(file)) return false;
      const text = await readFile(file, 'utf8').catch(() => ''); // the last one's may vanish meanwhile
      if (!text) return false;
      const state = JSON.parse(text);
      if (state.pid !== this.child.pid) return false;
      this.state = state;
      return true;
    }, 'newswired to be ready');
    this.url = this.state.url.replace(/\/$/, '');
    this.key = (await readFile(join(this.dir, 'publish.key'), 'utf8')).split('\n')[0];
    this.redisPath = this.state.redis.replace(/^unix:/, '');
    this.redis ??= this.store ? this.store.redis : connect(this.redisPath);
    return this;
  }

  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    this.child.kill(signal);
    await once(this.child, 'exit');
    return this.child.exitCode;
  }

  async restart() { await this.stop(); return this.start(); }

  async close() {
    for (const reader of this.readers) reader.close();
    await this.stop('SIGTERM');
    if (!this.store) this.redis?.disconnect();
    // A sanitizer's report is a failure, whatever else the scenario saw, and in whichever of its lives.
    const log = this.everLogged + this.log;
    if (/ERROR: (Address|Leak)Sanitizer|runtime error:/.test(log)) throw new Error(`sanitizer:\n${log}`);
    if (this.ownDir) await rm(this.dir, { recursive: true, force: true });
  }

  /** Process ids of the children: workers by index, and the private Redis. */
  async workers() {
    const pids = [];
    for (const pid of await this.children()) {
      const comm = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
      if (comm && !comm.startsWith('redis')) pids.push(pid);
    }
    return pids;
  }
  /** Of the private Redis; one that is being started is waited for. (A 0 here would make kill() hit the test itself.) */
  redisPid() {
    return until(async () => {
      for (const pid of await this.children())
        if ((await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).startsWith('redis')) return pid;
      return null;
    }, 'the private Redis to run');
  }
  async children() {
    const text = await readFile(`/proc/${this.child.pid}/task/${this.child.pid}/children`, 'utf8').catch(() => '');
    return text.trim().split(/\s+/).filter(Boolean).map(Number);
  }

  streamUrl({ channels, since, class: kind, lang, type, view, readers, ahead } = {}) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ channels, since, class: kind, lang, type, view, readers, ahead }))
      if (value !== undefined) query.set(name, Array.isArray(value) ? value.join(',') : value);
    return `${this.url.replace(/^http/, 'ws')}/v1/stream?${query}`;
  }

  /** A reader that has been said hello to. */
  async reader({ protocol, socket, ...subscription } = {}) {
    const reader = this.connect(subscription, { protocol, ...socket });
    await reader.type('hello');
    return reader;
  }
  /** A reader that has only begun to connect. */
  connect(subscription = {}, options = {}) {
    const reader = new Reader(this.streamUrl(subscription), options);
    this.readers.push(reader);
    return reader;
  }

  /** A connection to it by hand: encrypted, where it speaks TLS. */
  dial(options = {}, open = undefined) {
    const to = { port: this.state.port, host: '127.0.0.1', ...options };
    return this.isSealed ? tls.connect(to, open) : net.connect(to, open);
  }
  get isSealed() { return this.url.startsWith('https:'); }

  /** Redis PUBLISH, as a tool does it. Returns how many heard it. */
  publish(what, channel = 'world') {
    return this.redis.publish(`newswire:in:${channel}`, typeof what === 'string' || Buffer.isBuffer(what) ? what : JSON.stringify(what));
  }

  /** POST /v1/items. Returns {status, body, headers}. */
  post(what, { channels, key = this.key, headers = {} } = {}) {
    const query = channels ? `?channels=${[].concat(channels).join(',')}` : '';
    return this.http(`/v1/items${query}`, {
      method: 'POST', body: typeof what === 'string' || Buffer.isBuffer(what) ? what : JSON.stringify(what),
      headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), 'content-type': 'application/json', ...headers },
    });
  }

  async http(path, init) {
    const response = await fetch(this.url + path, { redirect: 'error', ...init });
    const text = await response.text();
    let body = text;
    if (/[/+]json/.test(response.headers.get('content-type'))) body = JSON.parse(text); // not NDJSON
    return { status: response.status, body, headers: response.headers, text };
  }
  async feed(query = '') { return (await this.http(`/v1/feed${query}`)).body; }

  /** One line of /metrics, summed over the node's processes. */
  metric(line) {
    const read = async () => {
      const { text } = await this.http('/metrics');
      const found = text.split('\n').find((l) => l.startsWith(`${line} `));
      return found === undefined ? undefined : Number(found.split(' ').at(-1));
    };
    return { read, becomes: (n) => until(async () => (await read()) === n, `${line} to be ${n}`),
      reaches: (n) => until(async () => (await read()) >= n, `${line} to reach ${n}`) };
  }

  /** A line of the log that matches. */
  logged(pattern) { return until(() => this.log.match(pattern), `a line of the log like ${pattern}`); }

  /** What was refused, newest first: objects of the fields of {newswire}:rejects. */
  async rejects() {
    const entries = await this.redis.xrevrange('{newswire}:rejects', '+', '-');
    return entries.map(([, f]) => Object.fromEntries(f.flatMap((v, i) => (i % 2 ? [] : [[v, f[i + 1]]]))));
  }
}
