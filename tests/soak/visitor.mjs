// visitor.mjs - a reader who comes, stays for a while and goes, one way or another.
import http from 'node:http';
import WebSocket from 'ws';

const CHANNELS = ['world', 'sport', 'business', 'science', 'culture', 'weather'];

const pick = (list, random) => list[Math.floor(random() * list.length)];

/** What it asks for: mostly the same few, sometimes what nobody else has. */
function subscription(random) {
  const query = new URLSearchParams({ channels: pick(CHANNELS, random) });
  const dice = random();
  if (dice < 0.2) query.set('channels', `${pick(CHANNELS, random)},own-${Math.floor(random() * 1e6)}`);
  else if (dice < 0.3) query.set('class', 'flash,bulletin');
  else if (dice < 0.4) query.set('view', 'brief');
  else if (dice < 0.45) query.set('readers', '1');
  return query;
}

/* What a share of the readers does besides reading. */
const MANNERS = [
  { share: 0.03, name: 'sleeper', begin: (v) => v.pause() },
  { share: 0.05, name: 'chooser', begin: (v, random) => v.say({ type: 'subscribe', ref: 1, channels: [pick(CHANNELS, random)] }) },
  { share: 0.02, name: 'babbler', begin: (v) => v.say('this is {no JSON') },
];

/** random: () => 0…1. `since`: a cursor, or undefined. over(visitor) is called once, when it has gone. */
export class Visitor {
  constructor(url, { random, since, stayMs, over }) {
    Object.assign(this, { random, over, cursor: since, heard: 0 });
    this.query = subscription(random);
    if (since) this.query.set('since', since);
    this.transport = random() < 0.7 ? 'websocket' : 'sse';
    if (this.transport === 'websocket') this.openSocket(url);
    else this.openEvents(url);
    this.timer = setTimeout(() => this.leave(), stayMs);
  }

  openSocket(url) {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/stream?${this.query}`, 'newswire.v1',
      { perMessageDeflate: this.random() < 0.3, handshakeTimeout: 10000 });
    socket.on('open', () => this.begin());
    socket.on('message', (data) => this.hear(data.toString()));
    socket.on('error', () => {});
    socket.on('close', () => this.gone());
    this.pause = () => socket._socket?.pause();
    this.say = (what) => socket.send(typeof what === 'string' ? what : JSON.stringify(what), () => {});
    this.hangUp = () => (this.random() < 0.5 ? socket.close(1000) : socket.terminate());
    this.cut = () => {
      socket._socket?.resume(); // ws does not end while bytes wait to be read
      socket.terminate();
    };
  }

  openEvents(url) {
    const request = http.get(`${url}/v1/stream?${this.query}`, { agent: false, headers: { accept: 'text/event-stream' } }, (response) => {
      response.setEncoding('utf8');
      response.on('data', (text) => this.hear(text));
      response.on('error', () => {});
      this.pause = () => response.pause();
      this.begin();
    });
    request.on('error', () => {});
    request.on('close', () => this.gone());
    this.say = () => {};
    this.hangUp = this.cut = () => request.destroy();
  }

  begin() {
    let dice = this.random();
    for (const manner of MANNERS) {
      if (dice < manner.share) return void manner.begin(this, this.random);
      dice -= manner.share;
    }
  }

  hear(text) {
    this.heard += 1;
    const at = text.lastIndexOf('"cursor":"');
    const end = at < 0 ? -1 : text.indexOf('"', at + 10); // a piece of a stream may end within
    if (end > 0) this.cursor = text.slice(at + 10, end);
  }

  leave() {
    this.hangUp();
    this.patience = setTimeout(() => this.cut(), 3000); // who sleeps does not hear the answer to its goodbye
  }

  gone() {
    clearTimeout(this.timer);
    clearTimeout(this.patience);
    if (this.isGone) return;
    this.isGone = true;
    this.over(this);
  }
}
