// cast.mjs - who plays: a Redis that can be broken, nodes on it, pieces of network between them, and two crowds of readers. All real.
//
// Ends by itself whatever happens (close()), each process by its id.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sentinels } from '../scenario/sentinels.mjs';
import { Stage, Store, WallClock, program, until } from '../scenario/stage.mjs';

const here = (file) => new URL(file, import.meta.url).pathname;

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}

/** A piece of network of ours (hop.mjs). */
class Hop {
  static async open(cast, port) {
    const hop = new Hop();
    hop.child = fork(here('hop.mjs'), [String(port)]);
    cast.after(() => { hop.child.kill('SIGKILL'); });
    [{ port: hop.port }] = await once(hop.child, 'message');
    return hop;
  }
  tell(order) { if (this.child.connected) this.child.send(order); }
}

/** A network namespace for a node: its cable can be pulled, or made thin. Needs root. */
class Cable {
  static possible() {
    const name = `nw-probe-${process.pid}`;
    try {
      execFileSync('ip', ['netns', 'add', name], { stdio: 'ignore' });
      execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
      return true;
    } catch { return false; }
  }
  constructor(cast) {
    const number = process.pid % 16000;
    this.name = `nwchaos${process.pid}`;
    this.end = `nwc${process.pid}`;
    const net_ = `10.203.${number >> 6}`;
    const low = 4 * (number & 63);
    [this.near, this.far] = [`${net_}.${low + 1}`, `${net_}.${low + 2}`];
    cast.after(() => this.close());
    this.ip('netns', 'add', this.name);
    this.ip('link', 'add', this.end, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.name);
    this.ip('addr', 'add', `${this.near}/30`, 'dev', this.end);
    this.ip('link', 'set', this.end, 'up');
    this.inside('addr', 'add', `${this.far}/30`, 'dev', 'eth0');
    this.inside('link', 'set', 'eth0', 'up');
    this.inside('link', 'set', 'lo', 'up');
  }
  ip(...args) { execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] }); }
  inside(...args) { this.ip('-n', this.name, ...args); }
  pull() { this.ip('link', 'set', this.end, 'down'); }
  plug() { this.ip('link', 'set', this.end, 'up'); }
  thin(rate) { for (const end of this.ends) execFileSync('tc', [...end('replace'), 'tbf', 'rate', rate, 'burst', '16k', 'latency', '400ms']); }
  thick() { for (const end of this.ends) execFileSync('tc', end('del')); }
  /* Of its two ends the words for tc: each shapes what leaves by it. */
  get ends() { return [(deed) => ['qdisc', deed, 'dev', this.end, 'root'], (deed) => ['-n', this.name, 'qdisc', deed, 'dev', 'eth0', 'root']]; }
  close() {
    try { this.ip('link', 'del', this.end); } catch { /* never made */ }
    try { this.ip('netns', 'del', this.name); } catch { /* never made */ }
  }
}

class Crowd {
  static async open(cast, first, count, ways) {
    const crowd = new Crowd();
    crowd.seen = crowd.sessions = 0;
    crowd.child = fork(here('crowd.mjs'), []);
    cast.after(() => { crowd.child.kill('SIGKILL'); });
    crowd.child.on('message', (m) => { if (m.seen !== undefined) Object.assign(crowd, m); });
    crowd.tell({ open: { first, count, ways } });
    await crowd.says('opened', 60000);
    return crowd;
  }
  tell(order) { if (this.child.connected) this.child.send(order); }
  says(name, patience = 60000) {
    return new Promise((go, fail) => {
      const alarm = setTimeout(() => fail(new Error(`waited ${patience} ms for a crowd: ${name}`)), patience);
      const hear = (m) => {
        if (m[name] === undefined) return;
        clearTimeout(alarm);
        this.child.off('message', hear);
        go(m[name]);
      };
      this.child.on('message', hear);
    });
  }
}

export class Cast {
  ends = [];
  after(end) { this.ends.unshift(end); }

  /** network: 'namespace' gives the third node one of its own, 'relay' leaves that node out. redis: 'single', or 'sentinel': a master with two replicas. */
  static async open({ clients, workers, network, redis = 'single', program: file = program('newswired') }) {
    const cast = new Cast();
    try {
      await cast.begin(clients, workers, network, redis, file);
    } catch (error) {
      await cast.close();
      throw error;
    }
    return cast;
  }

  async begin(clients, workers, network, redis, file) {
    this.dir = await mkdtemp(join(tmpdir(), 'nw-chaos-'));
    this.after(() => rm(this.dir, { recursive: true, force: true }));
    this.program = file;
    this.cable = network === 'namespace' ? new Cable(this) : null;
    if (redis === 'sentinel') await this.openSentinels();
    else await this.openStore();
    this.nodes = [await this.node(workers), await this.node(workers)];
    if (this.cable) this.nodes.push(await this.farNode());
    this.hops = [];
    for (const node of this.nodes.slice(0, 2)) this.hops.push(await Hop.open(this, node.state.port));
    const half = clients >> 1;
    this.crowds = [await Crowd.open(this, 0, half, this.ways()), await Crowd.open(this, half, clients - half, this.ways())];
  }

  async openStore() {
    this.clock = await WallClock.open(this);
    this.redisPort = await freePort();
    this.store = await Store.open(this, ['--port', String(this.redisPort), '--bind', '127.0.0.1', ...(this.cable ? [this.cable.near] : []),
      '--protected-mode', 'no', '--enable-debug-command', 'yes'], this.clock.env);
    this.records = new Map([[this.store.redis, this.newRecord(this.store.redis)]]);
  }

  async openSentinels() {
    this.store = this.sentinels = await Sentinels.open(this, { replicas: 2, minReplicas: 1, downMs: 4000 });
    this.records = new Map(this.store.servers.map(({ redis }) => [redis, this.newRecord(redis)]));
    this.ears = this.store.servers.map(({ redis }) => this.newRecord(redis));
  }

  newRecord(redis) {
    const record = redis.duplicate({ lazyConnect: false });
    record.on('error', () => {});
    this.after(() => record.disconnect());
    return record;
  }

  /** The Redis that is written to: of several the master. And the ledger's connection to it. */
  get redis() { return this.store.redis; }
  get record() { return this.records.get(this.redis); }

  /** XADD to the inbox. Of several Redises all have it, as with an item's receipt; else it is tried again. */
  async queue(...words) {
    if (!this.sentinels) return this.redis.xadd('{newswire}:inbox', '*', ...words);
    const [[failed], [, confirmed]] = await this.redis.pipeline().xadd('{newswire}:inbox', '*', ...words).call('WAIT', 2, 1000).exec();
    if (failed || !(confirmed >= 2)) {
      await this.sentinels.look();
      throw new Error(`NOREPLICAS: ${failed?.message ?? 'not all have the entry'}`);
    }
    return undefined;
  }

  /** Where readers connect: two of three straight, every third through a hop. */
  ways() {
    const straight = this.nodes.map((node) => node.url);
    return [...straight, ...straight, ...this.hops.map((hop) => `http://127.0.0.1:${hop.port}`)];
  }

  async node(workers) {
    if (this.sentinels) return this.stage({ workers, replicas: 2, store: this.sentinels }, {});
    const hop = await Hop.open(this, this.redisPort);
    return this.stage({ workers, store: { address: `redis://127.0.0.1:${hop.port}`, redis: this.redis } }, { hop });
  }

  async farNode() {
    const wrapper = join(this.dir, 'far');
    await writeFile(wrapper, `#!/bin/sh\nexec ip netns exec ${this.cable.name} '${this.program}' "$@"\n`);
    await chmod(wrapper, 0o755);
    return this.stage({ workers: 1, program: wrapper, bind: this.cable.far, store: { address: `redis://${this.cable.near}:${this.redisPort}`, redis: this.redis } },
      { far: true });
  }

  async stage(options, more) {
    const stage = await Stage.open(this, { program: this.program, tick: '2s', backlog: '256k', wireMax: 1000000, stallTime: '2s', 'drain-time': '1s', // in place of the stage's own
      publishRate: 0, ...options });
    stage.options.port = stage.state.port; // the same after a restart
    return Object.assign(stage, more);
  }

  get near() { return this.nodes.filter((node) => !node.far); }

  tellCrowds(order) { for (const crowd of this.crowds) crowd.tell(order); }
  get seen() { return this.crowds.reduce((sum, crowd) => sum + crowd.seen, 0); }

  /** How many clients are not at this cursor. */
  async behind(cursor) {
    const places = [];
    for (const crowd of this.crowds) {
      const answer = crowd.says('places');
      crowd.tell({ where: true });
      places.push(...await answer);
    }
    return places.filter((place) => place !== cursor).length;
  }

  /** A node that was killed is there again. */
  async revive(node) {
    await until(() => node.child.exitCode !== null || node.child.signalCode !== null, 'the node to be gone');
    await node.start();
  }

  /** Ends everything; returns what went wrong in that. */
  async close() {
    const trouble = [];
    for (const end of this.ends.splice(0)) {
      try { await end(); } catch (error) { trouble.push(error.message.slice(0, 2000)); }
    }
    return trouble;
  }
}

export const namespaces = () => process.getuid() === 0 && Cable.possible();
