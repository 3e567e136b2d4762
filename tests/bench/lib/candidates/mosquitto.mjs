// mosquitto: MQTT 3.1.1 over TCP, everything with QoS 0. It keeps nothing, and nothing that it has queued is thrown away.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../child.mjs';
import { answers, freePort, me, remove, scratch, until } from '../start.mjs';

const config = (port, { user }) => `
listener ${port} 127.0.0.1
user ${user}
allow_anonymous true
persistence false
max_queued_messages 0
set_tcp_nodelay true
sys_interval 0
log_dest stderr
log_type error
`;

export async function startMosquitto(settings) {
  const directory = scratch(settings);
  const port = await freePort();
  const file = join(directory, 'mosquitto.conf');
  writeFileSync(file, config(port, me()));
  const server = new Child(settings.serverCore, 'mosquitto', ['-c', file], { json: false });
  await until('mosquitto answered', () => answers(port), server);
  return {
    name: 'mosquitto', ports: [port], speak: 'mqtt', envelope: 4,
    place: (asked) => asked,
    publish: { to: 'mqtt', at: String(port), shape: 'text', channel: (asked) => asked },
    pids: () => [server.pid],
    async stop() {
      await server.stop();
      remove(directory);
    },
  };
}

export const mosquittoVersion = () =>
  `mosquitto ${/version (\S+)/.exec(execFileSync('sh', ['-c', 'mosquitto -h || true'], { encoding: 'utf8' }))[1]}`;
