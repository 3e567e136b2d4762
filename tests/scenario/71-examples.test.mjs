// The goal: every example in clients/examples does what its head says, against a real newswired, as somebody who copies it would run it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { PATIENCE_MS, Stage, Store, item, sample, until } from './stage.mjs';
import { changeKeys, keyOf, publisher } from './keys.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const examples = join(here, '../../clients/examples');
const samples = join(here, '../samples');

const executablePath = process.env.CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
let browser;
before(async () => {
  browser = await chromium.launch({ executablePath, args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
});
after(async () => { await browser?.close(); });

/** Starts a program in a group of its own, which ends with the test. lines: what it said on stdout. */
function start(t, command, args, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const run = { child, lines: [], err: '', ended: once(child, 'close') };
  createInterface({ input: child.stdout }).on('line', (line) => run.lines.push(line));
  child.stderr.on('data', (data) => { run.err += data; });
  t.after(async () => {
    try { process.kill(-child.pid, 'SIGKILL'); } catch { /* it has ended */ }
    await run.ended;
  });
  run.says = (pattern) => until(() => run.lines.find((line) => pattern.test(line)), `a line like ${pattern}`)
    .catch((error) => { throw new Error(`${error.message}; it said ${run.lines.join(' | ')} ${run.err}`); });
  return run;
}

/** Runs one to its end. */
async function run(t, command, args, env) {
  const program = start(t, command, args, env);
  program.child.stdin.end();
  const [code] = await program.ended;
  return { code, out: program.lines.join('\n'), err: program.err };
}

async function directory(t) {
  const dir = await mkdtemp(join(tmpdir(), 'nw-examples-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** An example that follows: reads, survives the server's end, and misses nothing. */
async function follows(t, begin, { place, headline = (n) => new RegExp(`Headline ${n}\\b`) } = {}) {
  const stage = await Stage.open(t);
  const program = begin(stage, place);
  await stage.metric('newswire_readers').becomes(1);
  await stage.post(item({ headline: 'Headline 1' }), { channels: 'world' });
  await stage.post(item({ headline: 'Not of this channel' }), { channels: 'sport' });
  await program.says(headline(1));
  stage.options.port = stage.state.port;
  await stage.restart();
  await stage.post(item({ headline: 'Headline 2' }), { channels: 'world' });
  await program.says(headline(2));
  for (const n of [1, 2])
    assert.equal(program.lines.filter((line) => headline(n).test(line)).length, 1, `once: ${n}`);
  assert.ok(!program.lines.some((line) => line.includes('Not of this channel')));
  return { stage, program };
}

test('shell/follow.sh gives lines of JSON, across a restart of the server, and goes on another day', async (t) => {
  const place = join(await directory(t), 'place');
  const begin = (stage) => start(t, join(examples, 'shell/follow.sh'), [stage.url, 'channels=world'], { CURSOR_FILE: place });
  const { stage, program } = await follows(t, begin);
  for (const line of program.lines) assert.equal(JSON.parse(line).type, 'post');
  await until(async () => (await readFile(place, 'utf8')) === JSON.parse(program.lines.at(-1)).cursor, 'the place to be kept');
  process.kill(-program.child.pid, 'SIGTERM');
  await program.ended;
  await stage.post(item({ headline: 'Headline 3' }), { channels: 'world' });
  const nextDay = begin(stage);
  await nextDay.says(/Headline 3/);
  assert.equal(nextDay.lines.length, 1);
});

test('python/follow.py shows what happens, across a restart of the server, and goes on another day', async (t) => {
  const place = join(await directory(t), 'place');
  const begin = (stage) => start(t, 'python3', [join(examples, 'python/follow.py'), stage.url, '--channels', 'world', '--cursor-file', place]);
  const { stage, program } = await follows(t, begin);
  const story = item({ headline: 'To be withdrawn' });
  await stage.post(story, { channels: 'world' });
  await program.says(/To be withdrawn/);
  const { body: receipt } = await stage.post({ ...story, version: '2', pubStatus: 'canceled' }, { channels: 'world' });
  await program.says(/WITHDRAWN/);
  await until(async () => (await readFile(place, 'utf8')).endsWith(`:${receipt.id}`), 'the place to be kept');
  process.kill(-program.child.pid, 'SIGINT');
  await program.ended;
  await stage.post(item({ headline: 'Headline 3' }), { channels: 'world' });
  const nextDay = begin(stage);
  await nextDay.says(/Headline 3/);
  assert.equal(nextDay.lines.length, 1);
  const refused = await run(t, 'python3', [join(examples, 'python/follow.py'), stage.url, '--channels', 'UPPER:case:wrong']);
  assert.match(refused.err, /refused: 400/);
  assert.equal(refused.code, 1);
});

test('node/follow.mjs shows the list and what becomes of it', async (t) => {
  const stage = await Stage.open(t);
  const story = item({ headline: 'Headline 1' });
  await stage.post(story, { channels: 'world' });
  const program = start(t, process.execPath, [join(examples, 'node/follow.mjs'), stage.url, 'world']);
  await program.says(/^ +Headline 1/);
  await until(() => /live/.test(program.err), 'it to be live');
  await stage.post({ ...story, version: '2', headlines: [{ value: 'Headline 1, corrected' }] }, { channels: 'world' });
  await program.says(/Headline 1, corrected/);
  await stage.post({ ...story, version: '3', pubStatus: 'canceled' }, { channels: 'world' });
  await program.says(/^killed/);
  program.child.kill('SIGINT');
  assert.deepEqual(await program.ended, [0, null]);
});

test('node/publish.mjs sends lines of JSON over one lasting line, and says of each what became of it', async (t) => {
  const stage = await Stage.open(t);
  await changeKeys(stage, { keys: [publisher('desk', ['publish'], { channels: ['world'] })] });
  const reader = await stage.reader({ channels: ['world'] });
  const program = start(t, process.execPath, [join(examples, 'node/publish.mjs'), stage.url, 'world'], { NEWSWIRE_KEY: keyOf('desk') });
  const items = Array.from({ length: 600 }, (_, i) => item({ headline: `Headline ${i}` }));
  items[300] = { ...items[300], uri: 7, version: [] };
  program.child.stdin.end(`${items.map((one) => JSON.stringify(one)).join('\n')}\nno JSON\n`);
  assert.deepEqual(await program.ended, [1, null]);
  const said = program.lines.map((line) => JSON.parse(line));
  assert.equal(said.length, 601);
  assert.deepEqual(said.flatMap(({ status }, i) => (status === 'accepted' ? [] : [i])), [300, 600]);
  assert.deepEqual(said.filter(({ status }) => status === 'accepted').map(({ uri }) => uri), items.filter((_, i) => i !== 300).map(({ uri }) => uri));
  await reader.hasRead(599);
});

for (const [name, command] of [['shell/publish.sh', join(examples, 'shell/publish.sh')], ['python/publish.py', join(examples, 'python/publish.py')]])
  test(`${name} says sent only when it is, and is told why when it is not`, async (t) => {
    const store = await Store.open(t);
    const stage = await Stage.open(t, { store });
    await changeKeys(stage, { keys: [publisher('desk', ['publish'], { channels: ['world'] })] });
    const reader = await stage.reader({ channels: ['world'] });
    const publish = (file, ...channels) => run(t, command, [stage.url, file, ...channels], { NEWSWIRE_KEY: keyOf('desk'), ATTEMPTS: '60' });
    const sent = await publish(join(samples, '01-story.json'), 'world');
    assert.equal(sent.code, 0, sent.err);
    assert.equal(JSON.parse(sent.out).status, 'accepted');
    await reader.hasRead(1);
    const forbidden = await publish(join(samples, '02-video.json'), 'sport');
    assert.equal(forbidden.code, 1);
    assert.match(forbidden.err, /channel_forbidden/);

    // The store goes away: it waits, and is sent once, when the store is back.
    await store.kill();
    await until(async () => (await stage.http('/readyz/publish')).status === 503, 'the desk to be closed');
    const waiting = publish(join(samples, '07-no-headline.json'), 'world');
    await stage.metric('newswire_http_refused_total').reaches(1);
    await store.start();
    assert.equal((await waiting).code, 0);
    await reader.hasRead(2);
    const dir = await directory(t);
    const nowhere = await run(t, command, ['http://127.0.0.1:9', join(samples, '01-story.json'), 'world'],
      { NEWSWIRE_KEY: 'x', ATTEMPTS: '1', HOME: dir, PYTHONPATH: dir });
    assert.notEqual(nowhere.code, 0);
    assert.match(nowhere.err, /not known/);
  });

test('shell/redis.sh publishes through Redis, and adds to the inbox', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader();
  const env = { REDIS_CLI: `redis-cli -s ${stage.redisPath}` };
  const program = join(examples, 'shell/redis.sh');
  assert.match((await run(t, program, ['publish', join(samples, '01-story.json'), 'world'], env)).out, /^heard by \d/);
  await reader.hasRead(1);
  assert.match((await run(t, program, ['inbox', join(samples, '02-video.json'), 'world', 'sport'], env)).out, /^queued as \d+-\d+$/);
  const [, post] = await reader.hasRead(2);
  assert.ok(post.channels.includes('sport') && post.channels.includes('world'));
  assert.equal((await run(t, program, ['publish', join(samples, '01-story.json'), 'a', 'b'], env)).code, 2);
  const store = await Store.open(t);
  const unheard = await run(t, program, ['publish', join(samples, '01-story.json'), 'world'], { REDIS_CLI: `redis-cli -s ${store.path}` });
  assert.deepEqual([unheard.code, /nobody has heard it/.test(unheard.err)], [1, true]);
});

test('shell/superdesk.sh is taken like Superdesk itself', async (t) => {
  const stage = await Stage.open(t);
  await changeKeys(stage, { keys: [{ name: 'superdesk', secret: '123456789', channels: ['local-desk'], may: ['publish'] }] });
  const program = join(examples, 'shell/superdesk.sh');
  const url = `${stage.url}/v1/items?channels=local-desk`;
  const sent = await run(t, program, [url, join(samples, '08-superdesk-dialect.json')], { SECRET: '123456789' });
  assert.deepEqual([sent.code, sent.out.slice(0, 4)], [0, '201 '], sent.err);
  const wrong = await run(t, program, [url, join(samples, '08-superdesk-dialect.json')], { SECRET: 'guess' });
  assert.equal(wrong.code, 1);
  assert.match(wrong.out, /^401 .*bad_signature/);
});

/** Serves the pages of clients/examples/browser from another origin, with our server's name in them. */
async function site(t, stage) {
  const types = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8' };
  const server = createServer(async (request, response) => {
    const text = await readFile(join(examples, 'browser', request.url.slice(1)), 'utf8').catch(() => null);
    response.writeHead(text === null ? 404 : 200, { 'content-type': types[request.url.split('.').at(-1)] ?? 'text/plain' });
    response.end((text ?? '').replaceAll('https://news.example', stage.url));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

async function visit(t, url) {
  const page = await browser.newPage();
  t.after(() => page.close());
  page.setDefaultTimeout(PATIENCE_MS);
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  t.after(() => assert.deepEqual(errors, []));
  await page.goto(url);
  return page;
}

test('browser/eventsource.html is a live list, from another origin, with nothing but the browser', async (t) => {
  const stage = await Stage.open(t);
  const story = item({ headline: 'Rain' });
  await stage.post(story, { channels: 'world' });
  const page = await visit(t, `${await site(t, stage)}/eventsource.html`);
  const lines = () => page.locator('#news li').allInnerTexts();
  const shows = (...expected) => until(async () => JSON.stringify(await lines()) === JSON.stringify(expected), `the list to be ${expected}`)
    .catch(async (error) => { throw new Error(`${error.message}; it is ${await lines()}`); });
  await page.getByText('Live').waitFor();
  await shows('Rain');
  await stage.post(item({ headline: '<b>Sun</b>' }), { channels: 'world' });
  await shows('<b>Sun</b>', 'Rain');
  await stage.post({ ...story, version: '2', headlines: [{ value: 'Hail' }] }, { channels: 'world' });
  await shows('<b>Sun</b>', 'Hail');
  await stage.post({ ...story, version: '3', pubStatus: 'canceled' }, { channels: 'world' });
  await shows('<b>Sun</b>', 'This report has been withdrawn.');
  stage.options.port = stage.state.port;
  await stage.restart();
  await stage.post(item({ headline: 'Wind' }), { channels: 'world' });
  // If it was refused while the server started, it has fetched the list again, which knows nothing of what is gone.
  await until(async () => JSON.stringify((await lines()).slice(0, 2)) === '["Wind","<b>Sun</b>"]', 'the list to go on');
});

test('browser/element.html shows the news on another site, in two lines', async (t) => {
  const stage = await Stage.open(t);
  const story = item({ headline: 'Rain' });
  await stage.post(story, { channels: 'world' });
  const page = await visit(t, `${await site(t, stage)}/element.html`);
  await page.getByRole('article').getByText('Rain').waitFor();
  await stage.post(item({ headline: 'Sun' }), { channels: 'world' });
  await page.getByRole('article').getByText('Sun').waitFor();
  await stage.post({ ...story, version: '2', pubStatus: 'canceled' }, { channels: 'world' });
  await page.getByText('This report has been withdrawn.').waitFor();
  assert.equal(await page.getByText('Rain').count(), 0);
});

test('wordpress/newswire.php sends what happens to a post, keeps it while the server is away, and shows the list', async (t) => {
  const stage = await Stage.open(t);
  await changeKeys(stage, { keys: [publisher('courier', ['publish', 'correct', 'kill'])] });
  const reader = await stage.reader({ channels: ['world'] });
  const blog = start(t, 'php', [join(here, '../php/wordpress.php')], { NEWSWIRE_URL: stage.url, NEWSWIRE_KEY: keyOf('courier') });
  let asked = 0;
  const does = async (what, more) => {
    blog.child.stdin.write(`${JSON.stringify({ do: what, ...more })}\n`);
    asked += 1;
    await until(() => blog.lines.length >= asked, `an answer of the blog (${blog.err})`);
    return JSON.parse(blog.lines[asked - 1]);
  };

  await does('save', { id: 7, status: 'draft', title: 'Ferry', content: 'The ferry sails.', excerpt: 'It sails.' });
  const published = await does('save', { id: 7, status: 'publish', excerpt: 'It sails.' });
  assert.equal(published.meta.sent, true, JSON.stringify(published));
  const [post] = await reader.hasRead(1);
  assert.equal(post.item.uri, 'tag:courier.example,2026:post:7');
  assert.equal(post.item.headlines[0].value, 'Ferry');
  assert.equal(post.item.bodies[0].value, '<p>The ferry sails.</p>');
  assert.equal(post.item.associations[0].renditions[0].href, 'https://courier.example/pier.jpg');
  assert.ok(post.channels.includes('sport'));
  await does('save', { id: 7, status: 'publish', title: 'Ferry, corrected' });
  await does('save', { id: 7, status: 'draft' });
  await does('save', { id: 7, status: 'publish' });
  await does('save', { id: 8, status: 'publish', title: 'A page', content: 'x', type: 'page' });
  assert.deepEqual((await reader.hasRead(4)).map((p) => p.action), ['publish', 'correct', 'hold', 'release']);

  // The server goes away: two things happen meanwhile, and go out in their order when it is back.
  stage.options.port = stage.state.port;
  await stage.stop();
  const kept = await does('save', { id: 7, status: 'publish', title: 'Ferry, once more' });
  assert.deepEqual([kept.meta.sent, kept.meta.final, kept.cron.length, kept.waiting], [false, false, 1, 1]);
  assert.match(kept.said, /has not gone out yet/);
  await does('save', { id: 7, status: 'trash' });
  await stage.start();
  const resumed = await stage.reader({ channels: ['world'], since: reader.cursor });
  const sent = await does('cron');
  assert.deepEqual([sent.waiting, sent.cron], [0, []]);
  assert.deepEqual((await resumed.hasRead(2)).map((p) => p.action), ['correct', 'kill']);

  const refused = await does('save', { id: 7, status: 'publish' });
  assert.deepEqual([refused.meta.sent, refused.meta.final, refused.waiting], [false, true, 0]);
  assert.match(refused.said, /has refused this post/);
  await does('save', { id: 9, status: 'publish', title: 'Second', content: 'x' });
  await does('delete', { id: 9 });
  assert.deepEqual((await resumed.hasRead(4)).slice(2).map((p) => p.action), ['publish', 'kill']);
  const list = await does('shortcode', { with: { channels: 'a"><script>' } });
  assert.deepEqual(list.modules, [`${stage.url}/sdk/news-feed.js`]);
  assert.match(list.said, /^<news-feed src="[^"]+\/" channels="a&quot;&gt;&lt;script&gt;">/);
});

test('what the tests cannot run is at least right in its syntax, and the list of examples is whole', async (t) => {
  const readme = await readFile(join(examples, 'README.md'), 'utf8');
  const named = [...readme.matchAll(/\]\(((?:browser|node|python|shell|wordpress)\/[^)]+)\)/g)].map(([, file]) => file);
  assert.ok(named.length >= 11);
  for (const file of named) {
    assert.ok(existsSync(join(examples, file)), file);
    const check = { sh: ['sh', '-n'], php: ['php', '-l'], py: ['python3', '-m', 'py_compile'], mjs: [process.execPath, '--check'] }[file.split('.').at(-1)];
    if (!check) continue;
    const { code, err } = await run(t, check[0], [...check.slice(1), join(examples, file)], { PYTHONDONTWRITEBYTECODE: '1', PYTHONPYCACHEPREFIX: await directory(t) });
    assert.equal(code, 0, `${file}: ${err}`);
  }
});
