// A Redis for those who have none of their own; and Redis itself, whose pub/sub readers could use directly.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../child.mjs';
import { answers, freePort, remove, scratch, until } from '../start.mjs';

// `durable`: as newswired's own, every write is synced; otherwise it only passes messages on.
export async function startRedis(settings, directory, { durable = false, port = 0, more = [] } = {}) {
  const socket = join(directory, 'redis.sock');
  const keeping = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const redis = new Child(settings.serverCore, 'redis-server', ['--port', String(port), '--unixsocket', socket,
    '--dir', directory, '--save', '', ...keeping, ...more], { json: false });
  await until('Redis answered', () => existsSync(socket) && answers(socket), redis);
  return { socket, pid: redis.pid, stop: () => redis.stop() };
}

// As a peer: it keeps nothing, and throws nothing away that it has queued. Its readers come from 127.0.0.1, 127.0.0.2 …,
// which its protected mode would take for strangers.
export async function startRedisAlone(settings) {
  const directory = scratch(settings);
  const port = await freePort();
  const redis = await startRedis(settings, directory, {
    port, more: ['--bind', '127.0.0.1', '--protected-mode', 'no', '--maxclients', '19900', '--client-output-buffer-limit', 'pubsub 0 0 0', '--tcp-backlog', '4096'],
  });
  return {
    name: 'redis', ports: [port], speak: 'redis', envelope: 4,
    place: (asked) => asked,
    publish: { to: 'redis', at: redis.socket, shape: 'text', channel: (asked) => asked },
    pids: () => [redis.pid],
    async stop() {
      await redis.stop();
      remove(directory);
    },
  };
}
