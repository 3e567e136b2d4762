// newswired, with its own Redis that syncs every write: one worker, several, or several nodes on one Redis.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../child.mjs';
import { tree } from '../proc.mjs';
import { remove, scratch, until } from '../start.mjs';
import { startRedis } from './redis.mjs';

async function startServer(settings, { workers = 1, redis } = {}) {
  const directory = scratch(settings);
  const note = join(directory, 'newswired.json');
  const server = new Child(settings.serverCore, join(settings.build, 'newswired'), ['--port', '0',
    '--workers', String(workers), '--state-dir', directory, ...(redis ? ['--redis', `unix:${redis}`, '--raw-publish', 'everything'] : []),
    ...settings.serverArgs], { json: false });
  const ready = await until('newswired.json appeared', () => {
    try {
      return JSON.parse(readFileSync(note, 'utf8'));
    } catch {
      return null; // not there, or not complete yet
    }
  }, server);
  return {
    port: ready.port,
    redis: ready.redis.replace(/^unix:(\/\/)?/, '').replace(/\?.*/, ''),
    pid: server.pid,
    url: ready.url.replace(/\/$/, ''),
    key: readFileSync(join(directory, 'publish.key'), 'utf8').split('\n')[0],
    // `newswired reload` or `upgrade`, answered when the new workers serve.
    async order(word) {
      const teller = new Child(null, join(settings.build, 'newswired'), [word, '--state-dir', directory], { json: false });
      if (await teller.ended !== 0) throw new Error(`newswired ${word}: ${teller.errors}`);
    },
    async stop() {
      await server.stop();
      remove(directory);
    },
  };
}

const candidate = (settings, name, redis, nodes) => ({
  name, redis, ports: nodes.map(({ port }) => port), speak: 'ws', envelope: settings.envelope ?? 0,
  place: (asked) => `/v1/stream?channels=${asked}`,
  publish: { to: 'redis', at: redis, shape: 'item', channel: (asked) => `newswire:in:${asked}` },
  pids: () => nodes.flatMap(({ pid }) => tree(pid)),
  // Where the news stands now: who comes back with it gets everything after.
  async cursor(channel) {
    const answer = await fetch(`http://127.0.0.1:${nodes[0].port}/v1/feed?channels=${channel}&limit=1`);
    return (await answer.json()).cursor;
  },
  stop: () => Promise.all(nodes.map((node) => node.stop())),
});

/** Its readers take compressed messages, as browsers do. */
export const startDeflate = async (settings) => ({ ...await startNewswired(settings, { name: 'deflate' }), speak: 'ws-deflate' });

/** The same by Server-Sent Events. */
export const startOverEvents = async (settings) => ({ ...await startNewswired(settings, { name: 'sse' }), speak: 'sse' });

/** The same in a gzip stream, as browsers take it. */
export const startOverGzip = async (settings) => ({ ...await startNewswired(settings, { name: 'gzip' }), speak: 'sse-gzip' });

export async function startNewswired(settings, { workers = 1, name = 'newswired' } = {}) {
  const node = await startServer(settings, { workers });
  return candidate(settings, name, node.redis, [node]);
}

export const startForCentrifuge = async (settings) =>
  ({ ...await startNewswired(settings, { name: 'centrifuge' }), speak: 'centrifuge', place: (asked) => asked });

/** For a tool that posts: {url, key, stop()}. */
export const startForPosting = (settings) => startServer({ ...settings, serverCore: null });

export const startTwoWorkers = (settings) => startNewswired(settings, { workers: 2, name: 'workers2' });

/** Two workers whose readers come back by themselves, to be replaced under them. */
export async function startResuming(settings) {
  const node = await startServer(settings, { workers: 2 });
  return { ...candidate(settings, 'resuming', node.redis, [node]), speak: 'ws-resuming', order: node.order };
}

export async function startTwoNodes(settings) {
  const directory = scratch(settings);
  const redis = await startRedis(settings, directory, { durable: true });
  const nodes = [];
  for (let i = 0; i < 2; i++) nodes.push(await startServer(settings, { redis: redis.socket }));
  const both = candidate(settings, 'nodes2', redis.socket, nodes);
  return {
    ...both,
    pids: () => [...both.pids(), redis.pid],
    async stop() {
      await both.stop();
      await redis.stop();
      remove(directory);
    },
  };
}
