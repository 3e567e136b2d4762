// run.mjs - publishers, resuming clients and random kills; then the checker.
//
//   ./dev chaos [--minutes N] [--seed S] [--clients N] [--workers N]
//
// Real newswired, real Redis (appendfsync always). What is promised here, for every client: nothing accepted is lost,
// doubled or out of order, no text after its kill, nothing before its embargo, and no gap: kill -9 breaks no history.
import { parseArgs } from 'node:util';
import { Stage, item, until } from '../scenario/stage.mjs';
import { check } from './checker.mjs';
import { Client } from './client.mjs';
import { seeded } from './seeded.mjs';

const { values } = parseArgs({ options: {
  minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: String(Date.now() % 1e6) },
  clients: { type: 'string', default: '100' }, workers: { type: 'string', default: '2' }, help: { type: 'boolean' },
} });
if (values.help) {
  console.log('usage: ./dev chaos [--minutes N] [--seed S] [--clients N] [--workers N]');
  process.exit(0);
}
const CHANNELS = ['world', 'sport', 'business', 'science'];

const random = seeded(values.seed);
const pick = (list) => list[Math.floor(random() * list.length)];
const sleep = (ms) => new Promise((go) => setTimeout(go, ms));

const ended = [];
const stage = await Stage.open({ after: (f) => ended.unshift(f) },
  { workers: Number(values.workers), tick: '2s', backlog: '256k', 'wire-max': 1000000 });
const end = Date.now() + Number(values.minutes) * 60000;
const receipts = [];
const queued = [];
const embargoes = new Map();
const faults = {};
const stories = [];
const count = (kind) => { faults[kind] = (faults[kind] ?? 0) + 1; };

/* Says "accepted" only when the server did; the same item again is harmless. */
async function post(story, channel) {
  for (;;) {
    try {
      const answer = await stage.post(story, { channels: channel });
      if (answer.status < 300) {
        receipts.push({ ...answer.body, at: Date.now() });
        return answer.body;
      }
      if (answer.status !== 503) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    } catch (error) {
      if (!/fetch failed|terminated|socket/i.test(`${error.message} ${error.cause?.message ?? ''}`)) throw error;
    }
    await sleep(20 + random() * 100);
  }
}

/* A story in three versions, into the inbox. Redis' answer says that they are kept. */
async function queue(channel) {
  const { uri } = item();
  for (const version of ['1', '2', '3']) {
    await stage.redis.xadd('{newswire}:inbox', '*', 'channel', channel, 'item', JSON.stringify(item({ uri, version, body: 'by XADD' })));
    queued.push({ uri, version });
  }
}

async function publishSomething() {
  const channel = pick(CHANNELS);
  const dice = random();
  const old = stories.length > 0 ? pick(stories) : null;
  if (dice < 0.25 && old && !old.dead) {
    old.version += 1;
    await post(item({ uri: old.uri, version: String(old.version), body: `text of ${old.uri}` }), random() < 0.5 ? old.channel : channel);
  } else if (dice < 0.32 && old && !old.dead) {
    old.dead = true;
    await post({ uri: old.uri, version: String(old.version + 1), pubStatus: 'canceled' }, old.channel);
  } else if (dice < 0.4) {
    const release = Date.now() + 500 + Math.floor(random() * 3000);
    const story = item({ body: 'embargoed', embargoedUntil: new Date(release).toISOString() });
    embargoes.set(story.uri, release);
    await post(story, channel);
  } else if (dice < 0.5) {
    await queue(channel);
  } else if (dice < 0.6) {
    await stage.publish(item({ body: 'by PUBLISH' }), channel).catch(() => {});
  } else {
    const story = item({ body: 'x'.repeat(Math.floor(random() * 4000)) });
    await post(story, channel);
    stories.push({ uri: story.uri, version: 1, channel });
    if (stories.length > 200) stories.shift();
  }
}

async function publisher() {
  while (Date.now() < end) {
    await publishSomething();
    await sleep(random() * 60);
  }
}

const clients = Array.from({ length: Number(values.clients) }, (_, i) =>
  new Client(`client ${i}`, i % 5 === 0 ? ['feed:all'] : [CHANNELS[i % 4], ...(i % 3 === 0 ? [CHANNELS[(i + 1) % 4]] : [])],
    () => stage.url.replace(/^http/, 'ws'), random));
await until(() => clients.every((c) => c.from !== null), 'every client to be there');

const kinds = {
  'worker kill -9': async () => process.kill(pick(await until(async () => {
    const pids = await stage.workers();
    return pids.length > 0 && pids;
  }, 'a worker')), 'SIGKILL'),
  'Redis kill -9': async () => process.kill(await stage.redisPid(), 'SIGKILL'),
  'Redis frozen': async () => {
    const pid = await stage.redisPid();
    process.kill(pid, 'SIGSTOP');
    await sleep(random() * 1500);
    process.kill(pid, 'SIGCONT');
  },
  'pub/sub cut': () => stage.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'),
  'clients cut': async () => clients.filter(() => random() < 0.3).forEach((c) => c.cut()),
  'client asleep': async () => {
    const c = pick(clients);
    c.socket._socket?.pause();
    await sleep(random() * 2000);
    c.socket._socket?.resume();
  },
};

async function breaker() {
  while (Date.now() < end - 3000) {
    await sleep(300 + random() * 2500);
    const kind = pick(Object.keys(kinds));
    await kinds[kind]().then(() => count(kind), () => {});
  }
}

console.log(`chaos: ${values.minutes} min, seed ${values.seed}, ${clients.length} clients, ${values.workers} workers, ${stage.url}`);
const progress = setInterval(() => {
  const left = Math.max(0, Math.round((end - Date.now()) / 1000));
  const line = `  ${left} s left, ${receipts.length} accepted, ${Object.values(faults).reduce((a, b) => a + b, 0)} faults`;
  if (process.stdout.isTTY) process.stdout.write(`\r${line}   `);
  else if (left % 15 === 0) console.log(line);
}, 1000);
await Promise.all([publisher(), publisher(), publisher(), breaker()]);
clearInterval(progress);
if (process.stdout.isTTY) process.stdout.write('\n');

await until(async () => (await stage.redis.zcard('{newswire}:embargo').catch(() => 1)) === 0, 'every embargo to be over', 30000);
await until(async () => (await stage.redis.xlen('{newswire}:inbox').catch(() => 1)) === 0, 'the inbox to be empty', 30000)
  .catch((error) => console.log(`  ${error.message}`));
const wire = await readWire();
const head = wire.at(-1)?.id;
await until(() => clients.every((c) => c.cursor?.endsWith(`:${head}`)), 'every client to be at the head', 30000)
  .catch((error) => console.log(`  ${error.message}: ${clients.filter((c) => !c.cursor?.endsWith(`:${head}`)).length} are not`));
clients.forEach((c) => c.stop());

async function readWire() {
  const entries = await stage.redis.xrange('{newswire}:wire', '-', '+');
  return entries.map(([id, fields]) => {
    const meta = JSON.parse(fields[fields.indexOf('meta') + 1]);
    return { id, ...meta, channels: meta.channels.split(' ').filter(Boolean), was: (meta.was ?? '').split(' ').filter(Boolean) };
  });
}

const wrong = check({ wire, receipts, queued, embargoes, clients });
for (const end_ of ended) await end_().catch((error) => wrong.push({ kind: 'strange', who: 'newswired', what: error.message.slice(0, 2000) }));

console.log('\n  fault              times');
for (const [kind, times] of Object.entries(faults).sort()) console.log(`  ${kind.padEnd(18)} ${String(times).padStart(5)}`);
const seen = clients.reduce((n, c) => n + c.seen.length, 0);
const sessions = clients.reduce((n, c) => n + c.sessions.length, 0);
console.log(`\n  ${receipts.length} receipts, ${queued.length} entries of the inbox, ${wire.length} posts on the wire, ${seen} deliveries in ${sessions} sessions`);
const verdicts = { undurable: 'accepted but not durable', lost: 'lost', doubled: 'doubled', disordered: 'out of order', killed: 'killed text seen',
  leaked: 'embargo leaked', gap: 'gaps', strange: 'strange' };
let failed = 0;
for (const [kind, words] of Object.entries(verdicts)) {
  const these = wrong.filter((w) => w.kind === kind);
  failed += these.length > 0 ? 1 : 0;
  console.log(`  ${these.length === 0 ? 'ok  ' : 'FAIL'} ${words}: ${these.length}`);
  for (const w of these.slice(0, 5)) console.log(`         ${w.who}: ${w.what}`);
}
if (wire.length === 0 || seen === 0) {
  console.log('  FAIL nothing was published or seen: this run shows nothing');
  failed += 1;
}
if (failed > 0) console.log(`\n  repeat with: ./dev chaos --minutes ${values.minutes} --seed ${values.seed}`);
console.log(`${Object.keys(verdicts).length - Math.min(failed, Object.keys(verdicts).length)} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
