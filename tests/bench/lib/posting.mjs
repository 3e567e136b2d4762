// What a newsroom's tool waits for: items accepted a second, and how long a receipt takes, over the lasting line and over HTTP.
//
// One worker, its own Redis with `appendfsync always`, items of 1 KB, each another story. A paced post is late from the moment
// at which it was due, whatever held it up. The server may use every core; the tool is this process.

import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import WebSocket from 'ws';
import { startForPosting } from './candidates/newswired.mjs';

const ITEM_BYTES = 1024;
const AT_ONCE = 32; // HTTP requests under way, unpaced

let serial = 0;
function story() {
  serial += 1;
  const item = { uri: `urn:bench:post:${process.pid}:${serial}`, version: '1', type: 'text', headlines: [{ role: 'main', value: 'Bench' }],
    bodies: [{ role: 'main', contentType: 'text/plain', value: '' }] };
  item.bodies[0].value = 'x'.repeat(ITEM_BYTES - JSON.stringify(item).length);
  return JSON.stringify(item);
}

// --- the two ways: open() gives {post(item) -> promise of the HTTP status, close(), most} ---------------------------------------

async function openLine({ url, key }) {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/publish`, { headers: { authorization: `Bearer ${key}` }, perMessageDeflate: false });
  const waiting = new Map();
  const { window } = await new Promise((go, fail) => {
    socket.once('message', (text) => go(JSON.parse(text)));
    socket.once('error', fail);
  });
  socket.on('message', (text) => {
    const { ref, http: status } = JSON.parse(text);
    waiting.get(ref)?.(status);
    waiting.delete(ref);
  });
  socket.on('close', () => waiting.forEach((go) => go(0)));
  let ref = 0;
  return {
    most: window,
    post: (item) => new Promise((go) => {
      waiting.set(++ref, go);
      socket.send(`{"type":"publish","ref":${ref},"channels":["bench"],"item":${item}}`);
    }),
    close: () => socket.terminate(),
  };
}

async function openHttp({ url, key }) {
  const { hostname, port } = new URL(url);
  return {
    most: AT_ONCE,
    post: (item) => new Promise((go) => {
      const request = http.request({ hostname, port, path: '/v1/items?channels=bench', method: 'POST', agent: false,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': item.length } },
      (response) => { response.resume(); response.on('end', () => go(response.statusCode)); });
      request.on('error', () => go(0));
      request.end(item);
    }),
    close: () => {},
  };
}

const WAYS = { line: openLine, HTTP: openHttp };

// --- what is measured -----------------------------------------------------------------------------------------------------------

/** As fast as receipts come, `most` at a time. */
async function flatOut(way, seconds) {
  const end = performance.now() + seconds * 1000, began = performance.now();
  const waits = [];
  let accepted = 0;
  const one = async () => {
    while (performance.now() < end) {
      const sent = performance.now();
      const status = await way.post(story());
      accepted += status === 201;
      waits.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: way.most }, one));
  return { accepted, posted: waits.length, waits, seconds: (performance.now() - began) / 1000 };
}

/** `rate` a second, whatever becomes of them. */
async function paced(way, seconds, rate) {
  const began = performance.now(), count = seconds * rate, waits = [], all = [];
  let accepted = 0;
  for (let i = 0; i < count;) {
    for (; i < count && began + (i / rate) * 1000 <= performance.now(); i++) {
      const due = began + (i / rate) * 1000;
      all.push(way.post(story()).then((status) => {
        accepted += status === 201;
        waits.push(performance.now() - due);
      }));
    }
    await new Promise((go) => setTimeout(go, 1));
  }
  await Promise.all(all);
  return { accepted, posted: count, waits, seconds: (performance.now() - began) / 1000 };
}

export const POSTING = [
  { way: 'line', what: 'flat out', least: 1000 },
  { way: 'line', what: '1,000 a second', rate: 1000, least: 990 },
  { way: 'line', what: '100 a second', rate: 100, p99: 50 },
  { way: 'HTTP', what: 'flat out', least: 500 },
  { way: 'HTTP', what: '500 a second', rate: 500, least: 495 },
  { way: 'HTTP', what: '100 a second', rate: 100, p99: 50 },
];

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

async function measure(server, { way: name, what, rate, least, p99 }, seconds) {
  const way = await WAYS[name](server);
  const run = rate ? await paced(way, seconds, rate) : await flatOut(way, seconds);
  way.close();
  if (run.accepted !== run.posted) throw new Error(`${name}, ${what}: ${run.posted - run.accepted} of ${run.posted} were not accepted`);
  const waits = run.waits.sort((a, b) => a - b);
  const row = { way: name, what, a_second: run.accepted / run.seconds, p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), last: waits.at(-1) };
  row.bar = least ? `≥ ${least.toLocaleString('en-US')} a second` : `p99 ≤ ${p99} ms`;
  row.pass = least ? row.a_second >= least : row.p99 <= p99;
  return row;
}

const ms = (value) => `${value.toFixed(1)} ms`;

function table(rows) {
  return ['| way | posts | accepted a second | receipt, p50 | p99 | longest | bar | |', '|---|---|--:|--:|--:|--:|--:|--:|',
    ...rows.map((r) => `| ${[r.way, r.what, Math.round(r.a_second).toLocaleString('en-US'), ms(r.p50), ms(r.p99), ms(r.last), r.bar, r.pass ? 'PASS' : 'MISS'].join(' | ')} |`),
  ].join('\n');
}

/** Returns how many bars were missed. */
export async function posting(settings) {
  const seconds = settings.quick ? 2 : 15;
  const rows = [];
  for (const row of POSTING) {
    const server = await startForPosting(settings);
    try {
      while (!(await fetch(`${server.url}/readyz/publish`)).ok); // readers may come before items may
      rows.push(await measure(server, row, seconds));
    } finally {
      await server.stop();
    }
    const { way, what, a_second: rate, p99 } = rows.at(-1);
    console.log(`posting ${way}, ${what}: ${Math.round(rate)} a second, p99 ${ms(p99)}`);
  }
  const where = join(settings.build, 'bench');
  mkdirSync(where, { recursive: true });
  writeFileSync(join(where, 'posting.json'), JSON.stringify(rows, null, 1));
  console.log(`\n${table(rows)}`);
  if (settings.writeDocs) settings.writeDocs('posting', table(rows));
  return rows.filter((row) => !row.pass).length;
}
