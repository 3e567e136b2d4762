// hop.mjs - a piece of network that can break: a process that passes bytes between whoever connects and one address.
//
// Told by messages: {pass} as it should; {cut} connections stay open and nothing passes, also no end of one, as when a cable is out; {slow: bytes a
// second} with 50 ms of delay; {reset} all that is connected now is reset. Says {port} when it listens.
import net from 'node:net';

const DELAY_MS = 50;
const STEP_MS = 20;
let mode = 'pass';
let rate = Infinity;
const ways = new Set();
let budget = 0;

/* One direction: what came waits here while it may not pass. */
class Lane {
  constructor(from, to) {
    Object.assign(this, { from, to, waiting: [], bytes: 0, ended: false });
    from.on('data', (data) => {
      this.waiting.push({ data, at: Date.now() });
      this.bytes += data.length;
      if (this.bytes > 1 << 20) from.pause();
      this.go();
    });
    from.on('end', () => {
      this.ended = true;
      this.go();
    });
  }
  go() {
    while (this.waiting.length > 0 && mode !== 'cut') {
      const [first] = this.waiting;
      if (mode === 'slow' && (budget <= 0 || Date.now() - first.at < DELAY_MS)) return;
      const part = mode === 'slow' ? first.data.subarray(0, budget) : first.data;
      budget -= part.length;
      this.bytes -= part.length;
      this.to.write(part);
      if (part.length === first.data.length) this.waiting.shift();
      else first.data = first.data.subarray(part.length);
    }
    if (this.bytes <= 1 << 20) this.from.resume();
    if (this.ended && this.waiting.length === 0 && mode !== 'cut') this.to.end();
  }
}

const [, , port, host = '127.0.0.1'] = process.argv;
let target = Number(port);
const server = net.createServer({ allowHalfOpen: true }, (near) => {
  const far = net.connect({ port: target, host, allowHalfOpen: true });
  const way = { lanes: [new Lane(near, far), new Lane(far, near)], gone: false, reset() { near.resetAndDestroy(); far.resetAndDestroy(); } };
  ways.add(way);
  const leave = (other) => () => {
    way.gone = true;
    if (mode === 'cut') return; // nobody hears of it yet
    ways.delete(way);
    other.destroy();
  };
  for (const [socket, other] of [[near, far], [far, near]]) socket.setNoDelay(true).on('error', () => {}).on('close', leave(other));
  way.close = () => { near.destroy(); far.destroy(); };
});

setInterval(() => {
  budget = Math.min(rate * STEP_MS / 1000, rate); // what was not used is not saved up
  if (mode !== 'slow') return;
  for (const way of ways) for (const lane of way.lanes) lane.go();
}, STEP_MS);

process.on('message', (order) => {
  if (order.to !== undefined) target = order.to;
  if (order.reset) for (const way of ways) way.reset();
  if (order.reset || order.to !== undefined) return;
  mode = order.cut ? 'cut' : order.slow ? 'slow' : 'pass';
  rate = order.slow ?? Infinity;
  for (const way of ways) {
    for (const lane of way.lanes) lane.go();
    if (way.gone && mode !== 'cut') {
      ways.delete(way);
      way.close();
    }
  }
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
