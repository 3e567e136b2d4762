// faults.mjs - what is done to the cast, one row a fault: how, and what is promised meanwhile.
//
// name, does(cast, dice, tools)   tools: {ledger, grown(n): n more items were accepted}. Ends when the fault is over; may return the wall ms from
//                                 which the way back counts, else that is the end
// promise   'kept': nothing accepted is lost, nobody needs to be told · 'told': Redis forgets by design of the fault: every reader is told `gap`,
//           and what was accepted before is excused · 'torn': nothing accepted is lost; what was not may have been seen, and whoever saw it is told
// back      'redis' or 'worker': whose limit the way back has; else it is only measured
// settles   after the way back was measured, and before anything else happens: until all are there again
// deaf      a worker lives on and cannot hear Redis: kills are known there when it can
// needs     'namespace'; 'single': one Redis, whose process, file and clock are ours; 'sentinel': a master with two replicas, and Sentinels
import { cp, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { program, until } from '../scenario/stage.mjs';
import { item } from '../scenario/stage.mjs';
import { sleep } from './dice.mjs';

export const LIMITS_MS = { redis: 1000, worker: 2000 };

const someWorker = (cast, dice) => until(async () => {
  const pids = await dice.pick(cast.nodes).workers();
  return pids.length > 0 && dice.pick(pids);
}, 'a worker');

/* Who stands still goes on whatever happens: also when the run is ended in the middle of it. */
const standing = new Set();
function goOn(pids) {
  for (const pid of pids) {
    standing.delete(pid);
    try { process.kill(pid, 'SIGCONT'); } catch { /* it was replaced */ }
  }
}
process.on('exit', () => goOn([...standing]));

function stop(pid) {
  standing.add(pid);
  try { process.kill(pid, 'SIGSTOP'); } catch { standing.delete(pid); /* gone since it was asked for */ }
}

async function stopped(pid, ms) {
  stop(pid);
  try { await sleep(ms); } finally { goOn([pid]); }
}

/* All of a node, as when its machine is suspended: the supervisor first, so that nobody is born who would be left out. They go on in one moment, and
   in any order. */
async function nodeStopped(node, dice, ms) {
  const pids = [node.child.pid];
  stop(node.child.pid);
  try {
    await until(async () => /^State:\s+[TZX]/m.test(await readFile(`/proc/${node.child.pid}/status`, 'utf8').catch(() => 'State:\tX')), 'the supervisor to stand still');
    pids.push(...await node.workers());
    for (const pid of pids.slice(1)) stop(pid);
    await sleep(ms);
  } finally { goOn(dice.shuffle(pids)); }
}

const answers = (cast) => until(async () => (await cast.redis.ping().catch(() => '')) === 'PONG', 'Redis to answer', 30000);

async function told(hops, order, ms) {
  for (const hop of hops) hop.tell(order);
  await sleep(ms);
  for (const hop of hops) hop.tell({ pass: true });
}

/** `newswired reload` or `upgrade`, as an operator says it. */
function order(node, word) {
  return new Promise((done, fail) => execFile(program('newswired'), [word, '--state-dir', node.dir], { timeout: 30000 },
    (error, out, err) => (error ? fail(new Error(`${word}: ${err}`)) : done(out))));
}

async function renew(cast, dice, word) {
  const node = dice.pick(cast.nodes.filter((one) => !one.far));
  const before = await until(async () => { const now = await node.workers(); return now.length === node.options.workers && now; }, 'the node to be whole');
  await order(node, word);
  await until(async () => { const now = await node.workers(); return now.length === before.length && now.every((pid) => !before.includes(pid)); }, 'the old workers to be gone', 20000);
}

const appendOnly = (cast) => join(cast.store.dir, 'appendonlydir');

/* Redis starts again from a copy of its file that is older than what it has said is on disk. */
async function loseTail(cast, dice, { ledger, grown }) {
  const copy = join(cast.store.dir, 'copy');
  await rm(copy, { recursive: true, force: true });
  await cp(appendOnly(cast), copy, { recursive: true });
  await ledger.read();
  await grown(dice.between(5, 30));
  await cast.redis.call('CLIENT', 'PAUSE', 10000, 'WRITE'); // nothing comes between the reading and the end
  await ledger.read();
  await cast.store.kill();
  await rm(appendOnly(cast), { recursive: true, force: true });
  await rename(copy, appendOnly(cast));
  await cast.store.start();
  const back = Date.now();
  await ledger.lost();
  return back;
}

/* With appendfsync always Redis ends itself when its disk is full; then somebody makes room. */
async function fillDisk(cast) {
  const dir = appendOnly(cast);
  const files = await Promise.all((await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size));
  const { child } = cast.store;
  execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${Math.max(...files)}`]);
  await until(() => child.exitCode !== null || child.signalCode !== null, 'Redis to end on its full disk', 20000);
  await sleep(300);
  await cast.store.start();
  return Date.now();
}

async function jump(cast, dice, sign) {
  cast.clock.jump(sign * dice.between(60, 5400) * 1000);
  await sleep(dice.between(500, 2500));
  cast.clock.jump(0);
}

const whole = (cast) => cast.sentinels.whole();

const someReplica = (cast, dice) => dice.pick(cast.sentinels.replicas);

/* Until the Sentinels have made another master, and the old one is back as its replica. Returns when news can be taken again. */
async function replaced(cast, breaks, mends) {
  const old = cast.sentinels.master;
  await breaks(old);
  let at;
  try {
    await cast.sentinels.newMaster();
    at = Date.now();
  } finally { await mends(old); }
  return at;
}

async function flood(cast, dice) {
  const pipeline = cast.redis.pipeline();
  for (let i = 0; i < 1500; i++) pipeline.publish('newswire:in:flood', i % 10 === 0 ? JSON.stringify(item({ body: 'flood' })) : `{"no item": ${dice.random()}`);
  await pipeline.exec();
}

export const FAULTS = [
  { name: 'worker killed', how: 'kill -9', promise: 'kept', back: 'worker', does: async (cast, dice) => {
    process.kill(await someWorker(cast, dice), 'SIGKILL');
    return Date.now();
  } },
  { name: 'worker frozen', how: 'SIGSTOP, up to 1.5 s', promise: 'kept', deaf: true, does: async (cast, dice) => stopped(await someWorker(cast, dice), dice.between(200, 1500)) },
  { name: 'worker hangs', how: 'SIGSTOP until it is replaced', promise: 'kept', back: 'worker', deaf: true, does: async (cast, dice) => {
    const pid = await someWorker(cast, dice);
    stop(pid);
    try {
      await until(() => { try { process.kill(pid, 0); return false; } catch { return true; } }, 'the worker to be replaced', 20000);
    } finally { goOn([pid]); }
  } },
  { name: 'supervisor frozen', how: 'SIGSTOP, up to 3 s; its workers go on', promise: 'kept', does: async (cast, dice) => stopped(dice.pick(cast.nodes).child.pid, dice.between(200, 3000)) },
  { name: 'supervisor killed', how: 'kill -9; the node is started again', promise: 'kept', does: async (cast, dice) => {
    const node = dice.pick(cast.nodes);
    node.child.kill('SIGKILL');
    await cast.revive(node);
  } },
  { name: 'node frozen', how: 'SIGSTOP of each process, up to 4 s', promise: 'kept', deaf: true, does: (cast, dice) => nodeStopped(dice.pick(cast.nodes), dice, dice.between(200, 4000)) },
  { name: 'node killed', how: 'kill -9 of each process; started again', promise: 'kept', does: async (cast, dice) => {
    const node = dice.pick(cast.nodes);
    for (const pid of [node.child.pid, ...await node.children()]) { try { process.kill(pid, 'SIGKILL'); } catch { /* gone with its supervisor */ } }
    await cast.revive(node);
  } },
  { name: 'node restarted', how: 'SIGTERM, drain, started again', promise: 'kept', does: async (cast, dice) => {
    const node = dice.pick(cast.nodes);
    node.child.kill('SIGTERM');
    await cast.revive(node);
  } },
  { name: 'reload', how: 'newswired reload', promise: 'kept', does: (cast, dice) => renew(cast, dice, 'reload') },
  { name: 'upgrade', how: 'newswired upgrade', promise: 'kept', does: (cast, dice) => renew(cast, dice, 'upgrade') },
  { name: 'Redis killed', how: 'kill -9; back from its file', needs: 'single', promise: 'kept', back: 'redis', does: async (cast, dice) => {
    await cast.store.kill();
    await sleep(dice.between(0, 1500));
    await cast.store.start();
    return Date.now();
  } },
  { name: 'Redis restarted', how: 'SIGTERM; back from its file', needs: 'single', promise: 'kept', back: 'redis', does: async (cast) => {
    await cast.store.kill('SIGTERM');
    await cast.store.start();
    return Date.now();
  } },
  { name: 'Redis frozen', how: 'SIGSTOP, up to 3 s', needs: 'single', promise: 'kept', back: 'redis', deaf: true, does: (cast, dice) => stopped(cast.store.child.pid, dice.between(200, 3000)) },
  { name: 'Redis flushed', how: 'FLUSHALL', promise: 'told', back: 'redis', does: async (cast, dice, { ledger }) => {
    await ledger.flush();
    return ledger.losses.at(-1); // not when it was noticed
  } },
  { name: 'Redis loses its tail', how: 'back from an older file', needs: 'single', promise: 'told', back: 'redis', does: loseTail },
  { name: 'Redis read-only', how: 'REPLICAOF a master that is not there', needs: 'single', promise: 'kept', back: 'redis', does: async (cast, dice) => {
    await cast.redis.replicaof('127.0.0.1', 1);
    await sleep(dice.between(300, 2000));
    await cast.redis.replicaof('NO', 'ONE');
  } },
  { name: 'Redis out of memory', how: 'maxmemory 1 MB', promise: 'kept', back: 'redis', does: async (cast, dice) => {
    await cast.redis.config('SET', 'maxmemory', '1mb');
    await sleep(dice.between(300, 2000));
    await cast.redis.config('SET', 'maxmemory', '0');
  } },
  { name: 'disk full', how: 'RLIMIT_FSIZE: Redis ends itself; room, and back', needs: 'single', promise: 'kept', back: 'redis', does: fillDisk },
  { name: 'failover ordered', how: 'SENTINEL FAILOVER, under load', needs: 'sentinel', promise: 'torn', settles: whole,
    does: (cast) => cast.sentinels.failover() },
  { name: 'master killed', how: 'kill -9; the Sentinels make another; back as a replica', needs: 'sentinel', promise: 'torn', settles: whole,
    does: (cast) => replaced(cast, (old) => old.stop(), (old) => old.start()) },
  { name: 'master frozen', how: 'SIGSTOP until there is another; back as a replica', needs: 'sentinel', promise: 'torn', settles: whole, deaf: true,
    does: (cast) => replaced(cast, (old) => old.freeze(), (old) => old.thaw()) },
  { name: 'replica killed', how: 'kill -9 of one of two, up to 3 s: 503 replicas', needs: 'sentinel', promise: 'kept', settles: whole, does: async (cast, dice) => {
    const one = someReplica(cast, dice);
    await one.stop();
    await sleep(dice.between(200, 3000));
    await one.start();
    return Date.now();
  } },
  { name: 'replicas frozen', how: 'SIGSTOP of both, up to 2 s: 503 replicas', needs: 'sentinel', promise: 'kept', settles: whole, does: async (cast, dice) => {
    for (const one of cast.sentinels.replicas) one.freeze();
    await sleep(dice.between(500, 2000));
    for (const one of cast.sentinels.replicas) one.thaw();
    return Date.now();
  } },
  { name: 'file rewritten', how: 'BGREWRITEAOF', promise: 'kept', does: (cast) => cast.redis.bgrewriteaof().catch(() => {}) },
  { name: 'scripts forgotten', how: 'SCRIPT FLUSH', promise: 'kept', does: (cast) => cast.redis.script('FLUSH') },
  { name: 'pub/sub cut', how: 'CLIENT KILL TYPE pubsub', promise: 'kept', deaf: true, back: 'redis', does: (cast) => cast.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub') },
  { name: 'network to Redis cut', how: 'a node\'s relay passes nothing, up to 4 s', needs: 'single', promise: 'kept', deaf: true, back: 'redis',
    does: (cast, dice) => told([dice.pick(cast.near).hop], { cut: true }, dice.between(300, 4000)) },
  { name: 'network to Redis reset', how: 'every connection of a node is reset', needs: 'single', promise: 'kept', deaf: true, back: 'redis',
    does: (cast, dice) => told([dice.pick(cast.near).hop], { reset: true }, 0) },
  { name: 'network to Redis slow', how: '100 KB/s, 50 ms, up to 4 s', needs: 'single', promise: 'kept', deaf: true,
    does: (cast, dice) => told([dice.pick(cast.near).hop], { slow: 100000 }, dice.between(500, 4000)) },
  { name: 'network to readers cut', how: 'their relay passes nothing, up to 7 s', promise: 'kept', does: (cast, dice) => told(cast.hops, { cut: true }, dice.between(300, 7000)) },
  { name: 'network to readers slow', how: '30 KB/s for all of them, 50 ms, up to 4 s', promise: 'kept', does: (cast, dice) => told(cast.hops, { slow: 30000 }, dice.between(500, 4000)) },
  { name: 'node off the network', how: 'its namespace\'s link is down, up to 5 s', promise: 'kept', deaf: true, needs: 'namespace', does: async (cast, dice) => {
    cast.cable.pull();
    try { await sleep(dice.between(300, 5000)); } finally { cast.cable.plug(); }
  } },
  { name: 'node on a thin line', how: 'tbf, 1 Mbit/s each way, up to 4 s', promise: 'kept', deaf: true, needs: 'namespace', does: async (cast, dice) => {
    cast.cable.thin('1mbit');
    try { await sleep(dice.between(500, 4000)); } finally { cast.cable.thick(); }
  } },
  { name: 'readers cut', how: 'a third of them at once', promise: 'kept', does: async (cast) => cast.tellCrowds({ cut: 0.33 }) },
  { name: 'readers asleep', how: '30 of them do not read, up to 4 s', promise: 'kept', does: async (cast, dice) => {
    const ms = dice.between(500, 4000);
    cast.tellCrowds({ sleep: { ms, count: 15 } });
    await sleep(ms);
  } },
  { name: 'clock ahead', how: 'Redis\' clock, up to 90 min, and back', needs: 'single', promise: 'kept', does: (cast, dice) => jump(cast, dice, 1) },
  { name: 'clock behind', how: 'the same', needs: 'single', promise: 'kept', does: (cast, dice) => jump(cast, dice, -1) },
  { name: 'flood on in', how: '1,500 PUBLISH at once, most of them no item', promise: 'kept', does: flood },
];

/** What comes when, without end: every kind once, then every kind again, in an order and with pauses that the dice give. has: needs that are met. */
export function* schedule(dice, has = []) {
  const possible = FAULTS.filter(({ needs }) => needs === undefined || has.includes(needs));
  for (;;) for (const fault of dice.shuffle(possible)) yield { fault, pause: dice.between(300, 2500), seed: dice.between(0, 2 ** 31) };
}
export { answers };
