// The goal: a newswired with --tls-cert speaks TLS and nothing else, shows what its files held, takes new ones at a reload without losing anybody or
// anything, and says in words what is wrong with files that will not do. (What it speaks over TLS the scenarios show, which run over it too.)
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, readdir, rm, unlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import WebSocket from 'ws';
import { connect } from '../../clients/web/sdk/newswire.js';
import { Cli, files } from '../scenario/cli.mjs';
import { Events } from '../scenario/events.mjs';
import { Stage, item, program, until } from '../scenario/stage.mjs';
import { certificate } from './certificates.mjs';

/** A directory of our own with the authority in it: { dir, cert, key, use(other) }: use() puts other files in their place. */
async function pair(t) {
  const dir = await mkdtemp(join(tmpdir(), 'nw-tls-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await cp(process.env.NEWSWIRE_TLS, dir, { recursive: true });
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  return { dir, cert, key, use: async (other) => { await cp(other.cert, cert); await cp(other.key, key); } };
}

const options = ({ cert, key }) => ({ 'tls-cert': cert, 'tls-key': key });

/** A handshake. { certificate, chain, protocol, again: is it one of a session before, session }; fails as the handshake fails. */
function shake(stage, how = {}) {
  return new Promise((done, fail) => {
    const socket = stage.dial(how, () => {
      const shown = socket.getPeerCertificate(true);
      const seen = { certificate: shown.subject?.CN, above: shown.issuerCertificate?.subject?.CN, protocol: socket.getProtocol(),
        again: socket.isSessionReused(), curve: socket.getEphemeralKeyInfo()?.name, alpn: socket.alpnProtocol };
      socket.on('data', () => {}).on('close', () => done(seen)); // tickets come behind the handshake
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    });
    socket.on('session', (session) => { how.ticket = session; });
    socket.on('error', fail);
  });
}

const order = (stage, word) => new Promise((done) => execFile(program('newswired'), [word, '--state-dir', stage.dir],
  (error, out, err) => done({ code: error ? error.code : 0, out, err })));

const state = async (stage) => JSON.parse(await readFile(join(stage.dir, 'newswired.json'), 'utf8'));

test('the certificate is shown with those above it, by TLS 1.2 and 1.3, and the metric says when it ends', async (t) => {
  const mine = await pair(t);
  const stage = await Stage.open(t, options(mine));
  assert.match(stage.url, /^https:\/\/127\.0\.0\.1:/);
  assert.match(stage.out, /^newswire is running: https:/);
  assert.deepEqual(await shake(stage, { ALPNProtocols: ['h2', 'http/1.1'] }),
    { certificate: 'server', above: 'newswire tests', protocol: 'TLSv1.3', again: false, curve: 'X25519', alpn: 'http/1.1' });
  assert.equal((await shake(stage, { maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2');
  await assert.rejects(shake(stage, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), /alert protocol version|no protocols available|unsupported protocol/);
  const ends = Date.parse(new X509Certificate(await readFile(mine.cert)).validTo) / 1000;
  assert.equal(await stage.metric('newswire_certificate_end_time_seconds').read(), ends);
});

test('addresses in feeds begin with https', async (t) => {
  const stage = await Stage.open(t);
  assert.equal((await stage.post(item(), { channels: 'world' })).status, 201);
  assert.match((await stage.http('/feed.atom?channels=world')).text, /https:\/\/127\.0\.0\.1:\d+\//);
  assert.doesNotMatch((await stage.http('/feed.atom?channels=world')).text, /http:\/\/127/);
});

test('who speaks plainly, or nonsense, or nothing, is told so or let go, and is nothing to the others', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const plain = (text) => new Promise((done) => {
    const socket = net.connect(stage.state.port, '127.0.0.1');
    let heard = '';
    socket.on('data', (data) => { heard += data.toString('latin1'); }).on('error', () => {}).on('close', () => done(heard));
    socket.write(text);
  });
  for (const request of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'POST /v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}',
    'GET /v1/stream?channels=world HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n']) {
    const answer = await plain(request);
    assert.match(answer, /^HTTP\/1\.1 400 /, request);
    assert.match(answer, /"code":"tls_wanted","detail":"[^"]*https:\/\/ or wss:\/\/ here\."/);
  }
  const started = Date.now();
  await Promise.all(['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '\x16\x03\x01\x00\x05hello', '\x00'.repeat(3000), ' ', '\x16'].map(plain));
  assert.ok(Date.now() - started < 15000, 'a handshake has ten seconds');
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
});

test('sessions are taken up by every worker, and after a reload', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
    const first = { maxVersion };
    assert.equal((await shake(stage, first)).again, false);
    assert.ok(first.ticket, 'a ticket came');
    for (let n = 0; n < 10; n++) assert.equal((await shake(stage, { maxVersion, session: first.ticket })).again, true, `${maxVersion}, connection ${n}`);
    assert.equal((await order(stage, 'reload')).code, 0);
    for (let n = 0; n < 4; n++) assert.equal((await shake(stage, { maxVersion, session: first.ticket })).again, true, `${maxVersion}, after the reload`);
    await until(async () => (await stage.workers()).length === 2, 'the old workers to be gone');
  }
});

test('a reload takes the new certificate: whoever is connected stays until the goodbye, nobody loses anything', async (t) => {
  const mine = await pair(t);
  const stage = await Stage.open(t, { workers: 2, 'drain-time': '1s', tick: undefined, ...options(mine) });
  const wires = Array.from({ length: 30 }, () => {
    const wire = connect({ url: stage.url, WebSocket, share: false });
    t.after(() => wire.close());
    wire.read = [];
    wire.addEventListener('post', ({ detail }) => wire.read.push(detail.item.uri));
    return wire;
  });
  await until(() => wires.every((wire) => wire.status.state === 'live'), 'all to be live');
  const sent = [];
  let over = false;
  const posting = (async () => {
    while (!over) {
      const story = item();
      assert.equal((await stage.post(story)).status, 201);
      sent.push(story.uri);
    }
  })();
  await until(() => sent.length > 10, 'some posts');
  await mine.use(await certificate(mine.dir, 'second', { days: 10 }));
  assert.equal((await shake(stage)).certificate, 'server', 'before the reload');
  stage.child.kill('SIGHUP');
  await until(async () => (await state(stage)).generation === 2, 'the reload');
  assert.equal((await shake(stage)).certificate, 'second');
  const had = sent.length;
  await until(() => sent.length > had + 10, 'posts after it');
  over = true;
  await posting;
  for (const wire of wires) {
    await until(() => wire.read.length >= sent.length, 'a reader to have everything');
    assert.deepEqual([...wire.read].sort(), [...sent].sort());
  }
  const ends = Date.parse(new X509Certificate(await readFile(mine.cert)).validTo) / 1000;
  assert.equal(await stage.metric('newswire_certificate_end_time_seconds').read(), ends);
});

/** What each does to a pair of files, and the sentence that says so. */
const WRONG = {
  'no certificate there': [(mine) => unlink(mine.cert), /--tls-cert: \S+cert\.pem: No such file or directory/],
  'no key there': [(mine) => unlink(mine.key), /--tls-key: \S+key\.pem: No such file or directory/],
  'another certificate\'s key': [async (mine) => cp((await certificate(mine.dir, 'other')).key, mine.key), /--tls-key: \S+key\.pem is not the key of the certificate in \S+cert\.pem/],
  'a key of another kind': [(mine) => openssl('genrsa', '-out', mine.key, '2048'), /--tls-key: \S+key\.pem is not the key of the certificate in \S+cert\.pem/],
  'files the wrong way round': [async (mine) => { const key = await readFile(mine.key); await cp(mine.cert, mine.key); await writeFile(mine.cert, key); }, /--tls-cert: \S+cert\.pem holds no certificate in PEM/],
  'half a certificate': [async (mine) => writeFile(mine.cert, (await readFile(mine.cert)).subarray(0, 300)), /--tls-cert: \S+cert\.pem holds no certificate in PEM/],
  'a key with a passphrase': [(mine) => openssl('ec', '-in', mine.key, '-aes256', '-passout', 'pass:secret', '-out', mine.key), /--tls-key: \S+key\.pem has a passphrase, which nobody is there to say/],
};

const openssl = (...args) => new Promise((done, fail) => execFile('openssl', args, (error) => (error ? fail(error) : done())));

test('a reload with files that will not do is refused in words, and all is as before; a worker that dies comes back with what was read', async (t) => {
  const mine = await pair(t);
  const good = { cert: join(mine.dir, 'server.pem'), key: join(mine.dir, 'server.key') };
  const stage = await Stage.open(t, options(mine));
  const reader = await stage.reader({ channels: ['world'] });
  for (const [what, [spoil, words]] of Object.entries(WRONG)) {
    await mine.use(good);
    await spoil(mine);
    const answer = await order(stage, 'reload');
    assert.equal(answer.code, 1, what);
    assert.match(answer.err, words, what);
    const upgrade = await order(stage, 'upgrade');
    assert.equal(upgrade.code, 1, what);
    assert.match(upgrade.err, words, what);
  }
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
  const [worker] = await stage.workers();
  process.kill(worker, 'SIGKILL');
  await until(async () => (await shake(stage).catch(() => ({}))).certificate === 'server', 'another worker');
  assert.equal((await state(stage)).generation, 1);
});

test('at the start it is the same sentence, and no server', async (t) => {
  const start = async (args) => {
    const child = spawn(program('newswired'), ['--port=0', '--workers=1', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (data) => { said += data; });
    const [code] = await once(child, 'exit');
    return { code, said };
  };
  for (const [what, [spoil, words]] of Object.entries(WRONG)) {
    const mine = await pair(t);
    await spoil(mine);
    const { code, said } = await start([`--state-dir=${mine.dir}/state`, `--tls-cert=${mine.cert}`, `--tls-key=${mine.key}`]);
    assert.notEqual(code, 0, what);
    assert.match(said, words, what);
  }
  assert.match((await start(['--tls-cert=x'])).said, /--tls-cert is given and --tls-key is not: a certificate and its key go together/);
  assert.match((await start(['--tls-key=x'])).said, /--tls-key is given and --tls-cert is not/);
});

test('a certificate near its end, beyond it, or before its time is used, and doubted in the log', async (t) => {
  const mine = await pair(t);
  for (const [name, time, words] of [['ending', { days: 3 }, /its time is over within 14 days/],
    ['over', { begin: '20200101000000Z', end: '20210101000000Z' }, /its time is over: clients will refuse it/],
    ['early', { begin: '20900101000000Z', end: '20910101000000Z' }, /its time has not begun: clients will refuse it/]]) {
    const files = await certificate(mine.dir, name, time);
    const stage = await Stage.open(t, options(files));
    assert.match(stage.log, words);
    assert.equal((await shake(stage, { rejectUnauthorized: false })).certificate, name);
    await stage.stop();
  }
});

test('an upgrade over TLS: whoever is connected comes back, and the certificate is there', async (t) => {
  const stage = await Stage.open(t, { workers: 2, 'drain-time': '1s' });
  const wire = connect({ url: stage.url, WebSocket, share: false });
  t.after(() => wire.close());
  const read = [];
  wire.addEventListener('post', ({ detail }) => read.push(detail.item.uri));
  await until(() => wire.status.state === 'live', 'it to be live');
  const [before, after] = [item(), item()];
  assert.equal((await stage.post(before)).status, 201);
  assert.equal((await order(stage, 'upgrade')).code, 0);
  assert.equal((await stage.post(after)).status, 201);
  await until(() => read.length === 2, 'both');
  assert.deepEqual(read, [before.uri, after.uri]);
  assert.equal((await shake(stage)).certificate, 'server');
});

test('who is let go at the end is told that nothing follows; who is cut off is not', async (t) => {
  const stage = await Stage.open(t);
  /** How openssl, which looks, sees the end of a stream. */
  const watch = async (end) => {
    const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${stage.state.port}`, '-CAfile', join(process.env.NEWSWIRE_TLS, 'ca.pem'), '-quiet', '-ign_eof']);
    let [out, err] = ['', ''];
    client.stdout.on('data', (data) => { out += data; });
    client.stderr.on('data', (data) => { err += data; });
    client.stdin.on('error', () => {});
    client.stdin.write('GET /v1/stream?channels=world HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
    await until(() => out.includes('event: hello'), 'hello');
    const over = once(client, 'exit');
    await end();
    await over;
    return err;
  };
  const [worker] = await stage.workers();
  assert.match(await watch(() => process.kill(worker, 'SIGKILL')), /unexpected eof|errno/);
  await until(async () => (await shake(stage).catch(() => ({}))).certificate, 'another worker');
  assert.doesNotMatch(await watch(() => order(stage, 'reload')), /unexpected eof|errno/);
});

test('the program newswire reads and posts over TLS, by its own node\'s address, and refuses whom it cannot trust', async (t) => {
  const stage = await Stage.open(t);
  const [file] = await files(t, item({ headline: 'Sealed' }));
  const ca = join(process.env.NEWSWIRE_TLS, 'ca.pem');
  const trusting = await new Cli(t, ['publish', '--ca', ca, file], { dir: stage.dir, env: { SSL_CERT_FILE: '/dev/null' } }).ended;
  assert.equal(trusting.code, 0, trusting.err);
  assert.equal((await stage.feed('?channels=feed:all')).items.length, 1);
  const other = await new Cli(t, ['publish', file], { dir: stage.dir, env: { SSL_CERT_FILE: '/dev/null' } }).ended;
  assert.notEqual(other.code, 0);
  assert.match(other.err, /certificate/i);
});

test('with --public-url the node is announced by the name that its certificate is for', async (t) => {
  const stage = await Stage.open(t, { 'public-url': 'https://news.example/' });
  assert.equal((await state(stage)).url, 'https://news.example');
});

test('connections that come and go leave neither a descriptor nor a session behind', async (t) => {
  const stage = await Stage.open(t);
  const [worker] = await stage.workers();
  const open = async () => (await readdir(`/proc/${worker}/fd`)).length;
  const come = async (count) => {
    const readers = await Promise.all(Array.from({ length: count }, (_, n) => (n % 2 ? stage.reader({ channels: ['world'] }) : Events.open(stage, { channels: ['world'] }))));
    await Promise.all(Array.from({ length: count }, () => stage.http('/v1/feed')));
    readers.forEach((reader) => reader.close());
    await stage.metric('newswire_readers').becomes(0);
  };
  await come(100);
  await stage.metric('newswire_canary_seconds_count').reaches(1); // the worker's connection to itself is there
  const [before, memory] = [await open(), await stage.metric('newswire_resident_bytes').read()];
  for (let round = 0; round < 10; round++) await come(100);
  await until(async () => (await open()) <= before + 1, 'the descriptors to be closed'); // one is that of /metrics
  if (!/asan/.test(program('newswired'))) assert.ok((await stage.metric('newswire_resident_bytes').read()) < memory + (4 << 20));
});

test('a reader by TLS who reads slowly has every byte, in order; what waits for one who never reads has its bound', async (t) => {
  const stage = await Stage.open(t, { sndbuf: '16k', 'lag-memory': '2m' });
  const [other, slow, events, never] = [await stage.reader({ channels: ['world'] }), await stage.reader({ channels: ['world'] }),
    await Events.open(stage, { channels: ['world'] }), await stage.reader({ channels: ['world'] })];
  never.stopReading();
  const text = (n) => Array.from({ length: 60000 }, (_, i) => String.fromCharCode(97 + (i * 7 + n) % 26)).join('');
  for (let n = 0; n < 40; n++) {
    if (n % 4 === 0) { slow.stopReading(); events.stopReading(); }
    assert.equal((await stage.post(item({ uri: `urn:slow:${n}`, body: text(n) }), { channels: 'world' })).status, 201);
    if (n % 4 === 3) { slow.goOnReading(); events.goOnReading(); }
    assert.ok((await stage.metric('newswire_waiting_bytes').read()) <= 2 << 20);
  }
  for (const reader of [other, slow, events]) {
    await reader.hasRead(40);
    reader.posts.forEach((post, n) => {
      assert.equal(post.item.uri, `urn:slow:${n}`);
      assert.equal(post.item.bodies[0].value, text(n));
    });
  }
  never.goOnReading();
  await until(() => never.closed || never.messages.some(({ type }) => type === 'gap') || never.posts.at(-1)?.item.uri === 'urn:slow:39', 'the one who never read to have it, or to be told');
});
