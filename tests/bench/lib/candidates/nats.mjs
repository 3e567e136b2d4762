// nats-server, spoken to in its own protocol: a reader is a SUB, a message a PUB. It keeps nothing.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../child.mjs';
import { answers, freePort, remove, scratch, until } from '../start.mjs';

export async function startNats(settings) {
  const directory = scratch(settings);
  const port = await freePort();
  const file = join(directory, 'nats.conf');
  writeFileSync(file, `listen: 127.0.0.1:${port}\nlog_file: "${directory}/nats.log"\nmax_connections: 65536\n`);
  const server = new Child(settings.serverCore, 'nats-server', ['-c', file], { json: false });
  await until('nats-server answered', () => answers(port), server);
  return {
    name: 'nats', ports: [port], speak: 'nats', envelope: 4,
    place: (asked) => asked,
    publish: { to: 'nats', at: String(port), shape: 'text', channel: (asked) => asked },
    pids: () => [server.pid],
    async stop() {
      await server.stop();
      remove(directory);
    },
  };
}

export const natsVersion = () => `nats-server ${/v(\d\S+)/.exec(execFileSync('nats-server', ['--version'], { encoding: 'utf8' }))[1]}`;
