// nchan in nginx: readers by WebSocket, the newsroom by POST. One nginx worker; nchan keeps its last messages in
// memory, as it does unless told otherwise.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../child.mjs';
import { tree } from '../proc.mjs';
import { answers, freePort, me, remove, scratch, until } from '../start.mjs';

const MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';

const config = (directory, port, { user, group }) => `
load_module ${MODULE};
daemon off;
user ${user} ${group};
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log error;
events { worker_connections 40000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  client_body_buffer_size 64k;
  nchan_shared_memory_size 256M;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /sub { nchan_subscriber; nchan_channel_id $arg_id; nchan_subscriber_first_message newest; }
    location = /pub { nchan_publisher; nchan_channel_id $arg_id; }
  }
}
`;

export async function startNchan(settings) {
  const directory = scratch(settings);
  const port = await freePort();
  mkdirSync(join(directory, 'body'));
  writeFileSync(join(directory, 'nginx.conf'), config(directory, port, me()));
  const nginx = new Child(settings.serverCore, 'nginx', ['-p', directory, '-e', join(directory, 'error.log'), '-c', join(directory, 'nginx.conf')], { json: false });
  await until('nginx answered', () => answers(port), nginx);
  return {
    name: 'nchan', ports: [port], speak: 'ws-mute', envelope: 4,
    place: (asked) => `/sub?id=${asked}`,
    publish: { to: 'http', at: String(port), shape: 'text', channel: (asked) => `/pub?id=${asked}` },
    pids: () => tree(nginx.pid),
    async stop() {
      await nginx.stop();
      remove(directory);
    },
  };
}

export const nchanVersion = () => {
  const nginx = execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' }).trim().split('/').pop();
  const nchan = execFileSync('dpkg-query', ['-W', '-f', '${Version}', 'libnginx-mod-nchan'], { encoding: 'utf8' });
  return `nchan ${nchan.replace(/^\d+:|\+.*/g, '')} in nginx ${nginx}`;
};
