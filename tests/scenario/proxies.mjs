// proxies.mjs - nginx and HAProxy of Debian's packages in front of a server, each with the least that an operator writes.
//
//   const url = await nginx(t, stage.url);       http://127.0.0.1:…; below /new/ it speaks HTTP/1.1 to the server, and upgrades
//
// Both listen on a socket in their own directory, to which a port of ours leads: so none is guessed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './stage.mjs';

/** A port that leads to the socket. */
async function portTo(t, path) {
  const ends = new Set();
  const relay = net.createServer({ allowHalfOpen: true }, (client) => {
    const proxy = net.connect({ path, allowHalfOpen: true });
    for (const [from, to] of [[client, proxy], [proxy, client]]) {
      ends.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy()).on('close', () => { ends.delete(from); if (from.errored) to.destroy(); });
    }
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.after(() => { relay.close(); for (const end of ends) end.destroy(); });
  return relay.address().port;
}

async function start(t, name, configure, args) {
  const dir = await mkdtemp(join(tmpdir(), `nw-${name}-`));
  await mkdir(join(dir, 'temp'));
  await writeFile(join(dir, 'conf'), configure(dir));
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn(name, args(dir), { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (data) => { said += data; });
  child.stderr.on('data', (data) => { said += data; });
  child.on('error', (error) => { said += error.message; });
  t.after(async () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(dir, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${await portTo(t, join(dir, 'socket'))}`;
  await until(async () => {
    if (child.pid === undefined || child.exitCode !== null) throw new Error(`${name} ended (is it installed?): ${said}`);
    return (await fetch(`${url}/healthz`).catch(() => null))?.status === 200;
  }, `${name} to pass a request`);
  return url;
}

const host = (url) => new URL(url).host;

export const nginx = (t, to) => start(t, 'nginx', (dir) => `
daemon off;
master_process off;
pid ${dir}/pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${dir}/temp/body;
  proxy_temp_path ${dir}/temp/proxy;
  fastcgi_temp_path ${dir}/temp/fastcgi;
  uwsgi_temp_path ${dir}/temp/uwsgi;
  scgi_temp_path ${dir}/temp/scgi;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen unix:${dir}/socket;
    location / { proxy_pass http://${host(to)}; }
    location /new/ {
      proxy_pass http://${host(to)}/;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $host;
    }
  }
}
`, (dir) => ['-p', dir, '-e', 'stderr', '-c', join(dir, 'conf')]);

export const haproxy = (t, to) => start(t, 'haproxy', (dir) => `
global
  maxconn 512
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
frontend news
  bind unix@${dir}/socket
  default_backend newswire
backend newswire
  server one ${host(to)}
`, (dir) => ['-db', '-f', join(dir, 'conf')]);
