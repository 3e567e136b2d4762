// client.mjs - a reader that comes back by itself and remembers everything it saw.
import WebSocket from 'ws';

export class Client {
  constructor(name, channels, urlOf, random) {
    Object.assign(this, { name, channels, urlOf, random, sessions: [], seen: [], gaps: 0, cursor: null, from: null });
    this.running = true;
    this.connect();
  }

  connect() {
    if (!this.running) return;
    const since = this.cursor ? `&since=${encodeURIComponent(this.cursor)}` : '';
    const socket = new WebSocket(`${this.urlOf()}/v1/stream?channels=${this.channels.join(',')}${since}`, 'newswire.v1',
      { perMessageDeflate: false, handshakeTimeout: 5000 });
    this.socket = socket;
    let session = -1;
    let wait = 20 + this.random() * 300;
    socket.on('message', (data) => {
      const m = JSON.parse(data.toString());
      if (m.type === 'hello') {
        session = this.sessions.push({ at: Date.now(), resumed: m.resumed }) - 1;
        this.from ??= m.cursor.split(':')[1];
      }
      if (m.type === 'gap') this.gaps += 1;
      if (m.type === 'bye') wait = Math.min(m.retry_ms, 1000);
      if (m.cursor) this.cursor = m.cursor;
      if (m.type !== 'post') return;
      this.seen.push({ cursor: m.cursor, action: m.action, uri: m.uri ?? m.item.uri, version: m.version ?? m.item.version,
        text: m.item !== undefined, at: Date.now(), session });
    });
    socket.on('error', () => {});
    socket.on('close', () => setTimeout(() => this.connect(), wait));
  }

  cut() { this.socket.terminate(); }
  stop() { this.running = false; this.socket.terminate(); }
}
