// One measurement of one candidate: readers connect, messages are published, and the CPU, memory and
// latency that this took are read off.

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Child } from './child.mjs';
import { Crowd } from './crowd.mjs';
import { cpuNs, kernelBytes, machineNs, pssBytes, socketsOf } from './proc.mjs';
import { quantiles, quantilesOf } from './quantiles.mjs';

export const FRAME_BYTES = 512; // of one message on the wire, with its frame header
const WARM_UP = 5; // messages that are published first and not measured
const WARM_UP_RATE = 20;
const WARM_UP_MS = 5_000; // patience
const SETTLE_TRIES = 20;
const EMPTY_TRIES = 200;
const EMPTY_MS = 50;

export class Measurement {
  // `asked` is the channel as readers ask for it, where that differs from the one that is published to.
  constructor(settings, candidate, { channel = 'bench', spread = 1, asked = channel } = {}) {
    this.settings = settings;
    this.candidate = candidate;
    this.spread = spread;
    this.channel = candidate.publish.channel(channel);
    this.number = 0; // of the next message
    this.companions = []; // processes besides the crowd that belong to the load
    this.sockets = socketsOf(candidate.pids());
    this.crowd = new Crowd(settings, candidate, { channel: asked, spread });
  }

  // Opens n more readers; the server's CPU microseconds for each, and the seconds for all.
  async connect(n, batch) {
    await this.settings.profiler?.begin('connect');
    const before = cpuNs(this.candidate.pids());
    const seconds = await this.crowd.connect(n, batch);
    await this.settings.profiler?.end('connect');
    return { cpu_us: (cpuNs(this.candidate.pids()) - before) / n / 1000, seconds };
  }

  get readers() {
    return this.crowd.readers;
  }

  // The server's memory, once two looks agree to a half percent.
  async memory() {
    let before = pssBytes(this.candidate.pids());
    for (let i = 0; i < SETTLE_TRIES; i++) {
      await pause(this.settings.settleMs);
      const now = pssBytes(this.candidate.pids());
      if (Math.abs(now - before) <= now / 200) return now;
      before = now;
    }
    return before;
  }

  kernelMemory() {
    return kernelBytes();
  }

  // Every reader hangs up, and the server has closed its ends.
  async drop(place) {
    await this.crowd.drop(place);
    for (let i = 0; i < EMPTY_TRIES; i++) {
      if (socketsOf(this.candidate.pids()) <= this.sockets + 4) return;
      await pause(EMPTY_MS);
    }
    throw new Error(`${this.candidate.name} did not notice that its readers left`);
  }

  #look() {
    const { candidate, crowd } = this;
    return { server: cpuNs(candidate.pids()), load: cpuNs([...crowd.pids, ...this.companions]), machine: machineNs(), time: process.hrtime.bigint() };
  }

  // Runs the publisher to its end. `frame` is how long a message is when it reaches a reader, or a range; `items` a file of
  // messages to publish instead.
  async send({ first, count, rate, frame = String(FRAME_BYTES), items, patienceMs }) {
    const { publish, envelope } = this.candidate;
    const publisher = new Child(this.settings.loadCore, join(this.settings.build, 'nw-publish'), ['--to', publish.to,
      '--at', publish.at, '--channel', this.channel, '--shape', publish.shape, '--frame', frame, '--envelope', String(envelope),
      '--first', String(first), '--count', String(count), '--rate', String(rate), '--spread', String(this.spread),
      '--patience', String(patienceMs), ...(items ? ['--items', items] : [])]);
    const published = await publisher.hear((count / rate) * 1000 + patienceMs + 10_000);
    if (!published) throw new Error(`nw-publish did not end\n${publisher.errors}`);
    await publisher.ended;
    return published;
  }

  // Publishes `count` messages at `rate` a second to everybody; what is not there after `patienceMs` is lost.
  async publish({ rate, count, frame, items, patienceMs = 20_000 }) {
    const first = this.number;
    this.number += count;
    await this.crowd.expect(first, count);
    await this.settings.profiler?.begin('publish');
    const before = this.#look();
    const published = await this.send({ first, count, rate, frame, items, patienceMs });
    const done = await this.crowd.done(patienceMs);
    await this.settings.profiler?.end('publish');
    if (done.deliveries === 0) throw new Error(`${this.candidate.name} delivered nothing`);
    return summary(before, this.#look(), done, published);
  }

  // Not every server has noted all its readers when it has let them in, so these may be lost.
  warmUp(count = WARM_UP) {
    return this.publish({ rate: WARM_UP_RATE, count, patienceMs: WARM_UP_MS });
  }

  // Readers who were here come back all at once, while the crowd has hung up: they have missed `missed` posts. The
  // server's CPU for each, and the seconds from the first SYN until the last has everything.
  async reunion({ readers, missed, batch, calls = () => ({}), patienceMs = 20_000 }) {
    const first = this.number;
    this.number += missed;
    if (missed > 0) await this.send({ first, count: missed, rate: 100, patienceMs });
    await this.crowd.expect(first, missed);
    await this.settings.profiler?.begin('reunion');
    const before = this.#look();
    const asked = calls();
    const seconds = await this.crowd.connect(readers, batch);
    const done = await this.crowd.done(patienceMs);
    const result = summary(before, this.#look(), done, {});
    await this.settings.profiler?.end('reunion');
    const now = calls();
    const since = (key) => (now[key] === undefined ? undefined : now[key] - asked[key]);
    return {
      ...result,
      cpu_us: result.cpu_us * Math.max(done.deliveries, 1) / readers,
      seconds: Math.max(seconds, done.ended - this.crowd.began),
      calls: since('all'),
      reads: since('reads'),
    };
  }

  // CPU of the server over some seconds in which nothing is done, in cores.
  async watch(seconds) {
    await this.settings.profiler?.begin('watch');
    const before = this.#look();
    await pause(seconds * 1000);
    const after = this.#look();
    await this.settings.profiler?.end('watch');
    return (after.server - before.server) / Number(after.time - before.time);
  }

  stop() {
    return this.crowd.stop();
  }
}

function summary(before, after, done, published) {
  const wallNs = Number(after.time - before.time);
  const serverNs = after.server - before.server;
  const loadNs = after.load - before.load;
  const othersNs = after.machine.busy - before.machine.busy - serverNs - loadNs;
  const { flights, latency, ...counts } = done;
  const seen = flights.filter(Boolean);
  const seconds = done.ended - done.began;
  return {
    ...counts,
    ...published,
    latency_us: quantiles(latency, Math.max(...seen.map(([, last]) => last))),
    first_us: quantilesOf(seen.map(([first]) => first)),
    last_us: quantilesOf(seen.map(([, last]) => last)),
    cpu_us: serverNs / 1000 / Math.max(done.deliveries, 1),
    cpu_post_us: serverNs / 1000 / Math.max(published.published, 1),
    server_load: serverNs / wallNs,
    client_load: loadNs / wallNs,
    others_load: Math.max(othersNs, 0) / wallNs,
    stolen: (after.machine.stolen - before.machine.stolen) / wallNs,
    rate: seconds > 0 ? done.deliveries / seconds : 0,
    frame_bytes: done.deliveries > 0 ? done.bytes / done.deliveries : 0,
  };
}

// How many bytes newswired's frames have beyond the item that was published: found out by publishing one.
export async function calibrate(settings, start) {
  const candidate = await start();
  const measurement = new Measurement(settings, candidate);
  try {
    await measurement.connect(1);
    const one = await measurement.publish({ rate: 10, count: 1, frame: String(FRAME_BYTES) });
    if (one.deliveries !== 1) throw new Error(`${candidate.name} did not deliver a message to one reader`);
    candidate.envelope = one.frame_bytes - FRAME_BYTES;
    const two = await measurement.publish({ rate: 10, count: 1 });
    return { envelope: candidate.envelope, frame: two.frame_bytes };
  } finally {
    await measurement.stop();
    await candidate.stop();
  }
}
