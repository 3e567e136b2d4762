// What every candidate needs to be started: a directory of its own, a port, and to be waited for.

import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execFileSync } from 'node:child_process';

export const START_MS = 20_000;
const POLL_MS = 10;

export async function until(what, condition, child) {
  const end = Date.now() + START_MS;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (!child.alive) throw new Error(`${child.name} ended (${child.code}) before ${what}\n${child.errors}`);
    if (Date.now() > end) throw new Error(`${child.name}: ${what} took more than ${START_MS / 1000} s\n${child.errors}`);
    await pause(POLL_MS);
  }
}

// Whether something listens: on a unix socket's path, or on a port of 127.0.0.1.
export function answers(where) {
  return new Promise((resolve) => {
    const socket = connect(typeof where === 'number' ? { host: '127.0.0.1', port: where } : where,
      () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

const listens = (port) => new Promise((resolve) => {
  const server = createServer();
  server.on('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
});

// A port that was free a moment ago, for servers that cannot choose one themselves: none of those that the kernel gives
// to whoever connects, of whom there are thousands here.
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await listens(port)) return port;
  }
}

const directories = new Set();

export function remove(directory) {
  rmSync(directory, { recursive: true, force: true });
  directories.delete(directory);
}

// A directory that is gone when the bench is, however that ends.
export function scratch(settings) {
  const directory = mkdtempSync(join(settings.scratch, 'newswire-bench-'));
  directories.add(directory);
  return directory;
}

process.on('exit', () => directories.forEach(remove));

// Who runs the bench, for servers that would become somebody else when root starts them.
export function me() {
  return { user: userInfo().username, group: execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim() };
}
