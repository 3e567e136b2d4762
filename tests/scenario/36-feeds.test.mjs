// The goal: the news goes out to programs that know nothing of newswire. Feed readers understand JSON Feed and Atom of it,
// whatever happens to a story and whatever it holds; pages of other origins may do what they may do, and no more.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
import test, { after, before } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parseAtomFeed, parseJsonFeed } from 'feedsmith';
import { chromium } from 'playwright-core';
import { SaxesParser } from 'saxes';
import { PATIENCE_MS, Stage, item, sample, until } from './stage.mjs';

// jsonfeed.org/version/1.1, as a schema: nothing may be there that it does not name, but extensions.
const text = { type: 'string', minLength: 1 };
const url = { type: 'string', format: 'uri' };
const object = (properties, required) => ({ type: 'object', properties, required, patternProperties: { '^_[a-z]+$': { type: 'object' } },
  additionalProperties: false });
const author = object({ name: text, url, avatar: url }, ['name']);
const JSON_FEED = object({
  version: { const: 'https://jsonfeed.org/version/1.1' }, title: text, home_page_url: url, feed_url: url, next_url: url, favicon: url,
  items: { type: 'array', items: { ...object({
    id: text, url, title: text, summary: text, content_html: text, content_text: text, image: url, language: text,
    date_published: { type: 'string', format: 'date-time' }, date_modified: { type: 'string', format: 'date-time' },
    authors: { type: 'array', minItems: 1, items: author }, tags: { type: 'array', items: text },
    attachments: { type: 'array', minItems: 1, items: object({ url, mime_type: text, title: text, size_in_bytes: { type: 'integer', minimum: 1 },
      duration_in_seconds: { type: 'number', exclusiveMinimum: 0 } }, ['url', 'mime_type']) },
  }, ['id']), anyOf: [{ required: ['content_html'] }, { required: ['content_text'] }] } },
}, ['version', 'title', 'items']);
const isJsonFeed = addFormats(new Ajv({ allErrors: true, strict: false })).compile(JSON_FEED);

/** The JSON Feed at a path, held against the standard, and as a feed reader understands it. */
async function jsonFeed(stage, path = '/feed.json') {
  const { status, headers, body, text: bytes } = await stage.http(path);
  assert.equal(status, 200, bytes);
  assert.equal(headers.get('content-type'), 'application/feed+json');
  assert.ok(isJsonFeed(JSON.parse(bytes)), JSON.stringify(isJsonFeed.errors));
  return { raw: JSON.parse(bytes), read: parseJsonFeed(bytes), headers, bytes, body };
}

/** The Atom at a path: well-formed, each entry with what RFC 4287 asks for, and as a feed reader understands it. */
async function atomFeed(stage, path = '/feed.atom') {
  const { status, headers, text: bytes } = await stage.http(path);
  assert.equal(status, 200, bytes);
  assert.equal(headers.get('content-type'), 'application/atom+xml; charset=utf-8');
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => { throw error; });
  parser.write(bytes).close();
  const read = parseAtomFeed(bytes);
  for (const thing of [read, ...(read.entries ?? [])]) {
    assert.match(thing.id, /^[a-z][a-z0-9+.-]*:\S+$/i);
    assert.ok(thing.title, 'a title');
    assert.match(thing.updated, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
  const ids = (read.entries ?? []).map((entry) => entry.id);
  assert.equal(new Set(ids).size, ids.length, 'no entry twice');
  return { read: { ...read, entries: read.entries ?? [] }, headers, bytes };
}

/** Both at once: the ids of what they show, which must be the same. */
async function shown(stage, query = '') {
  const json = await jsonFeed(stage, `/feed.json${query}`);
  const atom = await atomFeed(stage, `/feed.atom${query}`);
  const ids = json.raw.items.map((entry) => entry.id);
  assert.deepEqual(atom.read.entries.map((entry) => entry.id), ids);
  const feed = await stage.feed(query);
  assert.deepEqual(feed.items.map((post) => post.item.uri), ids, 'the same as /v1/feed');
  return { json, atom, ids };
}

test('feed readers see each sample, its pictures, films, authors and words', async (t) => {
  const stage = await Stage.open(t);
  for (const number of [1, 2, 3, 7, 8])
    assert.equal((await stage.post(sample(number), { channels: number === 2 ? 'docs' : 'world' })).status, 201);
  const { json, atom, ids } = await shown(stage);
  assert.deepEqual(ids, [8, 7, 3, 2, 1].map((number) => sample(number).uri ?? sample(number).guid));
  const [desk, quote, flash, film, ferry] = json.read.items;

  assert.equal(ferry.title, 'Harbour council approves night ferry between Ostrel and Vand');
  assert.equal(ferry.summary, 'The first crossing is planned for March.');
  assert.equal(ferry.content_html, sample(1).bodies[0].value);
  assert.deepEqual(ferry.authors, [{ name: 'Ilse Marrow', avatar: 'https://img.wire.example/a/im.png' }]);
  assert.equal(ferry.image, 'https://img.wire.example/88/1280.jpg');
  assert.deepEqual(ferry.tags, ['transport', 'world']);
  assert.equal(ferry.language, 'en');
  assert.deepEqual(json.raw.items[4]._newswire, { version: '1', class: 'regular', action: 'publish' });
  assert.deepEqual(film.attachments, [{ url: 'https://v.wire.example/tides1-720.mp4', mime_type: 'video/mp4', duration_in_seconds: 1264.5 }]);
  assert.equal(film.image, 'https://v.wire.example/tides1.jpg');
  assert.match(quote.title, /^"We will pay .*…$/);
  assert.equal(flash.title, 'STRONG EARTHQUAKE SHAKES VAND, SEISMOLOGY CENTRE SAYS');
  assert.equal(desk.language, 'uk');
  assert.equal(json.raw._newswire.cursor, (await stage.feed()).cursor, 'where the stream goes on');

  const entry = atom.read.entries[4];
  assert.equal(entry.content?.value ?? entry.content, sample(1).bodies[0].value);
  assert.deepEqual(entry.authors.map((a) => a.name), ['Ilse Marrow']);
  assert.deepEqual(entry.categories.map((c) => c.label), ['transport', 'world']);
  assert.ok(atom.read.entries[3].links.some((l) => l.rel === 'enclosure' && l.href === 'https://v.wire.example/tides1-720.mp4'));
  for (const link of [ferry.url, entry.links.find((l) => l.rel === 'alternate').href])
    assert.equal((await (await fetch(link)).json()).item.uri, ids[4], 'the permalink leads to the story');
});

test('every channel that any of the eight samples is in has both feeds, and the parsers read the same in them as in /v1/feed', async (t) => {
  const stage = await Stage.open(t);
  const soon = new Date(Date.now() + 3600e3).toISOString();
  const plain = { 1: 'world', 2: 'docs', 3: 'world', 4: 'world', 5: 'world', 6: 'world', 7: 'sport', 8: 'local-desk' };
  for (const [number, status] of [[1, 201], [2, 201], [3, 201], [4, 201], [5, 201], [6, 202], [7, 201], [8, 201]])
    assert.equal((await stage.post(sample(number, number === 6 ? { embargoedUntil: soon } : {}), { channels: plain[number] })).status, status, `sample ${number}`);
  const { items: held } = await stage.feed();
  assert.deepEqual(held.map((post) => post.item.uri), [8, 7, 2, 1].map((n) => sample(n).uri ?? sample(n).guid), '3 is killed, 6 is under embargo');
  assert.equal((await stage.post(sample(6), { channels: 'world' })).status, 201, 'the embargo is lifted');

  const channels = [...new Set((await stage.feed()).items.flatMap((post) => post.channels))];
  assert.ok(channels.length >= 15, `plain and derived: ${channels}`);
  const ids = new Set();
  for (const channel of channels) {
    const posts = (await stage.feed(`?channels=${channel}`)).items;
    const path = `/feed/${encodeURIComponent(channel)}`;
    const json = await jsonFeed(stage, `${path}.json`), atom = await atomFeed(stage, `${path}.atom`);
    assert.deepEqual(json.read.items.map((entry) => entry.id), posts.map((post) => post.item.uri), channel);
    assert.deepEqual(atom.read.entries.map((entry) => entry.id), posts.map((post) => post.item.uri), channel);
    assert.deepEqual(atom.read.entries.map((entry) => entry.title?.value ?? entry.title), json.read.items.map((entry) => entry.title), channel);
    assert.equal(json.read.title, `Newswire: ${channel}`);
    assert.equal(atom.read.links.find((link) => link.rel === 'self').href, stage.url + path + '.atom');
    assert.equal(json.read.feed_url, `${stage.url}${path}.json`);
    for (const bytes of [json.bytes, atom.bytes]) assert.doesNotMatch(bytes, /EARTHQUAKE|Corrects vote|edNote/, 'neither the killed text nor a note to editors');
    ids.add(atom.read.id);
  }
  assert.equal(ids.size, channels.length, 'each is a feed of its own');
});

test('one channel has its own address, and takes the filters of the feed', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(sample(1), { channels: 'world' });
  await stage.post(sample(2), { channels: 'docs,v1.x' });
  await stage.post(sample(3), { channels: 'world,docs' });
  const ids = (feed) => feed.raw.items.map((entry) => entry.id);
  const [ferry, film, quake] = [1, 2, 3].map((number) => sample(number).uri);
  assert.deepEqual(ids(await jsonFeed(stage, '/feed/world.json')), [quake, ferry]);
  assert.deepEqual(ids(await jsonFeed(stage, '/feed/v1.x.json')), [film]);
  assert.deepEqual(ids(await jsonFeed(stage, '/feed/type:video.json')), [film]);
  assert.deepEqual(ids(await jsonFeed(stage, '/feed/topic%3A20000337.json')), [ferry]);
  assert.deepEqual(ids(await jsonFeed(stage, '/feed/docs.json?class=flash')), [quake]);
  assert.deepEqual(ids(await jsonFeed(stage, '/feed/v1.x.json?channels=world')), [quake, film, ferry]);
  assert.deepEqual(ids(await jsonFeed(stage, '/feed/nothing.json')), []);
  assert.equal((await atomFeed(stage, '/feed/nothing.atom')).read.entries.length, 0);
  assert.deepEqual((await atomFeed(stage, '/feed/docs.atom')).read.entries.map((entry) => entry.id), [quake, film]);
  assert.equal((await jsonFeed(stage, '/feed/world.json')).raw.title, 'Newswire: world');
  await shown(stage, '?channels=world,docs&type=video');
  await shown(stage, '?lang=en&class=flash');
});

test('a feed is followed page by page by its own links, each story once', async (t) => {
  const stage = await Stage.open(t);
  const uris = Array.from({ length: 7 }, (_, i) => `https://wire.example/story?n=${i}&odd=%20å`);
  for (const uri of uris)
    await stage.post(item({ uri }), { channels: 'world' });
  const json = [], atom = [];
  for (let next = '/feed/world.json?limit=3&lang='; next;) {
    const { raw } = await jsonFeed(stage, next);
    json.push(...raw.items.map((entry) => entry.id));
    next = raw.next_url?.slice(stage.url.length);
  }
  for (let next = '/feed/world.atom?limit=3'; next;) {
    const { read } = await atomFeed(stage, next);
    atom.push(...read.entries.map((entry) => entry.id));
    next = read.links.find((link) => link.rel === 'next')?.href.slice(stage.url.length);
  }
  assert.deepEqual(json, [...uris].reverse());
  assert.deepEqual(atom, [...uris].reverse());
  assert.equal((await (await fetch((await jsonFeed(stage)).raw.items[0].url)).json()).item.uri, uris[6]);
});

test('what becomes of a story shows in the feeds: corrected, killed, held, embargoed, expired', async (t) => {
  const stage = await Stage.open(t);
  const soon = (ms) => new Date(Date.now() + ms).toISOString();
  await stage.post(sample(1), { channels: 'world' });
  await stage.post(sample(3), { channels: 'world' });
  const before = (await jsonFeed(stage)).raw.items.find((entry) => entry.id === sample(1).uri);
  await stage.post(sample(4), { channels: 'world' });
  const { json, atom } = await shown(stage);
  const corrected = json.raw.items.find((entry) => entry.id === sample(1).uri);
  assert.equal(corrected.content_html ?? corrected.content_text, sample(4).bodies[0].value);
  assert.deepEqual([corrected._newswire.action, corrected._newswire.version], ['correct', sample(4).version]);
  assert.equal(corrected.date_published, before.date_published, 'first published when it was');
  assert.ok(corrected.date_modified > before.date_modified, 'and changed now');
  assert.equal(atom.read.updated, corrected.date_modified);

  assert.equal((await stage.post(sample(5), { channels: 'world' })).status, 201);
  const secret = 'Nobody may know this yet';
  const embargoed = item({ uri: 'urn:test:embargo', headline: secret, body: secret, embargoedUntil: soon(5000) });
  assert.equal((await stage.post(embargoed, { channels: 'world' })).status, 202);
  await stage.post(item({ uri: 'urn:test:hold', headline: 'Held' }), { channels: 'world' });
  await stage.post({ uri: 'urn:test:hold', version: '2', pubStatus: 'withheld' }, { channels: 'world' });
  await stage.post(item({ uri: 'urn:test:brief', headline: 'Brief', expires: soon(5000) }), { channels: 'world' });
  const after = await shown(stage);
  assert.ok(!after.ids.includes('urn:test:hold') && !after.ids.includes(sample(3).uri));
  for (const bytes of [after.json.bytes, after.atom.bytes])
    assert.doesNotMatch(bytes, /EARTHQUAKE|Nobody may know|Held/);
  const ids = async () => (await jsonFeed(stage)).raw.items.map((entry) => entry.id);
  await until(async () => (await ids())[0] === 'urn:test:embargo', 'the embargo to be over');
  await until(async () => !(await ids()).includes('urn:test:brief'), 'the brief to expire');
  assert.deepEqual((await shown(stage)).ids, ['urn:test:embargo', sample(1).uri]);
});

// What newsrooms and their enemies put into texts.
const ODD = ['\u0001\u0008\u000b\u000c\u001b\u001f', '\u007f\u0085\u0080\u009f', '\ufffe\uffff\ufdd0', '\u2028\u2029\u200b\u202e\ufeff',
  ']]>', '<![CDATA[x', '<!--', '-->', '<?xml?>', '&amp;&#0;&#x1;&nope;', '"\'><', '</title></feed>', '<script>alert(1)</script>',
  '\\u0000\\', '{"a":"}', '\ud83d\ude00\ud83c\uddf8\ud83c\uddea', 'Ł\u0301', '\r\n\t\r', '%00%0d%0a', '${7*7}', '\u{1fffe}\u{10ffff}'];

test('whatever stands in a story, the feeds are well-formed and say the same', async (t) => {
  const stage = await Stage.open(t);
  const odd = ODD.join(' ');
  const texts = (role, value) => [{ role, value }];
  const full = { uri: 'urn:test:all', version: '1', type: 'text', language: odd, headlines: texts('main', odd), descriptions: texts('summary', odd),
    bodies: texts('main', odd), by: odd, copyrightNotice: odd, subjects: [{ name: odd, uri: odd }, { literal: odd }],
    renditions: [{ name: odd, href: odd, contentType: `video/${odd}`, title: odd }, { href: 'https://v.example/1', contentType: `video/${odd}`, title: odd, duration: 1e300, sizeInBytes: -1 }],
    associations: [{ rel: 'author', type: 'component', uri: 'urn:a', title: odd, renditions: [{ name: 'avatar', href: odd }] },
      { rel: 'featured', type: 'picture', uri: 'urn:p', renditions: [{ href: `https://i.example/${odd}`, contentType: 'image/png' }] }] };
  assert.equal((await stage.post(full, { channels: 'world' })).status, 201);
  for (const [i, value] of ODD.entries()) {
    const answer = await stage.post({ uri: `urn:test:odd:${i}`, version: '1', type: 'text', headlines: texts('main', `H ${value}`),
      bodies: [{ role: 'main', contentType: i % 2 ? 'text/html' : 'text/plain', value: `<p>B ${value}</p>` }] }, { channels: 'world' });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  }
  for (const uri of ['no iri', 'urn:a b<c>"', 'x:\u{1f600}\u202e', 'http://å.example/\u00a0', 'a'.repeat(1024), '%', '../../x?y#z#'])
    assert.equal((await stage.post(item({ uri, headline: 'U' }), { channels: 'world' })).status, 201, uri);

  const json = await jsonFeed(stage, '/feed.json?limit=100');
  const atom = await atomFeed(stage, '/feed.atom?limit=100');
  assert.equal(json.raw.items.length, 1 + ODD.length + 7);
  assert.equal(atom.read.entries.length, json.raw.items.length);
  const all = json.raw.items.at(-1);
  assert.equal(all.content_text, odd, 'a text is kept to the character');
  assert.deepEqual([all.image, all.language, all.attachments?.length, all.authors[0].avatar], [undefined, undefined, 1, undefined]);
  for (const entry of json.raw.items)
    assert.doesNotMatch(entry.content_html ?? '', /<script/i);
  const escaped = atom.read.entries.find((entry) => /^urn:newswire:item:urn%3Aa%20b/.test(entry.id));
  assert.equal(escaped.id, 'urn:newswire:item:urn%3Aa%20b%3Cc%3E%22');
  for (const entry of json.raw.items) {
    const answer = await (await fetch(entry.url)).json();
    assert.equal(answer.item?.uri, entry.id, `every permalink leads to its story: ${entry.url} ${JSON.stringify(answer)}`);
  }
});

test('who has a feed already is told so; a HEAD has no body; addresses follow --public-url', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(sample(1), { channels: 'world' });
  for (const path of ['/feed.json', '/feed.atom', '/feed/world.json', '/feed/world.atom']) {
    const first = await stage.http(path);
    const etag = first.headers.get('etag');
    assert.match(etag, /^"[0-9a-f]{32}"$/);
    assert.equal(first.headers.get('cache-control'), 'no-cache');
    assert.equal(first.headers.get('access-control-allow-origin'), '*');
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await stage.http(path, { headers: { 'if-none-match': known } });
      assert.deepEqual([again.status, again.text, again.headers.get('etag')], [304, '', etag]);
    }
    assert.equal((await stage.http(path, { headers: { 'if-none-match': '"x"' } })).status, 200);
    const head = await fetch(stage.url + path, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('etag'), await head.text()], [200, etag, '']);
    assert.equal(head.headers.get('content-length'), first.headers.get('content-length'));
    await stage.post(item({ headline: `for ${path}` }), { channels: 'world' });
    assert.equal((await stage.http(path, { headers: { 'if-none-match': etag } })).status, 200, 'something new');
  }
  for (const [path, status, code] of [['/feed.json?limit=0', 400, 'bad_limit'], ['/feed.atom?before=x', 400, 'bad_before'],
    ['/feed/BAD.json', 400, 'bad_channel'], ['/feed/world.xml', 404, 'not_found'], ['/feed/.json', 404, 'not_found'],
    ['/feed/a/b.json', 404, 'not_found'], ['/feed/', 404, 'not_found'], ['/feed.json?class=x', 400, 'bad_class']]) {
    const answer = await stage.http(path);
    assert.deepEqual([answer.status, answer.body.code], [status, code], path);
  }
  const named = await Stage.open(t, { 'public-url': 'https://news.example/wire' });
  await named.post(sample(1), { channels: 'world' });
  const { raw } = await jsonFeed(named, '/feed/world.json?limit=1');
  assert.equal(raw.home_page_url, 'https://news.example/wire/');
  assert.equal(raw.feed_url, 'https://news.example/wire/feed/world.json?limit=1');
  assert.match(raw.items[0].url, /^https:\/\/news\.example\/wire\/v1\/items\?uri=urn%3A/);
  const { read } = await atomFeed(named);
  assert.equal(read.id, 'https://news.example/wire/feed.atom');
});

/* --- pages of other origins ------------------------------------------------------------------- */

const executablePath = process.env.CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
let browser, elsewhere;
before(async () => {
  browser = await chromium.launch({ executablePath, args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  elsewhere = createServer((request, response) => response.setHeader('content-type', 'text/html').end('<title>Desk</title>'));
  await new Promise((go) => elsewhere.listen(0, '127.0.0.1', go));
});
after(async () => {
  await browser?.close();
  elsewhere?.close();
});

/** A page of another origin; tries(...) is fetch in it: its answer, or the browser's refusal. */
async function foreignPage(t) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.origin = `http://127.0.0.1:${elsewhere.address().port}`;
  await page.goto(page.origin);
  page.tries = (url, init) => page.evaluate(async ([to, how]) => {
    try {
      const response = await fetch(to, how);
      return { status: response.status, etag: response.headers.get('etag'), retry: response.headers.get('retry-after'), text: await response.text() };
    } catch (error) {
      return { refused: String(error) };
    }
  }, [url, init]);
  return page;
}

const posting = (stage, what, more = {}) => ({ method: 'POST', body: JSON.stringify(what),
  headers: { authorization: `Bearer ${stage.key}`, 'content-type': 'application/json', 'idempotency-key': 'once', ...more } });

test('every page may read, and none may post unless its origin is listed', async (t) => {
  const stage = await Stage.open(t);
  const page = await foreignPage(t);
  await stage.post(sample(1), { channels: 'world' });
  for (const path of ['/v1/feed', '/feed.json', '/feed/world.atom', `/v1/items/${encodeURIComponent(sample(1).uri)}`]) {
    const first = await page.tries(stage.url + path);
    assert.equal(first.status, 200, path);
    assert.ok(first.etag, 'the page sees the ETag');
    const again = await page.tries(stage.url + path, { headers: { 'if-none-match': first.etag }, cache: 'no-store' });
    assert.equal(again.status, 304, 'and may use it');
  }
  assert.equal((await page.tries(`${stage.url}/v1/items/urn:none`)).status, 404, 'it sees why not, too');
  const posted = await page.tries(`${stage.url}/v1/items?channels=world`, posting(stage, item({ uri: 'urn:test:foreign' })));
  assert.match(posted.refused, /Failed to fetch/);
  assert.match((await page.tries(`${stage.url}/v1/audit`, { headers: { authorization: `Bearer ${stage.key}` } })).refused, /Failed to fetch/);
  assert.match((await page.tries(`${stage.url}/metrics`)).refused, /Failed to fetch/);
  assert.equal((await stage.http('/v1/items/urn%3Atest%3Aforeign')).status, 404, 'nothing was posted');
});

test('a page whose origin is listed posts with a key, and is told what happened', async (t) => {
  const page = await foreignPage(t);
  const stage = await Stage.open(t, { 'cors-origin': `https://desk.example,${page.origin}` });
  const posted = await page.tries(`${stage.url}/v1/items?channels=world`, posting(stage, item({ uri: 'urn:test:desk' })));
  assert.equal(posted.status, 201, posted.refused ?? posted.text);
  assert.equal(JSON.parse(posted.text).uri, 'urn:test:desk');
  const wrong = await page.tries(`${stage.url}/v1/items`, posting(stage, item(), { authorization: 'Bearer wrong' }));
  assert.equal(wrong.status, 401, 'a refusal can be read as well');
  assert.equal((await page.tries(`${stage.url}/v1/audit`, { headers: { authorization: `Bearer ${stage.key}` } })).status, 200);
  assert.equal((await page.tries(`${stage.url}/v1/items/urn%3Atest%3Adesk`, { method: 'DELETE',
    headers: { authorization: `Bearer ${stage.key}` } })).status, 200);

  const other = await stage.http('/v1/audit', { headers: { origin: 'https://evil.example', authorization: `Bearer ${stage.key}` } });
  assert.equal(other.headers.get('access-control-allow-origin'), null);
});

test('OPTIONS says what an address can and what this page may', async (t) => {
  const stage = await Stage.open(t, { 'cors-origin': 'https://desk.example' });
  const ask = async (path, origin) => {
    const { status, text: body, headers } = await stage.http(path, { method: 'OPTIONS',
      headers: { ...(origin ? { origin } : {}), 'access-control-request-method': 'POST' } });
    assert.deepEqual([status, body], [204, '']);
    return Object.fromEntries(['allow', 'access-control-allow-origin', 'access-control-allow-methods', 'access-control-allow-headers',
      'access-control-max-age', 'vary'].map((name) => [name.replace('access-control-', ''), headers.get(name)]));
  };
  const allow = 'GET, HEAD, POST, DELETE, OPTIONS';
  const nothing = { 'allow-origin': null, 'allow-methods': null, 'allow-headers': null, 'max-age': null, vary: null };
  assert.deepEqual(await ask('/v1/items', 'https://desk.example'), { allow, 'allow-origin': 'https://desk.example',
    'allow-methods': 'GET, HEAD, POST, DELETE', 'allow-headers': 'authorization, content-type, idempotency-key, if-none-match',
    'max-age': '7200', vary: 'origin' });
  assert.deepEqual(await ask('/v1/items', 'https://desk.example.evil.example'), { allow, 'allow-origin': '*', 'allow-methods': 'GET, HEAD',
    'allow-headers': 'if-none-match', 'max-age': '7200', vary: null });
  assert.deepEqual(await ask('/v1/items'), { allow, ...nothing });
  assert.deepEqual(await ask('/v1/audit', 'https://evil.example'), { allow: 'GET, HEAD, OPTIONS', ...nothing });
  for (const origin of ['null', 'https://', 'https://desk.exampl', 'https://desk.example,https://desk.example', '*', 'x'.repeat(2000)])
    assert.deepEqual(await ask('/v1/audit', origin), { allow: 'GET, HEAD, OPTIONS', ...nothing }, origin);

  const open = await Stage.open(t, { 'cors-origin': '*' });
  const { headers } = await open.http('/v1/audit', { headers: { origin: 'https://any.example', authorization: `Bearer ${open.key}` } });
  assert.equal(headers.get('access-control-allow-origin'), '*');
  assert.equal(headers.get('access-control-allow-credentials'), null, 'never with what a browser sends by itself');
});

test('the reader page says where its feeds are', async (t) => {
  const stage = await Stage.open(t);
  const { text: page } = await stage.http('/');
  const links = [...page.matchAll(/<link rel="alternate" type="([^"]+)"[^>]* href="([^"]+)"/g)].map(([, type, href]) => [type, href]);
  assert.deepEqual(links, [['application/feed+json', 'feed.json'], ['application/atom+xml', 'feed.atom']]);
  for (const [type, href] of links)
    assert.ok((await stage.http(`/${href}`)).headers.get('content-type').startsWith(type));
});
