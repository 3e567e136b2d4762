#!/usr/bin/env node
// follow.mjs - what readers see now, and what becomes of it, in a terminal.
//
//   node follow.mjs https://news.example world,sport
//
// The SDK does the rest: reconnecting, resuming, doubles, gaps, kills. Elsewhere: npm install newswire.
import { follow } from '../../web/sdk/newswire.js';

const [url, channels = ''] = process.argv.slice(2);
if (!url) {
  console.error('usage: node follow.mjs SERVER [CHANNEL,…]');
  process.exit(2);
}
const news = follow({ url, channels: channels.split(',').filter(Boolean) });

const headline = (entry) => entry.post?.item.headlines?.[0]?.value ?? entry.notice ?? entry.uri;
news.store.addEventListener('fill', () => {
  for (const entry of [...news.store].reverse())
    console.log(`         ${headline(entry)}`);
});
news.store.addEventListener('change', ({ detail: { entry, change } }) => console.log(`${change.padEnd(9)}${headline(entry)}`));
news.addEventListener('status', ({ detail }) => console.error(`(${detail.state})`));
news.addEventListener('error', ({ detail }) => console.error(`(${detail.message})`));
process.on('SIGINT', () => news.close());
