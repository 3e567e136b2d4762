// crowd.mjs - a process of readers: many clients, told by messages what to do, and judged where they are, for what they saw is much.
//
// From run.mjs   {open: {first, count, ways}} {ways} {cut: part} {sleep: ms, count} {stop} {judge: file}
// To run.mjs     {opened} {seen, sessions} once a second, {places: […]} asked by {where}, {verdict: {wrong, seen, sessions, clients}}
import { readFileSync } from 'node:fs';
import { check } from './checker.mjs';
import { EventsClient, SocketClient } from './client.mjs';

export const CHANNELS = ['world', 'sport', 'business', 'science'];
const clients = [];
let ways = [];

/* What the i-th of all reads: a fifth everything, the others one channel or two; some of it narrowed, brief, by prefix or compressed. */
function subscriptionOf(i) {
  const channels = i % 5 === 0 ? ['feed:all'] : [CHANNELS[i % 4], ...(i % 3 === 0 ? [CHANNELS[(i + 1) % 4]] : [])];
  if (i % 11 === 4) return { channels: ['s*'] };
  if (i % 13 === 5) return { channels: ['class:*', 'topic:2*'] };
  if (i % 17 === 6) return { channels: ['feed:all'], class: ['flash', 'urgent'] };
  if (i % 19 === 7) return { channels, type: ['picture', 'video'] };
  return i % 7 === 2 ? { channels, view: 'brief' } : { channels };
}

function open(i) {
  const Kind = i % 2 === 0 ? SocketClient : EventsClient;
  const name = `client ${i} (${Kind === SocketClient ? 'WebSocket' : 'events'})`;
  return new Kind(name, subscriptionOf(i), () => ways[i % ways.length], { compressed: i % 10 < 2 });
}

const pick = (count) => Array.from({ length: count }, () => clients[Math.floor(Math.random() * clients.length)]);

const orders = {
  open: ({ first, count, ways: at }) => {
    ways = at;
    for (let i = 0; i < count; i++) clients.push(open(first + i));
    const look = setInterval(() => {
      if (!clients.every((client) => client.cursor !== null)) return;
      clearInterval(look);
      process.send({ opened: true });
    }, 20);
  },
  ways: (at) => { ways = at; },
  cut: (part) => clients.filter(() => Math.random() < part).forEach((client) => client.cut()),
  sleep: ({ ms, count }) => {
    for (const client of pick(count)) {
      client.pause?.();
      const { resume } = client;
      setTimeout(() => resume?.(), ms);
    }
  },
  where: () => process.send({ places: clients.map((client) => client.cursor) }),
  stop: () => clients.forEach((client) => client.stop()),
  judge: (file) => {
    const world = JSON.parse(readFileSync(file, 'utf8'));
    const wrong = check({ ...world, embargoes: new Map(world.embargoes), clients }, 'clients');
    const kinds = {};
    for (const { kind } of wrong) kinds[kind] = (kinds[kind] ?? 0) + 1;
    const told = clients.reduce((sum, client) => sum + client.stretches.filter((stretch, i) => i > 0 && stretch.told).length, 0);
    process.send({ verdict: { kinds, wrong: wrong.slice(0, 200), told, ...totals() } });
  },
};

function totals() {
  return { seen: clients.reduce((sum, client) => sum + client.seen.length, 0), sessions: clients.reduce((sum, client) => sum + client.sessions.length, 0) };
}

if (process.send) {
  process.on('message', (order) => {
    for (const [name, what] of Object.entries(order)) orders[name](what);
  });
  process.on('disconnect', () => process.exit(0)); // whoever started us is gone
  process.on('SIGINT', () => {}); // of a terminal: run.mjs ends us
  setInterval(() => process.send(totals()), 1000);
}
