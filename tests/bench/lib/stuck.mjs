// Readers who ask for the news and never read a byte of it: every second one over WebSocket, the others over
// Server-Sent Events.

import { connect } from 'node:net';

const AT_ONCE = 100;
const ANSWER_MS = 20_000;

const REQUESTS = {
  ws: 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13',
  sse: 'Accept: text/event-stream',
};

// One reader. It stops with the first bytes of its answer, so the kernel's buffer is all that the rest has.
function open(port, place, kind) {
  return new Promise((go, fail) => {
    const socket = connect({ host: '127.0.0.1', port });
    const giveUp = setTimeout(() => socket.destroy(new Error('a reader who is not to read was not answered')), ANSWER_MS);
    socket.on('error', fail);
    socket.once('data', (bytes) => {
      clearTimeout(giveUp);
      socket.pause();
      socket.removeListener('error', fail);
      socket.on('error', () => {}); // the server may end it whenever it likes
      if (/^HTTP\/1\.1 (101|200)/.test(bytes.toString('latin1'))) go(socket);
      else socket.destroy(fail(new Error(`a reader who is not to read was answered: ${bytes}`)));
    });
    socket.write(`GET ${place} HTTP/1.1\r\nHost: 127.0.0.1\r\n${REQUESTS[kind]}\r\n\r\n`);
  });
}

export class StuckReaders {
  #sockets = [];

  static async open(port, place, count) {
    const all = new StuckReaders();
    try {
      for (let i = 0; i < count; i += AT_ONCE) {
        const some = Array.from({ length: Math.min(AT_ONCE, count - i) }, (_, k) => open(port, place, (i + k) % 2 ? 'sse' : 'ws'));
        all.#sockets.push(...await Promise.all(some));
      }
    } catch (error) {
      all.close();
      throw error;
    }
    return all;
  }

  close() {
    this.#sockets.forEach((socket) => socket.destroy());
  }
}
