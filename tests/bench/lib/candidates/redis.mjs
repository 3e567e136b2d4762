// A Redis for those who have none of their own.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../child.mjs';
import { answers, until } from '../start.mjs';

// `durable`: as newswired's own, every write is synced; otherwise it only passes messages on.
export async function startRedis(settings, directory, { durable = false } = {}) {
  const socket = join(directory, 'redis.sock');
  const keeping = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const redis = new Child(settings.serverCore, 'redis-server', ['--port', '0', '--unixsocket', socket,
    '--dir', directory, '--save', '', ...keeping], { json: false });
  await until('Redis answered', () => existsSync(socket) && answers(socket), redis);
  return { socket, pid: redis.pid, stop: () => redis.stop() };
}
