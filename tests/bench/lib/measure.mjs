// One measurement of one candidate: readers connect, messages are published, and the CPU, memory and
// latency that this took are read off.

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Child } from './child.mjs';
import { cpuNs, machineNs, pssBytes } from './proc.mjs';

export const FRAME_BYTES = 512; // of one message on the wire, with its frame header
const FRAME_HEADER = 4;
const WARM_UP = 5; // messages that are published first and not measured
const SETTLE_MS = 500;
const SETTLE_TRIES = 20;

export class Measurement {
  constructor(settings, candidate) {
    this.settings = settings;
    this.candidate = candidate;
    this.number = 0; // of the next message
    this.readers = 0;
    this.load = new Child(settings.loadCore, join(settings.build, 'nw-load'),
      ['--port', String(candidate.port), '--path', candidate.path]);
  }

  // Opens n more readers; the server's CPU microseconds for each.
  async connect(n) {
    const before = cpuNs(this.candidate.pids());
    this.load.say(`connect ${n}`);
    const answer = await this.load.hear();
    if (!answer) throw new Error(`${this.candidate.name}: ${n} readers did not connect in a minute`);
    this.readers += n;
    if (answer.readers !== this.readers) {
      throw new Error(`${this.candidate.name}: ${answer.readers} of ${this.readers} readers connected\n${this.load.errors}`);
    }
    return (cpuNs(this.candidate.pids()) - before) / n / 1000;
  }

  // The server's memory, once two looks agree to a half percent.
  async memory() {
    let before = pssBytes(this.candidate.pids());
    for (let i = 0; i < SETTLE_TRIES; i++) {
      await pause(SETTLE_MS);
      const now = pssBytes(this.candidate.pids());
      if (Math.abs(now - before) <= now / 200) return now;
      before = now;
    }
    return before;
  }

  // Publishes `count` messages at `rate` a second to everybody.
  async publish({ rate, count, bytes, patienceMs = 20_000 }) {
    const { candidate, settings } = this;
    const first = this.number;
    this.number += count;
    this.load.say(`expect ${first} ${count}`);
    await this.load.hear();

    const before = { server: cpuNs(candidate.pids()), load: cpuNs([this.load.pid]), machine: machineNs(), time: process.hrtime.bigint() };
    const publisher = new Child(settings.loadCore, join(settings.build, 'nw-publish'), ['--redis', candidate.redis,
      '--channel', candidate.channel, '--shape', candidate.shape, '--bytes', String(bytes),
      '--first', String(first), '--count', String(count), '--rate', String(rate)]);
    const published = await publisher.hear((count / rate) * 1000 + 30_000);
    if (!published) throw new Error(`nw-publish did not end\n${publisher.errors}`);
    let done = await this.load.hear(patienceMs);
    if (!done) {
      this.load.say('stop');
      done = await this.load.hear();
    }
    const after = { server: cpuNs(candidate.pids()), load: cpuNs([this.load.pid]), machine: machineNs(), time: process.hrtime.bigint() };
    await publisher.ended;
    return summary(before, after, done, published);
  }

  async warmUp(bytes) {
    return this.publish({ rate: 10, count: WARM_UP, bytes });
  }

  async stop() {
    await this.load.stop(null);
  }
}

function summary(before, after, done, published) {
  const wallNs = Number(after.time - before.time);
  const serverNs = after.server - before.server;
  const loadNs = after.load - before.load;
  const othersNs = after.machine.busy - before.machine.busy - serverNs - loadNs;
  return {
    ...done,
    ...published,
    cpu_us: serverNs / 1000 / Math.max(done.deliveries, 1),
    server_load: serverNs / wallNs,
    client_load: loadNs / wallNs,
    others_load: Math.max(othersNs, 0) / wallNs,
    stolen: (after.machine.stolen - before.machine.stolen) / wallNs,
    rate: done.seconds > 0 ? done.deliveries / done.seconds : 0,
    frame_bytes: done.deliveries > 0 ? done.bytes / done.deliveries : 0,
  };
}

// How long a published message must be to make frames of FRAME_BYTES: found out by publishing one.
export async function calibrate(settings, start) {
  const candidate = await start();
  const measurement = new Measurement(settings, candidate);
  try {
    await measurement.connect(1);
    if (candidate.shape === 'frame') return { bytes: FRAME_BYTES - FRAME_HEADER, frame: FRAME_BYTES };
    const guess = 400;
    const one = await measurement.publish({ rate: 10, count: 1, bytes: guess });
    if (one.deliveries !== 1) throw new Error(`${candidate.name} did not deliver a message to one reader`);
    const bytes = Math.max(guess + FRAME_BYTES - one.frame_bytes, 1);
    const two = await measurement.publish({ rate: 10, count: 1, bytes });
    return { bytes, frame: two.frame_bytes };
  } finally {
    await measurement.stop();
    await candidate.stop();
  }
}
