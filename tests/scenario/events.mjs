// events.mjs - Server-Sent Events read byte by byte, for scenarios: what came, as it came.
//
//   const reader = await Events.open(stage, { channels: ['world'] });      has been said hello to
//   await reader.hasRead(3);                                               posts, as in stage.mjs
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { constants, createGunzip } from 'node:zlib';
import { until } from './stage.mjs';

/** The address of a stream. base: another way to the server (a proxy). */
export function eventsUrl(stage, { base = stage.url, ...subscription } = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(subscription))
    if (value !== undefined) query.set(name, Array.isArray(value) ? value.join(',') : value);
  return `${base}/v1/stream?${query}`;
}

/** What stands in a stream, event by event, as the HTML standard reads it. Each: {id, event, data, retry}; data undefined: it fires nothing. */
export class Parser {
  text = '';
  take(text) {
    this.text += text;
    const blocks = this.text.split('\n\n');
    this.text = blocks.pop();
    return blocks.map((block) => {
      const fields = {};
      for (const line of block.split('\n')) {
        const [, name, value] = line.match(/^(\w+): (.*)$/) ?? [];
        if (name === undefined) throw new Error(`not a field: ${JSON.stringify(line)}`);
        fields[name] = value;
      }
      return fields;
    });
  }
}

/** The body, whatever its coding. The end of a gzip stream is that of its connection: all that came is there. */
function inflated(response) {
  if (response.headers['content-encoding'] !== 'gzip') return response;
  const body = createGunzip({ flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH });
  response.on('data', (bytes) => body.write(bytes)); // no pipe: it would go on where a test has paused
  response.on('error', () => {});
  response.on('close', () => body.end());
  return body;
}

export class Events {
  static async open(stage, { headers, ...subscription } = {}) {
    const reader = Events.connect(stage, { headers, ...subscription });
    await reader.type('hello');
    return reader;
  }
  static connect(stage, { headers = {}, ...subscription } = {}) {
    const reader = new Events(eventsUrl(stage, subscription), headers);
    stage.readers.push(reader);
    return reader;
  }

  constructor(url, headers) {
    this.blocks = [];
    this.messages = [];
    const parser = new Parser();
    this.request = (url.startsWith('https:') ? https : http).get(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false }, (response) => {
      this.response = response;
      const body = inflated(response);
      body.setEncoding('utf8');
      body.on('data', (text) => {
        const blocks = parser.take(text);
        this.blocks.push(...blocks);
        this.messages.push(...blocks.filter((b) => b.data !== undefined).map((b) => JSON.parse(b.data)));
      });
      body.on('end', () => { this.ended = response.complete; this.stump = parser.text; });
      body.on('error', (error) => { this.error = error; });
      body.on('close', () => { this.closed = true; });
    });
    this.request.on('error', (error) => { this.error = error; this.closed = true; });
  }
  get posts() { return this.messages.filter((m) => m.type === 'post'); }
  /** The last event id, as a browser would have it. */
  get id() { return this.blocks.filter((b) => b.id !== undefined).at(-1)?.id; }
  saw(test, what) {
    return until(() => {
      const found = this.blocks.find(test);
      if (!found && this.closed) throw new Error(`closed while waiting for ${what}`);
      return found;
    }, what);
  }
  async type(type) { return JSON.parse((await this.saw((b) => b.event === type, `an event ${type}`)).data); }
  async hasRead(n) {
    await until(() => this.posts.length >= n || this.closed, `${n} posts (have ${this.posts.length})`);
    if (this.posts.length !== n) throw new Error(`${this.posts.length} posts instead of ${n}`);
    return this.posts;
  }
  ends() { return until(() => this.closed, 'the end of the stream'); }
  stopReading() { this.response.pause(); }
  goOnReading() { this.response.resume(); }
  close() { this.request.destroy(); }
}

/** A way to the server that breaks: each connection is cut once so many bytes of answer have gone through; the last of
 * `after` is for ever. heads: what each began with; answers: what each was answered first. without: headers that do not get through. */
export async function cutter(t, to, after = [Infinity], { without = [] } = {}) {
  const limits = [...after];
  const target = new URL(to);
  const ways = new Set();
  const lines = new RegExp(`^(${without.join('|')}):.*\r\n`, 'gim');
  const relay = net.createServer((client) => {
    const server = net.connect(Number(target.port), target.hostname);
    const way = { limit: limits.length > 1 ? limits.shift() : limits[0], passed: 0, reset: false };
    way.cut = () => { ways.delete(way); client.destroy(); server.destroy(); };
    ways.add(way);
    let head = '';
    const asks = (bytes) => {
      head += bytes.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      client.off('data', asks);
      relay.heads.push(head);
      server.write(without.length === 0 ? head : head.replace(lines, ''), 'latin1');
      client.pipe(server);
    };
    client.on('data', asks);
    server.once('data', (bytes) => relay.answers.push(bytes.toString('latin1')));
    server.on('data', (bytes) => {
      if (way.over) return;
      const part = bytes.subarray(0, Math.max(way.limit - way.passed, 0)); // its end may be in the middle of an event
      way.passed += bytes.length;
      way.over = way.passed >= way.limit;
      client.write(part, way.over ? end : undefined);
    });
    const end = () => {
      relay.cuts++;
      if (way.reset) client.resetAndDestroy();
      client.end(way.cut);
    };
    server.on('end', () => client.end());
    for (const socket of [client, server]) socket.on('error', way.cut).on('close', way.cut);
  });
  relay.heads = [];
  relay.answers = [];
  relay.cuts = 0;
  relay.cutAll = () => { for (const { cut } of ways) cut(); };
  /** The connection that is being read is cut so many bytes from now, by a reset or by an end. (Browsers open more than they use.) */
  relay.cutAfter = (bytes, reset) => {
    for (const way of ways) if (way.passed > 0) Object.assign(way, { limit: way.passed + bytes, reset });
  };
  await new Promise((listening) => relay.listen(0, '127.0.0.1', listening));
  t.after(() => { relay.cutAll(); relay.close(); });
  relay.url = `http://127.0.0.1:${relay.address().port}`;
  return relay;
}
