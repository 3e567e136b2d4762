// pushpin: its own test resource accepts WebSockets and subscribes them to one channel, so it needs no backend; the
// newsroom pushes by ZeroMQ. (Its port for POST closes each connection after its answer.) Its limit of messages a second is lifted.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../child.mjs';
import { tree } from '../proc.mjs';
import { answers, freePort, remove, scratch, until } from '../start.mjs';

const SHIPPED = '/etc/pushpin/pushpin.conf';
const FRAME_HEADER = 4;
const AROUND = '{"channel":"test","formats":{"ws-message":{"content":""}}}'.length; // of nw-publish's shape

// The configuration as it is shipped, with these differences.
function config(directory, port, push, control) {
  const changes = {
    rundir: directory, logdir: directory, log_level: 0, routesfile: join(directory, 'routes'),
    http_port: `127.0.0.1:${port}`, push_in_http_port: control,
    push_in_spec: `tcp://127.0.0.1:${push}`, push_in_sub_specs: `ipc://${directory}/sub`, command_spec: `ipc://${directory}/command`,
    message_rate: 1_000_000_000, message_hwm: 1_000_000_000,
  };
  return readFileSync(SHIPPED, 'utf8').split('\n')
    .map((line) => { const [key] = line.split('='); return key in changes ? `${key}=${changes[key]}` : line; }).join('\n');
}

export async function startPushpin(settings) {
  const directory = scratch(settings);
  const [port, push, control] = [await freePort(), await freePort(), await freePort()];
  writeFileSync(join(directory, 'routes'), '* test\n');
  writeFileSync(join(directory, 'pushpin.conf'), config(directory, port, push, control));
  const runner = new Child(settings.serverCore, 'pushpin', [`--config=${join(directory, 'pushpin.conf')}`], { json: false });
  await until('pushpin answered', async () => await answers(port) && answers(push), runner);
  return {
    name: 'pushpin', ports: [port], speak: 'ws-mute', envelope: FRAME_HEADER - AROUND,
    place: () => '/ws',
    publish: { to: 'zmtp', at: String(push), shape: 'grip', channel: (asked) => asked },
    pids: () => tree(runner.pid),
    async stop() {
      await runner.stop();
      remove(directory);
    },
  };
}

export const pushpinVersion = () => `pushpin ${/(\d\S+)/.exec(execFileSync('pushpin', ['--version'], { encoding: 'utf8' }))[1]}`;
