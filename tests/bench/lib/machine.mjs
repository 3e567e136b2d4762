// The machine and the versions that a result belongs to.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { CANDIDATES } from './candidates.mjs';

function ask(program, ...args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

export const minute = () => `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;

export function machine(settings) {
  const debian = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  const library = (name) => ask('pkg-config', '--modversion', name) || 'unknown';
  return {
    date: minute(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    system: `${debian}, Linux ${release()}`,
    newswired: settings.floorOnly ? 'not measured' : ask(join(settings.build, 'newswired'), '--version').split('\n')[0] || 'unknown',
    redis: /v=(\S+)/.exec(ask('redis-server', '--version'))?.[1] ?? 'unknown',
    libwebsockets: library('libwebsockets'),
    peers: settings.peers.filter((name) => CANDIDATES[name].version).map((name) => CANDIDATES[name].version()),
    node: process.version,
    'state on': ask('stat', '-f', '-c', '%T', settings.scratch) || 'unknown',
    pinned: settings.serverCore === null ? 'no' : `server on core ${settings.serverCore}, readers and publisher on core ${settings.loadCore}`,
  };
}
