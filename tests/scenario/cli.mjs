// cli.mjs - runs of the program newswire, on pipes or on a terminal.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { program, until } from './stage.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const environment = (dir, env) => {
  const all = { ...process.env, NEWSWIRE_STATE_DIR: dir, NEWSWIRE_KEY: '', TERM: 'xterm-256color', ...env };
  delete all.NO_COLOR;
  return { ...all, ...(env.NO_COLOR ? { NO_COLOR: env.NO_COLOR } : {}) };
};

/** One run of newswire. out, err: what it wrote so far; lines: of stdout; code: once it has ended. */
export class Cli {
  constructor(t, args, { dir = '/nonexistent', env = {}, ...options } = {}) {
    Object.assign(this, { out: '', err: '', code: null });
    this.child = this.start(args, environment(dir, env), options);
    this.child.stdout.setEncoding('utf8').on('data', (data) => { this.out += data; });
    this.child.stderr.setEncoding('utf8').on('data', (data) => { this.err += data; });
    this.ended = once(this.child, 'close').then(([code]) => { this.code = code; return this; });
    t.after(async () => {
      if (this.code === null) this.child.kill();
      await this.ended;
      assert.doesNotMatch(this.err + this.out, /Sanitizer|runtime error/);
    });
  }
  start(args, env, { input } = {}) {
    const child = spawn(program('newswire'), args, { env, stdio: 'pipe' });
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
    return child;
  }
  get lines() { return this.out.split('\n').slice(0, -1); }
  says(pattern) { return until(() => this.err.match(pattern), `${pattern} on stderr; it says ${this.err}`); }
  prints(pattern) { return until(() => this.out.match(pattern), `${pattern} on stdout; it says ${this.out}${this.err}`); }
}

/** One run on a terminal: out is all that was shown there. modes: how the terminal was left, once it has ended. */
export class Terminal extends Cli {
  start(args, env, { rows = 24, cols = 80, command = [program('newswire')] } = {}) {
    const child = spawn('python3', [join(here, 'terminal.py'), String(rows), String(cols), ...command, ...args],
      { env, stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {});
    child.stdio[3].on('error', () => {});
    this.modes = '';
    child.stdio[4].setEncoding('utf8').on('data', (data) => { this.modes += data; });
    return child;
  }
  type(text) { this.child.stdin.write(text); }
  resize(rows, cols) { this.child.stdio[3].write(`${rows} ${cols}\n`); }
  /** What was shown since the mark was set. */
  mark() { this.from = this.out.length; }
  get since() { return this.out.slice(this.from ?? 0); }
}

/** Files in a directory of their own. */
export async function files(t, ...items) {
  const dir = await mkdtemp(join(tmpdir(), 'nw-items-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return Promise.all(items.map(async (one, i) => {
    const path = join(dir, `${i}.json`);
    await writeFile(path, typeof one === 'string' ? one : JSON.stringify(one));
    return path;
  }));
}

/** A server that answers nonsense: each kind by its name, at the address it returns. */
export async function impostor(t, kind) {
  const answers = {
    html: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>It works!</h1>'),
    json: (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"hello":"world"}'),
    broken: (response) => response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Oops</h1>'),
    redirect: (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    half: (response) => { response.writeHead(200, { 'content-length': 1000 }).write('{"ent'); setImmediate(() => response.destroy()); },
    nothing: (response) => response.destroy(),
  };
  const server = kind === 'noise'
    ? net.createServer((socket) => { socket.on('error', () => {}); socket.end('\x00\xff\x13noise\r\n\r\n'); })
    : http.createServer((request, response) => { request.resume().on('end', () => answers[kind](response)); });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections?.(); server.close(); });
  return `http://127.0.0.1:${server.address().port}`;
}
