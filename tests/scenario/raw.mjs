// raw.mjs - WebSocket by hand (RFC 6455): what no well-made client sends.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { until } from './stage.mjs';

export const TEXT = 1, BINARY = 2, CONTINUATION = 0, CLOSE = 8, PING = 9, PONG = 10;
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='; // of RFC 6455, 1.3

/** The bytes of a client's frame. length: what the header says instead of the truth. */
export function frame(opcode, payload = '', { fin = true, rsv = 0, mask = true, length } = {}) {
  const body = Buffer.from(payload);
  const says = BigInt(length ?? body.length);
  const head = [(fin ? 0x80 : 0) | rsv << 4 | opcode];
  const masked = mask ? 0x80 : 0;
  if (says < 126n) head.push(masked | Number(says));
  else if (says < 65536n) head.push(masked | 126, Number(says >> 8n), Number(says & 255n));
  else {
    const wide = Buffer.alloc(8);
    wide.writeBigUInt64BE(says);
    head.push(masked | 127, ...wide);
  }
  if (!mask) return Buffer.concat([Buffer.from(head), body]);
  const key = randomBytes(4);
  return Buffer.concat([Buffer.from(head), key, body.map((byte, i) => byte ^ key[i % 4])]);
}
export const closing = (code, reason = '') => frame(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));

/** A socket that speaks WebSocket by hand, and remembers the server's frames. */
export class Raw {
  constructor(stage) {
    this.bytes = Buffer.alloc(0);
    this.frames = [];
    this.socket = stage.dial({ allowHalfOpen: true });
    this.socket.setNoDelay(true);
    this.socket.on('data', (data) => this.hear(data));
    this.socket.on('end', () => { this.ended = true; this.socket.end(); });
    this.socket.on('close', () => { this.ended = true; });
    this.socket.on('error', () => {}); // a reset is an end
  }
  hear(data) {
    this.bytes = Buffer.concat([this.bytes, data]);
    if (this.head === undefined) {
      const end = this.bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.bytes.subarray(0, end).toString();
      this.bytes = this.bytes.subarray(end + 4);
    }
    while (this.head.startsWith('HTTP/1.1 101') && this.takeFrame());
  }
  takeFrame() {
    const b = this.bytes;
    if (b.length < 2) return false;
    const short = b[1] & 127;
    const from = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (b.length < from) return false;
    const length = short === 127 ? Number(b.readBigUInt64BE(2)) : short === 126 ? b.readUInt16BE(2) : short;
    if (b.length < from + length) return false;
    assert.equal(b[1] & 0x80, 0, 'a server never masks');
    this.frames.push({ fin: b[0] >> 7 === 1, rsv: b[0] >> 4 & 7, opcode: b[0] & 15, payload: b.subarray(from, from + length) });
    this.bytes = b.subarray(from + length);
    return true;
  }
  get messages() { return this.frames.filter((f) => f.opcode === TEXT).map((f) => JSON.parse(f.payload.toString())); }
  get closeFrame() { return this.frames.find((f) => f.opcode === CLOSE); }
  send(...parts) { this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part)))); }
  saw(test, what) {
    return until(() => {
      const found = this.frames.find(test);
      if (!found && this.ended) throw new Error(`the connection ended while waiting for ${what}; frames: ${this.told()}`);
      return found;
    }, what);
  }
  /** How it ended: the close code, or 1006 where none was given. */
  async ends() {
    await until(() => this.ended, 'the end of the connection');
    const close = this.closeFrame;
    if (close === undefined) return 1006;
    return close.payload.length >= 2 ? close.payload.readUInt16BE(0) : 1005;
  }
  told() { return this.frames.map((f) => `${f.opcode}:${f.payload.toString('latin1').slice(0, 60)}`).join(' | '); }
}

export const handshake = (lines = {}, path = '/v1/stream?channels=world') => {
  const head = { Host: 'x', Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': KEY, 'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'newswire.v1', ...lines };
  return `GET ${path} HTTP/1.1\r\n${Object.entries(head).filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
};

export async function open(stage, t, lines = {}) {
  const raw = new Raw(stage);
  t.after(() => raw.socket.destroy());
  raw.send(handshake(lines));
  await raw.saw((f) => f.opcode === TEXT, 'hello');
  return raw;
}
