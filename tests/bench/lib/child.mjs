// A child process that speaks JSON, one value a line, and is ended by its own id.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const running = new Set();

// Whatever ends the bench ends its children.
process.on('exit', () => running.forEach((child) => child.process.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

export class Child {
  #waiting = [];
  #heard = [];
  #errors = '';

  // `core` pins it; null lets the kernel choose.
  constructor(core, program, args, { json = true } = {}) {
    const pinned = core === null ? [program, ...args] : ['taskset', '-c', String(core), program, ...args];
    this.name = program.split('/').pop();
    this.process = spawn(pinned[0], pinned.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.pid = this.process.pid;
    this.ended = once(this.process, 'close').then(([code]) => this.#onEnd(code), (error) => this.#onEnd(error.message));
    this.process.stdin.on('error', () => {}); // it ended first
    this.process.stderr.on('data', (text) => { this.#errors = (this.#errors + text).slice(-4000); });
    if (json) createInterface(this.process.stdout).on('line', (line) => this.#hear(JSON.parse(line)));
    else this.process.stdout.on('data', (text) => { this.#errors = (this.#errors + text).slice(-4000); });
    running.add(this);
  }

  say(line) {
    this.process.stdin.write(`${line}\n`);
  }

  // The next line it says, or undefined after `ms`.
  hear(ms = 60_000) {
    if (this.#heard.length > 0) return Promise.resolve(this.#heard.shift());
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      waiter.timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((one) => one !== waiter);
        resolve(undefined);
      }, ms);
      this.#waiting.push(waiter);
      if (!running.has(this)) this.#refuse();
    });
  }

  get alive() {
    return running.has(this);
  }

  // What it said on stderr, for the message of a failure.
  get errors() {
    return this.#errors.trim();
  }

  async stop(signal = 'SIGTERM', patienceMs = 10_000) {
    this.process.stdin.end();
    if (signal) this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill('SIGKILL'), patienceMs);
    await this.ended;
    clearTimeout(timer);
  }

  #hear(value) {
    const waiter = this.#waiting.shift();
    if (!waiter) return void this.#heard.push(value);
    clearTimeout(waiter.timer);
    waiter.resolve(value);
  }

  #refuse() {
    for (const { reject, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      reject(new Error(`${this.name} ended (${this.code})\n${this.errors}`));
    }
  }

  #onEnd(code) {
    this.code = code;
    running.delete(this);
    this.#refuse();
    return code;
  }
}
