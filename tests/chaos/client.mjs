// client.mjs - a reader that comes back by itself, and remembers everything it saw in few bytes.
//
// Over WebSocket or Server-Sent Events, as docs/protocol.md tells a client to be: the last cursor, a random wait, `bye`'s wait, and a link that says
// nothing for two ticks is dead.
import http from 'node:http';
import { constants, createGunzip } from 'node:zlib';
import WebSocket from 'ws';
import { Parser } from '../scenario/events.mjs';
import { epochOf, idOf } from './checker.mjs';

const QUIET_MS = 5000; // two ticks of two seconds and a little

/* What many clients saw is the same: each message is kept once, and each client keeps its number. */
const known = new Map();
const messages = [];
function numberOf(m) {
  const text = m.item !== undefined;
  const uri = m.uri ?? m.item.uri;
  const version = m.version ?? m.item.version;
  const name = `${m.cursor} ${m.action} ${text} ${uri} ${version}`;
  let number = known.get(name);
  if (number === undefined) {
    number = messages.push({ cursor: m.cursor, action: m.action, uri, version, text }) - 1;
    known.set(name, number);
  }
  return number;
}

/** What one client saw, in order. */
class Memory {
  constructor() { Object.assign(this, { room: new Float64Array(3 * 256), length: 0 }); }
  add(number, at, session) {
    if (3 * this.length === this.room.length) {
      const more = new Float64Array(2 * this.room.length);
      more.set(this.room);
      this.room = more;
    }
    this.room.set([number, at, session], 3 * this.length++);
  }
  * [Symbol.iterator]() {
    for (let i = 0; i < this.length; i++) yield { ...messages[this.room[3 * i]], at: this.room[3 * i + 1], session: this.room[3 * i + 2] };
  }
}

class Client {
  /** subscription: {channels, class, type, view}; urlOf(): where to connect now; manners: {compressed, heard(message)}. */
  constructor(name, subscription, urlOf, manners = {}) {
    Object.assign(this, { name, subscription, urlOf, manners, sessions: [], stretches: [], seen: new Memory(), cursor: null, refused: 0 });
    Object.assign(this, { channels: subscription.channels, class: subscription.class, type: subscription.type });
    this.running = true;
    this.connect();
  }
  get url() {
    const query = Object.entries(this.subscription).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${[].concat(value).join(',')}`);
    return `${this.urlOf()}/v1/stream?${query.join('&')}`;
  }

  /* A new connection: whatever comes of the one before does not matter any more. */
  connect() {
    if (!this.running) return;
    this.wait = 20 + Math.random() * 300;
    this.session = -1;
    this.dialed = Date.now(); // whatever comes was written after that; its hello may have been held up on the way
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      clearTimeout(this.alarm);
      hangUp();
      if (this.running) setTimeout(() => this.connect(), this.wait);
    };
    const hear = (m) => { if (!over) this.hear(m); };
    const alive = () => {
      clearTimeout(this.alarm);
      this.alarm = setTimeout(end, QUIET_MS);
    };
    this.cut = end;
    alive();
    const hangUp = this.dial(hear, alive, end);
  }

  /* The place moves on by what has been dealt with. */
  hear(m) {
    if (m.type === 'hello') this.session = this.sessions.push({ at: this.dialed }) - 1;
    if (m.type === 'bye') this.wait = Math.min(m.retry_ms, 1000);
    if (m.cursor) this.move(m);
    if (m.type === 'post') this.seen.add(numberOf(m), Date.now(), this.session);
    this.manners.heard?.(m);
  }
  move({ type, cursor }) {
    const epoch = epochOf(cursor);
    const here = this.stretches.at(-1);
    if (here === undefined || type === 'gap') this.stretches.push({ epoch, from: idOf(cursor), to: idOf(cursor), told: true });
    else if (epoch === here.epoch) here.to = idOf(cursor);
    else if (type === 'hello') return; // a gap must be next
    else this.stretches.push({ epoch, from: '0-0', to: idOf(cursor), told: false });
    this.cursor = cursor;
  }
  stop() {
    this.running = false;
    this.cut();
  }
}

export class SocketClient extends Client {
  dial(hear, alive, end) {
    const since = this.cursor ? `&since=${encodeURIComponent(this.cursor)}` : '';
    const socket = new WebSocket(this.url.replace(/^http/, 'ws') + since, 'newswire.v1', { perMessageDeflate: this.manners.compressed === true });
    this.pause = () => socket._socket?.pause();
    this.resume = () => socket._socket?.resume();
    socket.on('message', (data) => {
      alive();
      hear(JSON.parse(data.toString()));
    });
    socket.on('error', end);
    socket.on('close', end);
    return () => socket.terminate();
  }
}

export class EventsClient extends Client {
  dial(hear, alive, end) {
    const parser = new Parser();
    const headers = { accept: 'text/event-stream', 'accept-encoding': this.manners.compressed ? 'gzip' : 'identity',
      ...(this.cursor ? { 'last-event-id': this.cursor } : {}) };
    const request = http.get(this.url, { headers, agent: false }, (response) => {
      if (response.statusCode !== 200) {
        end();
        return;
      }
      let body = response;
      if (response.headers['content-encoding'] === 'gzip') {
        body = createGunzip({ flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH });
        response.on('data', (bytes) => body.write(bytes));
      }
      this.pause = () => response.pause();
      this.resume = () => response.resume();
      body.setEncoding('utf8');
      body.on('data', (text) => {
        alive();
        for (const { id, data } of parser.take(text)) {
          if (data !== undefined) hear(JSON.parse(data));
          else if (id !== undefined) hear({ type: 'tick', cursor: id });
        }
      });
      body.on('error', end);
      response.on('error', end).on('close', () => setImmediate(end));
    });
    request.on('error', end);
    return () => request.destroy();
  }
}
