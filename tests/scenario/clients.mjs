// clients.mjs - the clients of others, each reading one address, and coming back from where it was whenever it is cut off.
//
//   const reader = await readWith.curl(t, url, { browser });       { posts(), ready() }; url: eventsUrl()
//   await reader.ready();
//   (await reader.posts()).map((post) => post.id)                  event sources: each post with the id of its event
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { Centrifuge } from 'centrifuge';
import { EventSource } from 'eventsource';
import { chromium } from 'playwright-core';
import WebSocket from 'ws';
import { Parser } from './events.mjs';
import { until } from './stage.mjs';

const executablePath = process.env.CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ...(process.env.NEWSWIRE_TLS ? ['--ignore-certificate-errors'] : [])]; // it trusts no file that it is told of

/** For a file's before(); whoever launched it closes it. */
export const launch = () => chromium.launch({ executablePath, args });

/** An empty page of another origin than the server's. */
export async function otherPage(t, browser) {
  const server = http.createServer((request, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>other</title>'));
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const page = await browser.newPage();
  t.after(async () => { await page.close(); server.closeAllConnections(); server.close(); });
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  return page;
}

// --- what runs in Node and in a page alike: `out` gets the posts ---------------------------------------------------------------

/** It comes back by itself; where it was refused, a new one is made, later. */
function readEvents(kind, url, out) {
  const open = () => {
    const source = new kind(out.last === undefined ? url : `${url}&last_event_id=${out.last}`);
    source.onopen = () => { out.ready = true; };
    source.onerror = () => { if (source.readyState === 2 && !out.over) setTimeout(open, 100); };
    source.addEventListener('post', (event) => {
      out.last = event.lastEventId;
      out.posts.push({ id: event.lastEventId, ...JSON.parse(event.data) });
    });
    out.close = () => { out.over = true; source.close(); };
  };
  open();
}

function readSocket(kind, url, out) {
  const open = () => {
    const socket = new kind(out.last === undefined ? url : `${url}&since=${out.last}`, 'newswire.v1');
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      out.last = message.cursor ?? out.last;
      out.ready = true;
      if (message.type === 'post') out.posts.push(message);
    };
    socket.onerror = () => {};
    socket.onclose = () => { if (!out.over) setTimeout(open, 20); };
    out.close = () => { out.over = true; socket.close(); };
  };
  open();
}

function readCentrifuge(kind, url, out, options) {
  const sdk = new kind(url, { minReconnectDelay: 1, maxReconnectDelay: 100, ...options });
  const world = sdk.newSubscription('world', { minResubscribeDelay: 1, maxResubscribeDelay: 100 });
  world.on('publication', ({ data }) => out.posts.push(data));
  world.on('subscribed', () => { out.ready = true; });
  world.subscribe();
  sdk.connect();
  out.close = () => sdk.disconnect();
}

/** It asks for messages that stand alone. */
class Alone extends WebSocket {
  constructor(url, protocol) { super(url, protocol, { perMessageDeflate: { serverNoContextTakeover: true } }); }
}

const inNode = (read, kind, options) => (t, url) => {
  const out = { posts: [] };
  read(kind, url, out, options);
  t.after(() => out.close());
  return { posts: async () => out.posts, ready: () => until(() => out.ready, `${url} to be open`) };
};

/** In a page of its own, or in one that is given. */
const inChromium = (read, kind, script) => async (t, url, { browser, page }) => {
  page ??= await otherPage(t, browser);
  if (script !== undefined) await page.addScriptTag({ content: readFileSync(new URL(script, import.meta.url), 'utf8') });
  const at = await page.evaluate(`(() => {
    const out = { posts: [] };
    (${read})(globalThis.${kind}, ${JSON.stringify(url)}, out);
    return (globalThis.outs ??= []).push(out) - 1;
  })()`);
  return {
    posts: async () => JSON.parse(await page.evaluate((n) => JSON.stringify(globalThis.outs[n].posts), at)),
    count: () => page.evaluate((n) => globalThis.outs[n].posts.length, at),
    ready: () => until(() => page.evaluate((n) => globalThis.outs[n].ready, at), `${url} to be open`),
  };
};

/** curl does not come back by itself: it is started anew with the last id. */
const curls = (more) => (t, url) => {
  const posts = [];
  let child, last, over = false, ready = false;
  const read = () => {
    const parser = new Parser();
    child = spawn('curl', ['-sN', ...more, '-H', 'accept: text/event-stream', ...(last ? ['-H', `last-event-id: ${last}`] : []), url],
      { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text) => {
      for (const { id, event, data } of parser.take(text)) {
        ready = true;
        last = id ?? last;
        if (event === 'post') posts.push({ id, ...JSON.parse(data) });
      }
    });
    child.on('close', () => setTimeout(() => { if (!over) read(); }, 20));
  };
  read();
  t.after(() => { over = true; child.kill('SIGKILL'); });
  return { posts: async () => posts, ready: () => until(() => ready, `curl to read ${url}`) };
};

/** Event sources. */
export const readWith = {
  eventsource: inNode(readEvents, EventSource),
  Chromium: inChromium(readEvents, 'EventSource'),
  curl: curls([]),
  'curl --compressed': curls(['--compressed']),
};

/** By WebSocket: newswire.v1, and Centrifuge's protocol. */
export const readSocketsWith = {
  ws: inNode(readSocket, WebSocket),
  'ws, each alone': inNode(readSocket, Alone),
  Chromium: inChromium(readSocket, 'WebSocket'),
};
export const readCentrifugeWith = {
  centrifuge: inNode(readCentrifuge, Centrifuge, { websocket: WebSocket }),
  Chromium: inChromium(readCentrifuge, 'Centrifuge', '../node_modules/centrifuge/dist/centrifuge.js'),
};
