// publishers.mjs - newsroom tools on every way in, at a steady pace, who try again as docs/protocol.md tells them to.
//
// receipts, queued, embargoes: as checker.mjs wants them. Whatever is refused though it should not be is in `strange`.
import { Tool } from '../scenario/tool.mjs';
import { item } from '../scenario/stage.mjs';
import { CHANNELS } from './crowd.mjs';
import { sleep } from './dice.mjs';

const LOOPS = 16;
const PATIENCE_MS = 4000; // for an answer; then the same is tried again
const PULSE_EVERY_MS = 50; // between the items of a pulse: no finer is what is measured where the first of them come before a gap

export class Publishers {
  constructor(cast, dice, rate) {
    Object.assign(this, { cast, dice, rate, receipts: [], queued: [], heardRaw: 0, embargoes: new Map(), strange: [], stories: [], serial: 0, ways: {} });
    this.running = true;
    this.lines = cast.near.map(() => null);
    this.loops = Array.from({ length: LOOPS }, () => this.loop());
  }
  get accepted() { return this.receipts.length + this.queued.length; }
  async end() {
    this.running = false;
    await Promise.all(this.loops);
    for (const line of this.lines) line?.close();
  }

  /* Keeps to its share of the pace, also after a time when nothing was taken. */
  async loop() {
    const step = 1000 * LOOPS / this.rate;
    let next = Date.now() + this.dice.random() * step;
    while (this.running) {
      const count = await this.something().catch((error) => { this.strange.push(error.message); return 1; });
      next = Math.max(next + count * step * (0.5 + this.dice.random()), Date.now() - 5000);
      await sleep(Math.max(0, next - Date.now()));
    }
  }

  item(changes = {}) {
    const { pick, between } = this.dice;
    return item({ body: 'x'.repeat(between(0, 3000)), urgency: between(1, 9), type: pick(['text', 'text', 'text', 'picture']), ...changes });
  }

  /* One thing that a newsroom does. Returns how many items that was. */
  async something() {
    const { random, pick } = this.dice;
    const dice = random();
    const channel = pick(CHANNELS);
    const old = this.stories.length > 20 ? pick(this.stories) : null;
    if (old && !old.busy && dice < 0.30) return this.change(old, channel);
    if (dice < 0.38) return this.embargo(channel);
    if (dice < 0.50) return this.queue(channel);
    if (dice < 0.55) return this.raw(channel);
    if (dice < 0.62) return this.batch(channel);
    const story = this.item();
    await this.hand(story, channel, random() < 0.4 ? 'line' : 'post');
    this.stories.push({ uri: story.uri, type: story.type, version: 1, channel, busy: false });
    if (this.stories.length > 300) this.stories.shift();
    return 1;
  }

  /* A correction, a kill, a hold and its end, a purge. One at a time for each story. */
  async change(old, channel) {
    const { random } = this.dice;
    const dice = random();
    old.busy = true;
    old.version += 1;
    const next = (changes) => this.item({ uri: old.uri, type: old.type, version: String(old.version), ...changes });
    const to = random() < 0.5 ? old.channel : channel;
    if (dice < 0.60) await this.hand(next(), to, random() < 0.5 ? 'line' : 'post');
    else if (dice < 0.85) await this.hand({ uri: old.uri, version: String(old.version), pubStatus: 'canceled' }, old.channel, 'post');
    else if (dice < 0.93) {
      await this.hand({ uri: old.uri, version: String(old.version), pubStatus: 'withheld' }, old.channel, 'post');
      old.version += 1;
      await this.hand(next(), to, 'post');
      old.busy = false;
      return 2;
    } else await this.purge(old.uri);
    old.busy = dice >= 0.60; // what is gone is left alone
    return 1;
  }

  async embargo(channel) {
    const release = Date.now() + this.dice.between(600, 4000);
    const story = this.item({ embargoedUntil: new Date(release).toISOString() });
    this.embargoes.set(story.uri, release);
    await this.hand(story, channel, 'post');
    return 1;
  }

  /* A story in three versions. Redis' answer says that they are kept. */
  async queue(channel) {
    const { uri } = item();
    for (const version of ['1', '2', '3']) {
      const since = Date.now();
      const entry = JSON.stringify(this.item({ uri, version, type: 'text', urgency: 3 })); // no flash: an entry without a name may not
      await this.patiently(() => this.cast.queue('channel', channel, 'item', entry));
      this.queued.push({ uri, version, since });
      this.count('inbox');
    }
    return 3;
  }

  /* Nothing is promised about it: nobody may have been listening. */
  async raw(channel) {
    const story = this.item({ urgency: 3 });
    await Promise.race([this.cast.redis.publish(`newswire:in:${channel}`, JSON.stringify(story)).catch(() => 0), sleep(PATIENCE_MS)]);
    this.heardRaw += 1;
    return 1;
  }

  async batch(channel) {
    let left = [this.item(), this.item(), this.item()];
    const count = left.length;
    const key = this.key();
    while (left.length > 0) {
      const { results } = await this.patiently(async () => {
        const answer = await this.ask(`/v1/items?channels=${channel}`, { method: 'POST', body: JSON.stringify(left),
          headers: { 'content-type': 'application/json', ...(left.length === count ? { 'idempotency-key': key } : {}) } });
        return answer.status === 200 ? answer.body : this.unless503(answer);
      });
      const now = left;
      left = results.filter(({ http }) => http === 503 || http === 429).map(({ index }) => now[index]);
      for (const result of results) if (result.http < 300) this.take(result, 'batch'); else if (result.http !== 503 && result.http !== 429) this.strange.push(JSON.stringify(result));
    }
    return count;
  }

  async purge(uri) {
    const answer = await this.patiently(async () => {
      const got = await this.ask(`/v1/items?uri=${encodeURIComponent(uri)}`, { method: 'DELETE' });
      return got.status === 200 || got.status === 404 ? got : this.unless503(got);
    });
    if (answer.body.id) this.take({ ...answer.body, uri, action: 'kill', version: '' }, 'purge');
  }

  /** Until it is taken. Returns the receipt. */
  async hand(story, channel, way = 'post') {
    const key = this.key();
    const body = JSON.stringify(story);
    const receipt = await this.patiently(async () => {
      const since = Date.now(); // it was accepted after that
      return { ...await (way === 'line' ? this.byLine(body, channel, key) : this.byPost(body, channel, key)), since };
    });
    return this.take(receipt, way);
  }
  take(receipt, way) {
    const { id, uri, version, action, status, durability, since } = receipt;
    const at = Date.now();
    this.receipts.push({ id, uri, version, action, status, durability, since: since ?? at, at });
    this.count(way);
    return receipt;
  }
  count(way) { this.ways[way] = (this.ways[way] ?? 0) + 1; }
  key() { return `chaos-${process.pid}-${++this.serial}`; }

  async byPost(body, channel, key) {
    const answer = await this.ask(`/v1/items?channels=${channel}`, { method: 'POST', body, headers: { 'content-type': 'application/json', 'idempotency-key': key } });
    return answer.status < 300 ? answer.body : this.unless503(answer);
  }

  async byLine(body, channel, key) {
    const i = Math.floor(Math.random() * this.lines.length);
    const line = await this.line(i);
    const ref = line.hand({ item: body, channels: [channel], idempotency_key: key });
    const answer = await new Promise((go, fail) => {
      const alarm = setTimeout(() => {
        line.close();
        fail(new Again('no answer'));
      }, PATIENCE_MS);
      line.owed.set(ref, { go: (m) => { clearTimeout(alarm); go(m); }, fail: (error) => { clearTimeout(alarm); fail(error); } });
    });
    return answer.http < 300 ? answer : this.unless503({ status: answer.http, body: answer });
  }

  /* The line to a node, opened anew when it is gone. */
  async line(i) {
    if (this.lines[i] && !this.lines[i].closed) {
      await this.lines[i].ready;
      return this.lines[i];
    }
    const tool = Tool.connect(this.cast.near[i], {});
    this.cast.near[i].readers.pop(); // ours to close
    this.lines[i] = tool;
    tool.owed = new Map();
    const greeted = new Promise((go, fail) => tool.owed.set(undefined, { go, fail })); // hello has no ref
    tool.ready = greeted;
    greeted.catch(() => {});
    tool.socket.on('message', () => {
      const m = tool.messages.pop();
      tool.owed.get(m.ref)?.go(m);
      tool.owed.delete(m.ref); // a tick has none either, and is owed nothing
    });
    tool.socket.on('close', () => {
      for (const { fail } of tool.owed.values()) fail(new Again('the line ended'));
      tool.owed.clear();
    });
    await greeted;
    return tool;
  }

  async ask(path, { headers = {}, ...init }) {
    const node = this.cast.near[Math.floor(Math.random() * this.cast.near.length)];
    try {
      return await node.http(path, { ...init, headers: { authorization: `Bearer ${node.key}`, ...headers }, signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch (error) {
      throw new Again(error.message);
    }
  }
  unless503({ status, body }) {
    throw status === 503 || status === 429 ? new Again(String(status)) : new Error(`${status} ${JSON.stringify(body)}`);
  }

  /* Again after 20 to 120 ms for as long as the server, or Redis, is away. */
  async patiently(act) {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof Again) && !AWAY.test(error.message)) throw error;
      }
      await sleep(20 + Math.random() * 100);
    }
  }

  /** Items that are handed in now: when one of them is with all `probes`. Returns the wall ms of that. (One that is accepted after Redis forgot
      everything and before that was noticed comes before the gap.) */
  async pulse(probes, patience) {
    const end = Date.now() + patience;
    const owed = new Map(); // uri -> probes that have not got it
    let arrived = null;
    for (const probe of probes) probe.waits = (uri) => {
      owed.get(uri)?.delete(probe);
      if (owed.get(uri)?.size === 0) arrived ??= Date.now();
    };
    for (let next = 0; arrived === null;) {
      if (Date.now() > end) throw new Error(`news did not flow again for ${patience} ms (${[...owed.values()].map((left) => [...left].map((probe) => probe.name).join(' '))})`);
      if (Date.now() >= next) {
        const story = item({ body: 'pulse' });
        owed.set(story.uri, new Set(probes));
        await this.handQuickly(story, end);
        next = Date.now() + PULSE_EVERY_MS;
      }
      await sleep(2);
    }
    return arrived;
  }
  async handQuickly(story, end) {
    const key = this.key();
    const body = JSON.stringify(story);
    for (let i = 0; Date.now() < end; i++) {
      const node = this.cast.near[i % this.cast.near.length];
      const receipt = await node.http('/v1/items?channels=world', { method: 'POST', body, signal: AbortSignal.timeout(400),
        headers: { authorization: `Bearer ${node.key}`, 'content-type': 'application/json', 'idempotency-key': key } })
        .then((answer) => (answer.status < 300 ? answer.body : null), () => null);
      if (receipt) return this.take(receipt, 'post');
      await sleep(10);
    }
    return null;
  }
}

class Again extends Error {}
const AWAY = /READONLY|OOM|LOADING|MISCONF|NOREPLICAS|MASTERDOWN|ECONN|closed|retries/i; // of Redis, to who adds to the inbox
