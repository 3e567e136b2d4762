// The readers: as many nw-load processes as they need, asked and heard as one.

import { join } from 'node:path';
import { Child } from './child.mjs';
import { merge } from './quantiles.mjs';

const READERS_PER_PROCESS = 15_000;
const CONNECT_MS = 90_000;
const BATCH = 128; // handshakes at once

const sum = (answers, key) => answers.reduce((total, answer) => total + answer[key], 0);

// Each message's first and last reader, whichever process they are in.
function mergedFlights(answers) {
  return answers[0].flights.map((_, i) => {
    const seen = answers.map(({ flights }) => flights[i]).filter(Boolean);
    return seen.length > 0 ? [Math.min(...seen.map(([first]) => first)), Math.max(...seen.map(([, last]) => last))] : null;
  });
}

export class Crowd {
  #loads = []; // { child, port, readers }

  // `channel` is what readers ask for; with `spread` there are so many channels, numbered in place of {}.
  constructor(settings, candidate, { channel, spread }) {
    this.settings = settings;
    this.candidate = candidate;
    this.place = candidate.place(channel);
    this.spread = spread;
  }

  get readers() {
    return this.#loads.reduce((total, load) => total + load.readers, 0);
  }

  get pids() {
    return this.#loads.map(({ child }) => child.pid);
  }

  #open(port) {
    const child = new Child(this.settings.loadCore, join(this.settings.build, 'nw-load'), ['--port', String(port),
      '--speak', this.candidate.speak, '--place', this.place, '--spread', String(this.spread),
      '--base', String(this.#loads.length * READERS_PER_PROCESS)]);
    const load = { child, port, readers: 0 };
    this.#loads.push(load);
    return load;
  }

  // Who takes how many of n more readers of a port.
  #shares(port, n) {
    const shares = [];
    const old = this.#loads.filter((load) => load.port === port && load.readers < READERS_PER_PROCESS);
    for (let left = n; left > 0;) {
      const load = old.shift() ?? this.#open(port);
      const share = Math.min(left, READERS_PER_PROCESS - load.readers);
      shares.push({ load, share });
      left -= share;
    }
    return shares;
  }

  #tell(loads, line, ms) {
    return Promise.all(loads.map(async ({ child }) => {
      child.say(line);
      const answer = await child.hear(ms);
      if (!answer) throw new Error(`${this.candidate.name}: no answer to "${line}"\n${child.errors}`);
      return answer;
    }));
  }

  // Opens n more readers, on all ports alike; the seconds that it took.
  async connect(n, batch = BATCH) {
    const { ports } = this.candidate;
    const shares = ports.flatMap((port, i) => this.#shares(port, Math.floor((n + i) / ports.length)));
    const answers = await Promise.all(shares.map(({ load, share }) => {
      load.readers += share;
      load.child.say(`connect ${share} ${batch}`);
      return load.child.hear(CONNECT_MS);
    }));
    if (answers.includes(undefined)) throw new Error(`${this.candidate.name}: ${n} readers did not connect in time`);
    shares.forEach(({ load }, i) => {
      if (answers[i].readers !== load.readers) {
        throw new Error(`${this.candidate.name}: ${answers[i].readers} of ${load.readers} readers connected\n${load.child.errors}`);
      }
    });
    this.began = Math.min(...answers.map(({ began }) => began));
    return Math.max(...answers.map(({ ended }) => ended)) - this.began;
  }

  expect(first, count) {
    return this.#tell(this.#loads, `expect ${first} ${count}`);
  }

  // What the readers saw, once they have had everything, or after `ms`.
  async done(ms) {
    const answers = await Promise.all(this.#loads.map(async ({ child }) => {
      const answer = await child.hear(ms);
      if (answer) return answer;
      child.say('stop');
      return child.hear();
    }));
    const part = { flights: mergedFlights(answers), latency: merge(answers.map(({ latency }) => latency)) };
    for (const key of ['readers', 'deliveries', 'lost', 'doubled', 'closed', 'returned', 'refused', 'bytes']) part[key] = sum(answers, key);
    part.began = Math.min(...answers.map(({ began }) => began).filter(Boolean));
    part.ended = Math.max(...answers.map(({ ended }) => ended));
    return part;
  }

  // Every reader hangs up; who connects next goes to `place`.
  async drop(place = this.place) {
    await this.#tell(this.#loads, 'drop');
    await this.#tell(this.#loads, `place ${place}`);
    for (const load of this.#loads) load.readers = 0;
  }

  stop() {
    return Promise.all(this.#loads.map(({ child }) => child.stop(null)));
  }
}
