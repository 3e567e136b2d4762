// Readers who get their posts, while others change what they want all the time: calm, busy, calm, busy, on one server.

import { join } from 'node:path';
import { Child } from '../child.mjs';
import { figure } from '../figures.mjs';
import { Measurement } from '../measure.mjs';
import { merge, quantiles } from '../quantiles.mjs';

const RATE = 10;
const SECONDS = 3;
const TURNS = 2; // of each, in one round
const ASKED = 2000; // `subscribe` messages a second …
const ASKERS = 200; // … from so many: a reader may say 50 things a second
const WAIT_MS = 10_000;

/** Those who ask. Connected when it is open. */
class Askers {
  static async open(settings, candidate) {
    const askers = new Askers();
    askers.child = new Child(settings.loadCore, join(settings.build, 'nw-ask'),
      ['--port', String(candidate.ports[0]), '--readers', String(ASKERS), '--rate', String(ASKED)]);
    await askers.#expect('connected');
    return askers;
  }

  async #expect(event) {
    const said = await this.child.hear(WAIT_MS);
    if (said?.event !== event) throw new Error(`nw-ask said ${JSON.stringify(said)}, not "${event}"\n${this.child.errors}`);
    return said;
  }

  get pid() {
    return this.child.pid;
  }

  async begin() {
    this.child.say('begin');
    await this.#expect('asking');
  }

  async end() {
    this.child.say('end');
    return this.#expect('asked');
  }

  stop() {
    return this.child.stop(null);
  }
}

async function busy(measurement, askers, posts) {
  await askers.begin();
  try {
    const run = await measurement.publish(posts);
    return { ...run, asked: await askers.end() };
  } catch (error) {
    await askers.end().catch(() => {});
    throw error;
  }
}

async function calmAndBusy(settings, candidate) {
  const measurement = new Measurement(settings, candidate);
  const turns = { calm: [], busy: [] };
  const posts = { rate: RATE, count: settings.posts(RATE * SECONDS) };
  let askers;
  try {
    await measurement.connect(settings.readers);
    askers = await Askers.open(settings, candidate);
    measurement.companions.push(askers.pid);
    await measurement.warmUp();
    for (let i = 0; i < TURNS; i++) {
      turns.calm.push(await measurement.publish(posts));
      turns.busy.push(await busy(measurement, askers, posts));
    }
    return summed(turns);
  } finally {
    await askers?.stop();
    await measurement.stop();
  }
}

const sum = (runs, read) => runs.reduce((total, run) => total + read(run), 0);
const mean = (runs, read) => sum(runs, read) / runs.length;

function summed({ calm, busy }) {
  const asked = busy.map((run) => run.asked);
  return {
    calm: { p99: mean(calm, (run) => run.latency_us.p99), p50: mean(calm, (run) => run.latency_us.p50), last: mean(calm, (run) => run.last_us.p50), load: mean(calm, (run) => run.server_load) },
    busy: { p99: mean(busy, (run) => run.latency_us.p99), p50: mean(busy, (run) => run.latency_us.p50), last: mean(busy, (run) => run.last_us.p50), load: mean(busy, (run) => run.server_load) },
    asked_rate: sum(asked, (a) => a.asked) / sum(asked, (a) => a.seconds),
    answer_us: quantiles(merge(asked.map((a) => a.latency))),
    unanswered: sum(asked, (a) => a.asked - a.answered),
    wrong: sum(asked, (a) => a.wrong),
    asked_late_us: Math.max(...asked.map((a) => a.late_us)),
    lost: sum([...calm, ...busy], (run) => run.lost),
    doubled: sum([...calm, ...busy], (run) => run.doubled),
    closed: sum([...calm, ...busy], (run) => run.closed),
    others_load: mean([...calm, ...busy], (run) => run.others_load),
  };
}

const ms = (part, key) => (run) => run[part][key] / 1000;

export const subscribing = {
  says: '10 posts a second, calm and beside 2,000 `subscribe` messages a second', who: ['newswired'], ofReaders: true, measure: calmAndBusy, takes: 22,
  figures: [
    figure('ratio', 'latency, p99, busy / calm', '×', 3, ({ calm, busy }) => busy.p99 / calm.p99),
    figure('calm_p99', 'latency, p99, calm', 'ms', 1, ms('calm', 'p99')),
    figure('busy_p99', 'latency, p99, busy', 'ms', 1, ms('busy', 'p99')),
    figure('calm_p50', 'latency, p50, calm', 'ms', 1, ms('calm', 'p50')),
    figure('busy_p50', 'latency, p50, busy', 'ms', 1, ms('busy', 'p50')),
    figure('calm_last', 'time to the last reader, p50, calm', 'ms', 1, ms('calm', 'last')),
    figure('busy_last', 'time to the last reader, p50, busy', 'ms', 1, ms('busy', 'last')),
    figure('asked_rate', '`subscribe` messages a second', '', 0),
    figure('answer_p50', 'until a `subscribe` is answered, p50', 'ms', 1, (run) => run.answer_us.p50 / 1000),
    figure('answer_p99', 'until a `subscribe` is answered, p99', 'ms', 1, (run) => run.answer_us.p99 / 1000),
    figure('unanswered', '`subscribe` messages without an answer', '', 0),
    figure('wrong', '`subscribe` messages answered wrongly', '', 0),
    figure('asked_late', 'latest send of a `subscribe`', 'ms', 2, (run) => run.asked_late_us / 1000),
    figure('calm_load', 'cores used by the server, calm', '', 2, (run) => run.calm.load),
    figure('busy_load', 'cores used by the server, busy', '', 2, (run) => run.busy.load),
    figure('lost', 'lost, or not there in time', '', 0),
    figure('doubled', 'doubled or out of order', '', 0),
    figure('closed', 'readers closed', '', 0),
    figure('others_load', 'cores used by anything else', '', 2),
  ],
  headlines: [],
  bars: [
    { key: 'ratio', most: 1.2 },
    { key: 'asked_rate', least: 1990 },
    { key: 'unanswered', most: 0 },
    { key: 'wrong', most: 0 },
    { key: 'lost', most: 0 },
  ],
};
