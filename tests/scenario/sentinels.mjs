// sentinels.mjs - a Redis with replicas and three Sentinels that look after it, all real, for scenarios and chaos.
//
//   const redises = await Sentinels.open(t, { replicas: 1 });
//   const stage = await Stage.open(t, { store: redises });          redises.address is redis+sentinel://…
//   await redises.kill(redises.master);                             …
//   await redises.newMaster();                                      the Sentinels have agreed on another one
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Redis from 'ioredis';
import { until } from './stage.mjs';

const NAME = 'news';

/* A port of this moment, outside of those that the kernel gives to whoever connects. */
async function freePort() {
  for (;;) {
    const port = 12000 + Math.floor(Math.random() * 18000);
    const free = await new Promise((done) => {
      const probe = createServer();
      probe.on('error', () => done(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
    });
    if (free) return port;
  }
}

/** One redis-server, or one Sentinel. */
class Server {
  constructor(dir, port, file, args = []) {
    Object.assign(this, { dir, port, file, args });
    this.redis = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: 100 });
    this.redis.on('error', () => {});
  }
  async start() {
    this.child = spawn('redis-server', [this.file, ...this.args], { stdio: 'ignore', cwd: this.dir });
    await until(async () => (await this.redis.ping().catch(() => '')) === 'PONG', `a server on port ${this.port} to answer`);
  }
  get runs() { return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null; }
  async stop(signal = 'SIGKILL') {
    if (!this.runs) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }
  freeze() { this.child.kill('SIGSTOP'); }
  thaw() { this.child.kill('SIGCONT'); }
  async close() {
    this.redis.disconnect();
    await this.stop();
  }
}

export class Sentinels {
  /** replicas: how many; minReplicas: the master's min-replicas-to-write; downMs: so long without an answer is down; no second failover within twice failoverMs. */
  static async open(t, { replicas = 1, minReplicas = 0, downMs = 1000, failoverMs = 3000 } = {}) {
    const all = new Sentinels();
    all.failoverMs = failoverMs;
    all.dir = await mkdtemp(join(tmpdir(), 'nw-sentinels-'));
    all.servers = [];
    all.sentinels = [];
    t.after(() => all.close());
    for (let i = 0; i <= replicas; i++) all.servers.push(await all.startServer(`redis-${i}`, minReplicas, all.servers[0]?.port));
    await all.replicasFollow(replicas);
    for (let i = 0; i < 3; i++) all.sentinels.push(await all.startSentinel(`sentinel-${i}`, downMs));
    await until(async () => (await Promise.all(all.sentinels.map((s) => all.knows(s)))).every(({ others, slaves }) => others === 2 && slaves === replicas),
      'the Sentinels to know each other and the replicas');
    all.at = all.servers[0].port;
    return all;
  }

  async startServer(name, minReplicas, masterPort) {
    const port = await freePort();
    const dir = await mkdtemp(join(this.dir, `${name}-`));
    const file = join(dir, 'redis.conf');
    await writeFile(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, 'appendonly yes', 'appendfsync always', 'save ""', 'repl-diskless-sync-delay 0',
      'repl-ping-replica-period 1', `min-replicas-to-write ${minReplicas}`, 'min-replicas-max-lag 3',
      ...(masterPort ? [`replicaof 127.0.0.1 ${masterPort}`] : [])].join('\n'));
    const server = new Server(dir, port, file);
    await server.start();
    return server;
  }

  async startSentinel(name, downMs) {
    const port = await freePort();
    const dir = await mkdtemp(join(this.dir, `${name}-`));
    const file = join(dir, 'sentinel.conf');
    await writeFile(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, `sentinel monitor ${NAME} 127.0.0.1 ${this.servers[0].port} 2`,
      `sentinel down-after-milliseconds ${NAME} ${downMs}`, `sentinel failover-timeout ${NAME} ${this.failoverMs}`, `sentinel parallel-syncs ${NAME} 2`].join('\n'));
    const sentinel = new Server(dir, port, file, ['--sentinel']);
    await sentinel.start();
    return sentinel;
  }

  async knows(sentinel) {
    const fields = await sentinel.redis.call('SENTINEL', 'MASTER', NAME).catch(() => []);
    const value = (name) => Number(fields[fields.indexOf(name) + 1]);
    return { others: value('num-other-sentinels'), slaves: value('num-slaves') };
  }

  replicasFollow(count) {
    return until(async () => await this.following(this.servers[0]) >= count, 'the replicas to follow');
  }
  /** How many replicas follow this master. */
  async following({ redis }) {
    const info = await redis.info('replication').catch(() => '');
    return (info.match(/state=online/g) ?? []).length;
  }

  get name() { return NAME; }
  get address() { return `redis+sentinel://${this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`; }
  /** The one that was the master when newMaster() was asked last, and the others. */
  get master() { return this.servers.find(({ port }) => port === this.at); }
  get replicas() { return this.servers.filter(({ port }) => port !== this.at); }
  get redis() { return this.master.redis; }

  /** Waits until the Sentinels that run agree on another master. */
  async newMaster() {
    const before = this.at;
    await until(async () => { await this.look(); return this.at !== before; }, 'another master', 30000);
    return this.master;
  }
  /** Whom the Sentinels that run take for the master, if they agree. They may change their mind more than once. */
  async look() {
    const named = await Promise.all(this.sentinels.filter(({ runs }) => runs).map(async ({ redis }) =>
      Number((await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME).catch(() => []))?.[1])));
    if (named[0] && named.every((port) => port === named[0])) [this.at] = named;
  }

  /** All replicas run, and the Sentinels see it so. */
  whole() {
    const name = (fields, key) => fields[fields.indexOf(key) + 1];
    return until(async () => {
      await this.look();
      if (await this.following(this.master) < this.replicas.length) return false;
      const seen = await Promise.all(this.sentinels.map(({ redis }) => redis.call('SENTINEL', 'REPLICAS', NAME).catch(() => [])));
      return seen.every((all) => all.length === this.replicas.length && all.every((fields) => name(fields, 'flags') === 'slave' && name(fields, 'master-link-status') === 'ok'));
    }, 'every replica to follow', 60000);
  }
  /** As an operator orders it. The old master takes what it is given until it is told, and then has it no more. */
  async failover() {
    await until(async () => (await this.sentinels[0].redis.call('SENTINEL', 'FAILOVER', NAME).catch(() => '')) === 'OK', 'the failover to begin');
    await this.newMaster();
  }

  async close() {
    for (const server of [...this.sentinels, ...this.servers]) {
      if (server.runs) server.thaw();
      await server.close();
    }
    await rm(this.dir, { recursive: true, force: true });
  }
}
