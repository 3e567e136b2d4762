// The two that are compared, each started fresh for every measurement: the floor with a Redis that
// carries its messages, and newswired with its own.

import { existsSync, readFileSync, rmSync, mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Child } from './child.mjs';
import { tree } from './proc.mjs';

const START_MS = 20_000;
const POLL_MS = 10;

async function until(what, condition, child) {
  const end = Date.now() + START_MS;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (!child.alive) throw new Error(`${child.name} ended (${child.code}) before ${what}\n${child.errors}`);
    if (Date.now() > end) throw new Error(`${child.name}: ${what} took more than ${START_MS / 1000} s\n${child.errors}`);
    await pause(POLL_MS);
  }
}

function answers(path) {
  return new Promise((resolve) => {
    const socket = connect(path, () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

const directories = new Set();

function remove(directory) {
  rmSync(directory, { recursive: true, force: true });
  directories.delete(directory);
}

// A directory that is gone when the bench is, however that ends.
function scratch(settings) {
  const directory = mkdtempSync(join(settings.scratch, 'newswire-bench-'));
  directories.add(directory);
  return directory;
}

process.on('exit', () => directories.forEach(remove));

// Bare epoll and send. `faults` are nw-floor's options that make it lose, repeat or cut messages.
export async function startFloor(settings, { joined = false, faults = [] } = {}) {
  const directory = scratch(settings);
  const socket = join(directory, 'redis.sock');
  const redis = new Child(settings.serverCore, 'redis-server', ['--port', '0', '--unixsocket', socket,
    '--dir', directory, '--save', '', '--appendonly', 'no'], { json: false });
  await until('Redis answered', () => existsSync(socket) && answers(socket), redis);
  const floor = new Child(settings.serverCore, join(settings.build, 'nw-floor'),
    ['--redis', socket, '--channel', 'bench', '--mode', joined ? 'joined' : 'each', ...faults]);
  const { port } = await floor.hear(START_MS);
  return {
    name: 'floor', port, redis: socket, channel: 'bench', shape: 'frame', path: '/',
    pids: () => [floor.pid, redis.pid],
    async stop() {
      await floor.stop(null);
      await redis.stop();
      remove(directory);
    },
  };
}

export async function startNewswired(settings) {
  const directory = scratch(settings);
  const note = join(directory, 'newswired.json');
  const server = new Child(settings.serverCore, join(settings.build, 'newswired'), ['--port', '0',
    '--workers', '1', '--state-dir', directory, ...settings.serverArgs], { json: false });
  const ready = await until('newswired.json appeared', () => {
    try {
      return JSON.parse(readFileSync(note, 'utf8'));
    } catch {
      return null; // not there, or not complete yet
    }
  }, server);
  return {
    name: 'newswired', port: ready.port, redis: ready.redis.replace(/^unix:(\/\/)?/, ''),
    channel: 'newswire:in:bench', shape: 'item', path: '/v1/stream?channels=bench',
    pids: () => tree(server.pid),
    async stop() {
      await server.stop();
      remove(directory);
    },
  };
}
