#!/usr/bin/env node
// publish.mjs - items as lines of JSON on standard input; a receipt as a line of JSON for each, in the same order.
//
//   make-stories | NEWSWIRE_KEY=… node publish.mjs https://news.example world,sport
//
// One lasting line carries them all: the next does not wait for the one before. A receipt means durable. Exit status: 0 all
// have one; 1 some were refused; 3 of some it is not known, and the same again is safe. Elsewhere: npm install newswire.
import { createInterface } from 'node:readline';
import { publisher } from '../../web/sdk/newswire.js';

const [url, channels = ''] = process.argv.slice(2);
const key = process.env.NEWSWIRE_KEY;
if (!url || !key) {
  console.error('usage: NEWSWIRE_KEY=… node publish.mjs SERVER [CHANNEL,…] < items.ndjson');
  process.exit(2);
}

const desk = publisher({ url, key });
const AT_ONCE = 500; // how many may wait for their receipt
const waiting = new Set();
let last = Promise.resolve();
let status = 0;

async function send(line, before) {
  let said;
  try {
    said = await desk.publish(JSON.parse(line), { channels: channels.split(',').filter(Boolean) });
  } catch (error) {
    said = { status: error.unknown ? 'unknown' : 'refused', code: error.code, detail: error.message, errors: error.errors };
    status = Math.max(status, error.unknown ? 3 : 1);
  }
  await before; // in their order
  console.log(JSON.stringify(said));
}

for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) continue;
  const sent = send(line, last);
  last = sent;
  waiting.add(sent);
  sent.finally(() => waiting.delete(sent));
  if (waiting.size >= AT_ONCE) await Promise.race(waiting);
}
await last;
desk.close();
process.exitCode = status;
