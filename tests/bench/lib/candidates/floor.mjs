// The floor: bare epoll and send, with a Redis that carries its messages. And libwebsockets as its examples
// use it, which gets them the same way.

import { join } from 'node:path';
import { Child } from '../child.mjs';
import { START_MS, remove, scratch } from '../start.mjs';
import { startRedis } from './redis.mjs';

const FRAME_HEADER = 4;

async function startOnRedis(settings, name, program, channel, options) {
  const directory = scratch(settings);
  const redis = await startRedis(settings, directory);
  const server = new Child(settings.serverCore, join(settings.build, program), ['--redis', redis.socket, '--channel', channel, ...options]);
  const { port } = await server.hear(START_MS);
  return {
    name, ports: [port], speak: 'ws', envelope: FRAME_HEADER,
    place: (asked) => `/${asked}`,
    publish: { to: 'redis', at: redis.socket, shape: 'text', channel: (asked) => asked },
    pids: () => [server.pid, redis.pid],
    async stop() {
      await server.stop(null);
      await redis.stop();
      remove(directory);
    },
  };
}

// `faults` are nw-floor's options that make it lose, repeat or cut messages; `spread` is how many channels it has.
export function startFloor(settings, { joined = false, faults = [], spread = 1 } = {}) {
  return startOnRedis(settings, 'floor', 'nw-floor', spread > 1 ? 'bench*' : 'bench',
    ['--mode', joined ? 'joined' : 'each', '--spread', String(spread), ...faults]);
}

export const startTextbook = (settings) => startOnRedis(settings, 'textbook', 'nw-textbook', 'bench', []);
