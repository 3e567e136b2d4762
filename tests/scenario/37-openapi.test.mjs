// The goal: /openapi.json says what the server does, to the letter. It is valid OpenAPI 3.1; every route is in it and every
// path of it is a route; and what the server really answers, for each status and code that is written there, is as written.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { Stage, Store, item, program, sample, until } from './stage.mjs';
import { changeKeys, keyOf, publisher, superdeskSignature } from './keys.mjs';
import { Sentinels } from './sentinels.mjs';
import { Tool } from './tool.mjs';

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const text = read('docs/openapi.json');
const openapi = JSON.parse(text);
const METHODS = ['get', 'post', 'delete', 'put', 'patch'];
const operations = Object.entries(openapi.paths).flatMap(([path, entry]) => Object.keys(entry).filter((key) => METHODS.includes(key))
  .map((method) => ({ path, method, ...entry[method], parameters: [...entry.parameters ?? [], ...entry[method].parameters ?? []].map(follow) })));
const operation = (id) => operations.find((o) => o.operationId === id) ?? assert.fail(`no operation ${id}`);

/** What a {"$ref": "#/…"} points to, or the thing itself. */
function follow(thing) {
  return thing.$ref === undefined ? thing : pointer(thing.$ref.slice(1));
}
function pointer(path) {
  return path.split('/').slice(1).reduce((at, token) => at[token.replaceAll('~1', '/').replaceAll('~0', '~')], openapi)
    ?? assert.fail(`nothing at ${path}`);
}

/* --- schemas ---------------------------------------------------------------------------------- */

// A client must live with properties that it does not know; a test must not. shut() lets an object have only what is named,
// but where the document says itself that anything may be there (ninjs).
const shut = (schema) => (typeof schema === 'object' ? { ...tighten(schema), unevaluatedProperties: false } : schema);
function tighten(schema) {
  if (schema.additionalProperties === true) return schema;
  const out = { ...schema };
  if (schema.items) out.items = shut(schema.items);
  if (schema['x-line']) out['x-line'] = shut(schema['x-line']);
  if (schema.properties) out.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, value]) => [name, shut(value)]));
  for (const word of ['oneOf', 'anyOf', 'allOf']) if (schema[word]) out[word] = schema[word].map(tighten);
  return out;
}
const ajv = addFormats(new Ajv({ allErrors: true, strict: false }));
ajv.addSchema({ $id: 'openapi', components: { schemas: Object.fromEntries(Object.entries(openapi.components.schemas)
  .map(([name, schema]) => [name, tighten(schema)])) } });

const compiled = new Map();
function fits(schema, value, what) {
  const key = JSON.stringify(schema);
  if (!compiled.has(key)) compiled.set(key, ajv.compile(JSON.parse(JSON.stringify(shut(schema)).replaceAll('"#/components', '"openapi#/components'))));
  const check = compiled.get(key);
  assert.ok(check(value), `${what}: ${JSON.stringify(check.errors?.slice(0, 4))}\n${JSON.stringify(value).slice(0, 600)}`);
}

/* --- asking, and holding the answer against the document --------------------------------------- */

/** One HTTP exchange, byte by byte: {status, headers, text}. Ends with the head of a 101. */
async function exchange(stage, head, body = '') {
  const socket = stage.dial();
  const parts = [];
  socket.on('error', () => {});
  socket.on('data', (data) => {
    parts.push(data);
    const text = Buffer.concat(parts).toString('latin1');
    if (/^HTTP\/1.1 101 /.test(text) || /^event: hello\n.*\n\n/m.test(text)) socket.destroy(); // a stream does not end by itself
  });
  const end = new Promise((go) => socket.on('close', go));
  socket.write(head);
  socket.write(body);
  await end;
  const bytes = Buffer.concat(parts).toString();
  const [top, ...rest] = bytes.split('\r\n\r\n');
  const [line, ...lines] = top.split('\r\n');
  assert.match(line, /^HTTP\/1\.1 \d{3} /, `an answer to ${head.split('\r\n')[0]}`);
  const status = Number(line.split(' ')[1]);
  return { status, text: status === 101 ? '' : rest.join('\r\n\r\n'), // frames are another story
    headers: new Headers(lines.map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 1).trim()])) };
}

const seen = new Set(); // `<operationId> <status> <code>`: what was asked for and came
const address = (path, values = {}) => path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name]));

/** Asks as an operation says, and holds the answer against it. `expect`: the status, or [status, code]. */
async function ask(stage, id, expect, { path = {}, query = '', headers = {}, body, key, method, length } = {}) {
  const op = operation(id);
  const verb = method ?? op.method.toUpperCase();
  const lines = { host: 'news.example', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(body === undefined || length === null ? {} : { 'content-length': length ?? Buffer.byteLength(body) }), ...headers };
  const answer = await exchange(stage, `${verb} ${address(op.path, { ...examplesOf(op), ...path })}${query} HTTP/1.1\r\n` +
    `${Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`, body);
  const [status, code] = [expect].flat();
  assert.equal(answer.status, status, `${id}: ${answer.text.slice(0, 300)}`);
  holds(op, answer, verb === 'HEAD');
  if (code) assert.equal(JSON.parse(answer.text).code, code, id);
  if (verb !== 'HEAD') seen.add(`${id} ${status} ${code ?? ''}`.trim());
  return answer;
}
const examplesOf = (op) => Object.fromEntries(op.parameters.filter((p) => p.in === 'path').map((p) => [p.name, p.example]));

function holds(op, answer, isHead) {
  const where = `${op.operationId} ${answer.status}`;
  const response = follow(op.responses[answer.status] ?? op.responses.default);
  for (const [name, header] of Object.entries(response.headers ?? {})) {
    if (!follow(header).required && !answer.headers.has(name)) continue;
    assert.ok(answer.headers.has(name), `${where} has ${name}`);
    fits(follow(header).schema, answer.headers.get(name), `${where}: ${name}`);
  }
  for (const name of ['etag', 'retry-after', 'www-authenticate', 'allow', 'location', 'access-control-allow-origin'])
    if (answer.headers.has(name)) assert.ok(Object.keys(response.headers ?? {}).some((n) => n.toLowerCase() === name), `${where}: ${name} is not in the document`);
  if (isHead || response.content === undefined) {
    assert.equal(answer.text, '', where);
    return;
  }
  const type = answer.headers.get('content-type').split(';')[0];
  assert.ok(response.content[type], `${where} as ${type}`);
  const { schema } = response.content[type];
  fits(schema, /json$/.test(type) && !/ndjson/.test(type) ? JSON.parse(answer.text) : answer.text, where);
  const line = schema.$ref && follow(schema)['x-line'];
  if (line) for (const one of answer.text.trim().split('\n')) fits(line, JSON.parse(one), `${where}, a line`);
}

/* --- the document itself ------------------------------------------------------------------------ */

test('the document is valid OpenAPI 3.1, of this release, and served as it stands in the tree', async (t) => {
  const { valid, errors } = await new Validator().validate(openapi);
  assert.ok(valid, JSON.stringify(errors));
  assert.match(openapi.openapi, /^3\.1\./);
  assert.equal(`newswired ${openapi.info.version}`, execFileSync(program('newswired'), ['--version'], { encoding: 'utf8' }).trim());
  for (const [, ref] of text.matchAll(/"\$ref": "#([^"]+)"/g)) pointer(ref);
  assert.equal(new Set(operations.map((o) => o.operationId)).size, operations.length, 'no operationId twice');
  for (const op of operations) {
    const inPath = [...op.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    assert.deepEqual(op.parameters.filter((p) => p.in === 'path').map((p) => p.name), inPath, op.path);
  }
  for (const [kind, things] of Object.entries(openapi.components)) for (const name of Object.keys(things))
    if (kind !== 'securitySchemes') assert.ok(text.includes(`"#/components/${kind}/${name}"`), `${kind}/${name} is used`);

  const stage = await Stage.open(t);
  const answer = await ask(stage, 'getOpenApi', 200);
  assert.equal(answer.text, text);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  const etag = answer.headers.get('etag');
  await ask(stage, 'getOpenApi', 304, { headers: { 'if-none-match': etag } });
});

test('its examples are what its schemas say, and so are those of the manual and the samples', () => {
  const examples = [];
  (function gather(thing) {
    if (thing === null || typeof thing !== 'object') return;
    const { schema } = thing;
    if (schema && thing.example !== undefined) examples.push([schema, thing.example]);
    if (schema && thing.examples) for (const one of Object.values(thing.examples)) examples.push([schema, follow(one).value]);
    if (!schema && Array.isArray(thing.examples) && thing.type) for (const one of thing.examples) examples.push([thing, one]);
    for (const one of Object.values(thing)) gather(one);
  })(openapi);
  assert.ok(examples.length > 25);
  for (const [schema, value] of examples) fits(schema, value, 'an example');
  for (const number of [1, 2, 3, 4, 5, 6, 7, 8]) fits({ $ref: '#/components/schemas/PostedItem' }, sample(number), `sample ${number}`);

  const manual = Object.fromEntries([...read('docs/protocol.md').matchAll(/^```json (\w+)\n(.*)\n```$/gm)].map(([, name, json]) => [name, JSON.parse(json)]));
  for (const [path, said, heard] of [['/v1/stream', ['hello', 'like', 'post', 'kill', 'tick', 'gap', 'readers', 'bye', 'subscribed', 'error'], ['subscribe', 'ping']],
    ['/v1/publish', ['authorized', 'accepted', 'refused'], ['auth', 'publish', 'ping']]]) {
    const { receive, send } = openapi.paths[path].get['x-websocket'];
    for (const name of said) fits({ oneOf: receive.oneOf }, manual[name], name);
    for (const name of heard) fits({ oneOf: send.oneOf }, manual[name], name);
  }
  for (const [name, schema] of Object.entries({ problem: 'Problem', feed: 'FeedPage', gone: 'Withdrawal', receipt: 'Receipt', results: 'Results',
    purged: 'Purged', audit: 'AuditTrail', rejects: 'RejectList', key: 'KeyOwner', sent: 'SentTrail', held: 'HeldVersion', reach: 'Reach', channels: 'ChannelPage' })) fits({ $ref: `#/components/schemas/${schema}` }, manual[name], name);
});

const header = read('include/newswire/protocol.h');
const define = (name) => header.match(new RegExp(`#define ${name}\\s+"?([^"\\s]+)"?`))?.[1] ?? assert.fail(name);
const words = (macro) => [...header.matchAll(new RegExp(`\\b${macro}\\([A-Z_0-9]+, (?:(\\d+), )?"([a-z_0-9]+)"`, 'g'))].map(([, code, word]) => [code, word]);

test('its limits and words are those of protocol.h', () => {
  const limit = (name) => Number(define(`NEWSWIRE_${name}`));
  const { schemas, parameters } = openapi.components;
  assert.equal(parameters.channels.schema.maxItems, limit('MAX_CHANNELS'));
  assert.equal(parameters.sendTo.schema.maxItems, limit('MAX_CHANNELS'));
  assert.deepEqual([parameters.limit.schema.maximum, parameters.limit.schema.default], [limit('MAX_FEED_LIMIT'), limit('FEED_LIMIT')]);
  const page = operation('getChannels').parameters.find((p) => p.name === 'limit').schema;
  assert.deepEqual([page.maximum, page.default], [limit('MAX_CHANNELS_LIMIT'), limit('CHANNELS_LIMIT')]);
  assert.equal(schemas.ChannelPage.properties.channels.maxItems, limit('MAX_CHANNELS_LIMIT'));
  assert.equal(parameters.idempotencyKey.schema.maxLength, limit('MAX_IDEMPOTENCY'));
  assert.equal(schemas.Uri.maxLength, limit('MAX_URI'));
  assert.equal(schemas.PostedItems.maxItems, limit('MAX_BATCH_ITEMS'));
  assert.equal(schemas.Cursor.maxLength, limit('MAX_CURSOR'));
  const body = openapi.paths['/v1/items'].post.requestBody.description;
  for (const size of [`${limit('MAX_ITEM') / 1024} KiB`, `${limit('MAX_BATCH') / 1024 ** 2} MiB`, limit('MAX_BATCH_ITEMS').toLocaleString('en')])
    assert.ok(body.includes(size), size);
  assert.deepEqual(schemas.Action.enum, words('NEWSWIRE_ACTION').map(([, word]) => word));
  assert.deepEqual(schemas.Class.enum, words('NEWSWIRE_CLASS').map(([, word]) => word));
  assert.deepEqual(schemas.Receipt.properties.status.enum, words('NEWSWIRE_RECEIPT').map(([, word]) => word));
  const closes = openapi.paths['/v1/stream'].get['x-websocket'].closeCodes;
  const reasons = {};
  for (const [code, reason] of words('NEWSWIRE_CLOSE')) reasons[code] = [reasons[code], reason].filter(Boolean).join(', ');
  assert.deepEqual(closes, reasons);
  for (const [code, reason] of Object.entries(openapi.paths['/v1/publish'].get['x-websocket'].closeCodes)) assert.equal(reason, reasons[code]);
  assert.deepEqual(schemas.Right.enum, words('NEWSWIRE_RIGHT').map(([, word]) => word));
});

/* --- routes ------------------------------------------------------------------------------------- */

/** The table of routes.c: {path, isPrefix, methods}. */
function table() {
  const rows = read('server/http/routes.c').match(/static const struct route routes\[\] = \{\n([\s\S]*?)\n\};/)[1];
  return [...rows.replace(/\s+/g, ' ').matchAll(/\{([^{}]+)\}/g)].map(([, row]) => {
    const [path, isPrefix, methods] = row.split(',').map((cell) => cell.trim());
    return { path: path.split(' ').map((word) => (word.startsWith('"') ? word.slice(1, -1) : define(word))).join(''),
      isPrefix: isPrefix === 'true', methods: methods.split(' | ').flatMap((m) => (m === 'READ_METHODS' ? ['GET', 'HEAD'] : [m.replace('METHOD_', '')])) };
  });
}
const pages = read('clients/web/manifest.txt').match(/^\/\S*/gm);
/** Does this real path stand in the document under that one, as its patterns say? */
const isUnder = (template, path) => {
  const op = operations.find((o) => o.path === template);
  return new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{(\w+)\}/g, (_, name) =>
    `(${(follow(op.parameters.find((p) => p.name === name).schema).pattern ?? '.+').replace(/^\^|\$$/g, '')})`)}$`).test(path);
};
const documented = (paths) => [...new Set(paths.flatMap((path) => Object.keys(openapi.paths[path]).filter((m) => METHODS.includes(m)))
  .flatMap((m) => (m === 'get' ? ['GET', 'HEAD'] : [m.toUpperCase()])))].sort();

test('every route of the server is in the document, and every path of the document is a route', async (t) => {
  const rows = table();
  assert.ok(rows.length >= 13, 'the table was found');
  const left = new Set(Object.keys(openapi.paths));
  const allows = new Map(); // of each path of the document
  // The longer path first: /v1/items/ has those below it, /v1/items only itself.
  for (const { path, isPrefix, methods } of rows.toSorted((a, b) => b.path.length - a.path.length)) {
    const mine = [...left].filter((name) => (isPrefix ? name.startsWith(path) : name === path));
    assert.ok(mine.length > 0, `${path} of routes.c is not in docs/openapi.json`);
    assert.deepEqual(documented(mine), methods.toSorted(), `the methods of ${path}`);
    for (const name of mine) allows.set(name, methods);
    for (const name of mine) left.delete(name);
  }
  for (const page of pages)
    assert.ok([...left, ...allows.keys()].some((name) => isUnder(name, page)), `${page} of clients/web/manifest.txt is not in docs/openapi.json`);
  for (const name of left) {
    assert.ok(pages.some((page) => isUnder(name, page)), `${name} of docs/openapi.json is no route`);
    assert.deepEqual(documented([name]), ['GET', 'HEAD'], name);
    allows.set(name, ['GET', 'HEAD']);
  }

  const stage = await Stage.open(t);
  for (const [name, methods] of allows) {
    const op = operations.find((o) => o.path === name);
    const url = address(name, examplesOf(op));
    const allow = [...methods, 'OPTIONS'].sort();
    const options = await stage.http(url, { method: 'OPTIONS' });
    assert.deepEqual([options.status, options.headers.get('allow').split(', ').sort()], [204, allow], url);
    const other = await stage.http(url, { method: 'PATCH' });
    assert.deepEqual([other.status, other.body.code, other.headers.get('allow').split(', ').sort()], [405, 'bad_method', allow], url);
    fits({ $ref: '#/components/schemas/Problem' }, other.body, `PATCH ${url}`);
    for (const { method, responses, operationId } of operations.filter((o) => o.path === name)) {
      const { status } = await stage.http(url, { method: method.toUpperCase(), ...(method === 'post' ? { body: '{}' } : {}) });
      assert.ok(responses[status], `${operationId}: ${status}`);
      assert.notEqual(status, 405, operationId);
    }
  }
  for (const nowhere of ['/nothing', '/openapi.jso', '/openapi.json/', '/v1', '/v1/publis', '/sdk/', '/feed']) {
    for (const method of ['GET', 'OPTIONS', 'POST', 'DELETE']) {
      const answer = await stage.http(nowhere, { method });
      assert.deepEqual([answer.status, answer.body.code], [404, 'not_found'], `${method} ${nowhere}`);
      fits({ $ref: '#/components/schemas/Problem' }, answer.body, nowhere);
    }
  }
});

test('every page of the manifest answers, and a page of another origin may ask whether it has changed', async (t) => {
  const stage = await Stage.open(t);
  for (const page of pages) {
    const op = operations.find((o) => isUnder(o.path, page));
    const values = page.match(/[^/]*$/)[0];
    const answer = await ask(stage, op.operationId, 200, { path: { file: values } });
    await ask(stage, op.operationId, 304, { path: { file: values }, headers: { 'if-none-match': answer.headers.get('etag') } });
    await ask(stage, op.operationId, 200, { path: { file: values }, method: 'HEAD' });
    const may = await stage.http(page, { method: 'OPTIONS', headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'GET' } });
    assert.deepEqual([may.headers.get('access-control-allow-origin'), may.headers.get('access-control-allow-headers')], ['*', 'if-none-match'], page);
  }
  for (const [id, file] of [['getSdk', 'none.js'], ['getPageFile', 'none.css']]) await ask(stage, id, [404, 'not_found'], { path: { file } });
});

/* --- what is really answered -------------------------------------------------------------------- */

const hour = () => new Date(Date.now() + 3600e3).toISOString();
const long = 'x'.repeat(1025);
const feeds = ['getFeed', 'getJsonFeed', 'getAtomFeed', 'getJsonFeedOfChannel', 'getAtomFeedOfChannel'];
const items = [['getItem', (uri) => ({ path: { uri } })], ['getItemByQuery', (uri) => ({ query: `?uri=${encodeURIComponent(uri)}` })]];
const reaches = [['getReach', items[0][1]], ['getReachByQuery', items[1][1]]];
const purges = [['purgeItem', items[0][1]], ['purgeItemByQuery', items[1][1]]];

test('reading: pages of the feed, single items, and what is wrong with a question', async (t) => {
  const stage = await Stage.open(t);
  const full = sample(1);
  for (const [number, channels] of [[1, 'world'], [2, 'world'], [3, 'world'], [7, 'sport'], [8, 'world']])
    assert.equal((await stage.post(sample(number), { channels })).status, 201);
  for (const id of feeds) {
    const answer = await ask(stage, id, 200, { query: '?limit=2&class=flash,regular&lang=en&type=text,video' });
    await ask(stage, id, 200);
    await ask(stage, id, 200, { method: 'HEAD' });
    await ask(stage, id, 304, { query: '?limit=2&class=flash,regular&lang=en&type=text,video', headers: { 'if-none-match': answer.headers.get('etag') } });
    for (const [query, code] of [['limit=0', 'bad_limit'], ['limit=101', 'bad_limit'], ['before=zzz', 'bad_before'], ['channels=NO', 'bad_channel'],
      ['class=huge', 'bad_class'], ['lang=!!', 'bad_lang'], ['type=poem', 'bad_type'], [`x=${'y'.repeat(5000)}`, 'bad_query'],
      [`channels=${Array.from({ length: 300 }, (_, i) => `c${i}`)}`, 'too_many_channels']])
      await ask(stage, id, [400, code], { query: `?${query}` });
  }
  await ask(stage, 'getFeed', 200, { query: '?view=brief' });
  await ask(stage, 'getFeed', [400, 'bad_view'], { query: '?view=short' });
  for (const id of ['getJsonFeedOfChannel', 'getAtomFeedOfChannel']) await ask(stage, id, [404, 'not_found'], { path: { channel: 'a/b' } });
  assert.equal((await stage.post(sample(5), { channels: 'world' })).status, 201);
  for (const [id, by] of items) {
    const answer = await ask(stage, id, 200, by(full.uri));
    await ask(stage, id, 304, { ...by(full.uri), headers: { 'if-none-match': answer.headers.get('etag') } });
    await ask(stage, id, [404, 'not_found'], by('urn:none'));
    await ask(stage, id, 410, by(sample(5).uri));
    await ask(stage, id, [400, 'bad_uri'], by(long));
    await ask(stage, id, [400, 'bad_query'], { path: { uri: 'urn:x' }, query: `?x=${'y'.repeat(5000)}` });
  }
});

/** A handshake; `more` replaces lines of it. */
const handshake = (more = {}) => ({ headers: Object.fromEntries(Object.entries({ upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', ...more }).filter(([, value]) => value !== null)) });

async function handshakes(stage, id) {
  await ask(stage, id, [426, 'upgrade_required']);
  await ask(stage, id, [426, 'bad_version'], handshake({ 'sec-websocket-version': '8' }));
  await ask(stage, id, [400, 'bad_protocol'], handshake({ 'sec-websocket-protocol': 'graphql-ws' }));
  await ask(stage, id, [431, 'too_many_extensions'], handshake({ 'sec-websocket-extensions': `x-${'y'.repeat(253)}` }));
  await ask(stage, id, [426, 'upgrade_required'], handshake({ upgrade: 'h2c' }));
  await ask(stage, id, [400, 'bad_handshake'], handshake({ 'sec-websocket-key': null }));
  await ask(stage, id, [400, 'bad_query'], { query: `?x=${'y'.repeat(5000)}` });
  await ask(stage, id, 101, handshake({ 'sec-websocket-protocol': 'newswire.v1' }));
}

test('the stream: the handshake and its refusals, and every message of both sides', async (t) => {
  const stage = await Stage.open(t, { 'max-readers': 2, 'drain-time': '500ms' });
  await handshakes(stage, 'openStream');
  await handshakes(stage, 'openCentrifuge');
  await stage.metric('newswire_readers').becomes(0);

  const events = { accept: 'text/event-stream' };
  await ask(stage, 'openStream', 200, { headers: events });
  await ask(stage, 'openStream', 200, { headers: events, method: 'HEAD' });
  for (const [query, code] of [['channels=NO', 'bad_channel'], ['class=huge', 'bad_class'], ['lang=!!', 'bad_lang'], ['type=poem', 'bad_type'], ['view=short', 'bad_view'], ['ahead=yes', 'bad_ahead'],
    [`channels=${Array.from({ length: 257 }, (_, n) => `c${n}`)}`, 'too_many_channels'], ['last_event_id=x', 'bad_cursor']])
    await ask(stage, 'openStream', [400, code], { query: `?${query}`, headers: events });
  await stage.metric('newswire_readers').becomes(0);

  const { receive, send, subprotocol } = openapi.paths['/v1/stream'].get['x-websocket'];
  assert.equal(subprotocol, 'newswire.v1');
  const say = (reader, message) => { fits({ oneOf: send.oneOf }, message, 'what a client says'); reader.send(message); };
  const reader = await stage.reader({ channels: ['world', 'sport'], socket: { perMessageDeflate: true } });
  for (const [number, posts] of [[1, 1], [4, 2], [3, 3], [5, 4]]) {
    await stage.post(sample(number), { channels: 'world' });
    await reader.hasRead(posts);
  }
  const story = item();
  for (const [what, posts] of [[story, 5], [{ uri: story.uri, version: '2', pubStatus: 'withheld' }, 6], [{ ...story, version: '3' }, 7],
    [item({ evolvedFrom: story.uri }), 8]]) {
    await stage.post(what, { channels: 'sport' });
    await reader.hasRead(posts);
  }
  assert.deepEqual([...new Set(reader.posts.map((post) => post.action))].sort(), ['correct', 'hold', 'kill', 'publish', 'release', 'update']);
  say(reader, { type: 'ping' });
  await reader.type('tick');
  say(reader, { type: 'subscribe', ref: 7, channels: ['world'], class: ['flash'], lang: ['en'], types: ['text'], view: 'brief', since: reader.cursor });
  await reader.type('subscribed');
  say(reader, { type: 'subscribe', channels: ['world'], readers: true });
  await reader.type('readers');
  for (const message of [{ type: 'subscribe', ref: 'a', channels: ['NO'] }, { type: 'dance' }, { type: 'subscribe', since: 'x' }]) reader.send(message);
  await until(() => reader.messages.filter((m) => m.type === 'error').length === 3, 'three errors');
  const lost = await stage.reader({ since: 'nobody:1-0' });
  await lost.type('gap');
  for (const id of ['openStream', 'openCentrifuge']) await ask(stage, id, [503, 'full'], handshake());
  await ask(stage, 'openStream', [503, 'full'], { headers: events });
  await stage.stop();
  await until(() => reader.messages.some((m) => m.type === 'bye'), 'bye');
  for (const message of [...reader.messages, ...lost.messages]) fits({ oneOf: receive.oneOf }, message, 'what the server says');
  assert.deepEqual([...new Set([...reader.messages, ...lost.messages].map((m) => m.type))].sort(),
    ['bye', 'error', 'gap', 'hello', 'like', 'post', 'readers', 'subscribed', 'tick']);
});

test('the line for tools: the handshake and its refusals, and every message of both sides', async (t) => {
  const stage = await Stage.open(t, { 'drain-time': '500ms' });
  await handshakes(stage, 'openLine');
  await ask(stage, 'openLine', [401, 'unauthorized'], handshake({ authorization: 'Bearer wrong' }));
  await ask(stage, 'openLine', 101, handshake({ authorization: `Bearer ${stage.key}` }));

  const { receive, send } = openapi.paths['/v1/publish'].get['x-websocket'];
  const tool = await Tool.open(stage), browser = await Tool.open(stage, { key: null });
  const say = (who, message) => { fits({ oneOf: send.oneOf }, message, 'what a tool says'); who.send(message); };
  say(browser, { type: 'auth', ref: 'who', key: stage.key });
  await browser.type('authorized');
  const story = item();
  for (const [ref, what] of [[1, story], [2, story], [3, item({ urgency: 12 })], [4, item({ embargoedUntil: hour() })]])
    tool.send({ type: 'publish', ref, channels: ['world'], item: what });
  assert.deepEqual((await tool.hasAnswers(4)).map((m) => m.http), [201, 200, 422, 202]);
  say(tool, { type: 'ping' });
  await tool.type('tick');
  tool.send({ type: 'dance' });
  await tool.type('error');
  await Promise.all(Array.from({ length: 64 }, () => Tool.open(stage, { key: null })));
  await ask(stage, 'openLine', [503, 'full'], handshake());
  await stage.stop();
  await until(() => tool.messages.some((m) => m.type === 'bye'), 'bye');
  const said = [...tool.messages, ...browser.messages];
  for (const message of said) fits({ oneOf: receive.oneOf }, message, 'what the server says');
  assert.deepEqual([...new Set(said.map((m) => m.type))].sort(), ['accepted', 'authorized', 'bye', 'error', 'hello', 'refused', 'tick']);
});

const secret = 'a secret of superdesk';
const opened = async (t, more = {}) => {
  const stage = await Stage.open(t, more);
  const may = ['publish', 'correct', 'kill', 'flash', 'embargo'];
  await changeKeys(stage, { keys: [...may.map((word) => publisher(`no-${word}`, may.filter((w) => w !== word))), publisher('desk', may),
    publisher('sport', may, { channels: ['sport'] }), { name: 'superdesk', secret, channels: ['*'], may: ['publish'] }] });
  return stage;
};

test('publishing: each receipt, and each refusal with its code', async (t) => {
  const stage = await opened(t);
  const send = (expect, what, more = {}) => ask(stage, 'postItems', expect,
    { key: stage.key, query: '?channels=world', body: typeof what === 'string' ? what : JSON.stringify(what), ...more });
  const as = (name) => ({ key: keyOf(name) });
  const type = (value) => ({ headers: { 'content-type': value } });
  const story = item({ uri: 'urn:oa:1', version: '5' });
  const kill = (uri) => ({ uri, version: '9', pubStatus: 'canceled' });

  await send(201, story);
  await send(200, story);
  await send(200, { ...story, version: '4' });
  await send(202, item({ uri: 'urn:oa:2', embargoedUntil: hour() }));
  await send(201, kill('urn:oa:3'));
  await send(201, sample(8), type('application/ninjs+json'));
  for (const again of [1, 2]) assert.equal(JSON.parse((await send(201, item({ uri: 'urn:oa:4', versionCreated: '2026-01-10T00:00:00Z', headline: 'H' }),
    { headers: { 'idempotency-key': 'k-1' } })).text).replayed, again === 2 ? true : undefined);
  await send(200, [item(), item({ urgency: 12 }), kill('urn:oa:5'), item({ embargoedUntil: hour() }), story, 5]);
  await send(200, `${JSON.stringify(item())}\n{"broken\n`, type('application/x-ndjson'));
  await send(200, `${JSON.stringify(item())}\n`, type('application/jsonl'));

  for (const [expect, body] of [
    [[400, 'not_json'], '{"uri":'], [[400, 'not_utf8'], Buffer.from([0x22, 0xff, 0x22])], [[400, 'empty'], ''], [[400, 'empty'], '[]'],
    [[422, 'wrong_type'], { uri: 5 }], [[422, 'bad_value'], item({ urgency: 12 })], [[422, 'duplicate_key'], '{"uri":"a","uri":"b"}'],
    [[422, 'too_deep'], `{"uri":"urn:d","x":${'['.repeat(100)}${']'.repeat(100)}}`], [[422, 'empty'], { uri: 'urn:oa:6' }],
    [[422, 'bad_channel'], item({ channels: ['class:flash'] })], [[422, 'advisory'], item({ profile: 'advisory' })], [[422, 'killed'], item({ uri: 'urn:oa:3' })],
    [[422, 'embargo_too_far'], item({ embargoedUntil: '2099-01-01T00:00:00Z' })], [[413, 'too_large'], item({ body: 'x'.repeat(256 * 1024) })],
    [[413, 'too_many_items'], JSON.stringify(Array.from({ length: 1001 }, (_, i) => i))],
  ]) await (Buffer.isBuffer(body) ? ask(stage, 'postItems', expect, { key: stage.key, body }) : send(expect, body));
  await send([400, 'bad_length'], '{}', { length: '-5' });
  await send([400, 'bad_idempotency_key'], '{}', { headers: { 'idempotency-key': 'two words' } });
  await send([400, 'bad_query'], '{}', { query: `?x=${'y'.repeat(5000)}` });
  await send([411, 'length_required'], '2\r\n{}\r\n0\r\n\r\n', { length: null, headers: { 'transfer-encoding': 'chunked' } });
  await send([413, 'too_large'], '', { length: 99999999 });
  await send([415, 'bad_content_type'], '{}', type('text/plain'));
  await send([422, 'too_many_channels'], item(), { query: `?channels=${Array.from({ length: 257 }, (_, i) => `c${i}`)}` });
  await send([422, 'idempotency_mismatch'], item(), { headers: { 'idempotency-key': 'k-1' } });

  await send([401, 'unauthorized'], item(), { key: 'wrong' });
  await send([401, 'unauthorized'], item(), { key: undefined });
  await send([403, 'may_not_publish'], item(), as('no-publish'));
  await send([403, 'may_not_flash'], item({ urgency: 1 }), as('no-flash'));
  await send([403, 'may_not_embargo'], item({ embargoedUntil: hour() }), as('no-embargo'));
  await send([403, 'may_not_kill'], kill('urn:oa:7'), as('no-kill'));
  await send([403, 'not_owner'], item({ uri: 'urn:oa:1', version: '7' }), as('desk'));
  await send([403, 'channel_forbidden'], item(), as('sport'));
  await send(201, item({ uri: 'urn:oa:8' }), as('no-correct'));
  await send([403, 'may_not_correct'], item({ uri: 'urn:oa:8', version: '2' }), as('no-correct'));

  const signed = (body, signature = superdeskSignature(secret, body)) => ({ key: undefined, headers: { 'x-superdesk-signature': signature } });
  const own = JSON.stringify({ guid: 'urn:oa:9', version: 1, type: 'text', headline: 'H' });
  const odd = JSON.stringify({ guid: 'urn:oa:10', version: 1, type: 'spike', headline: 'H' });
  await send(201, own, signed(own));
  assert.equal(JSON.parse((await send(200, odd, signed(odd))).text).status, 'ignored');
  await send([401, 'bad_signature'], own, signed(own, 'sha1=8be62a607898504f87559cb52dc23f9ebee65a21'));
});

test('looking back and taking away: trail, reach and purge', async (t) => {
  const stage = await opened(t);
  const key = stage.key;
  const reader = await stage.reader({ channels: ['world'] });
  for (const uri of ['urn:oa:1', 'urn:oa:2', 'urn:oa:3']) for (const version of ['1', '2']) await stage.post(item({ uri, version }), { channels: 'world' });
  await reader.hasRead(6);
  await stage.post(item({ uri: 'urn:oa:held', embargoedUntil: hour() }), { channels: 'world' });

  await ask(stage, 'getAudit', 200, { key });
  await ask(stage, 'getAudit', 200, { key, method: 'HEAD' });
  const first = JSON.parse((await ask(stage, 'getAudit', 200, { key, query: '?limit=1' })).text);
  await ask(stage, 'getAudit', 200, { key, query: `?before=${first.before}&who=node&what=correct&uri=urn:oa:1` });
  await ask(stage, 'getAudit', [400, 'bad_limit'], { key, query: '?limit=0' });
  await ask(stage, 'getAudit', [400, 'bad_before'], { key, query: '?before=x' });
  await ask(stage, 'getAudit', [400, 'bad_query'], { key, query: `?x=${'y'.repeat(5000)}` });
  await ask(stage, 'getAudit', [401, 'unauthorized']);
  await ask(stage, 'getAudit', [403, 'may_not_audit'], { key: keyOf('desk') });

  await ask(stage, 'getSent', 200, { key });
  await ask(stage, 'getSent', 200, { key, query: '?who=*&limit=2' });
  await ask(stage, 'getSent', 200, { key: keyOf('desk') });
  for (const [query, code] of [['?who=node', 'bad_who'], ['?limit=0', 'bad_limit'], ['?before=x', 'bad_before'], [`?x=${'y'.repeat(5000)}`, 'bad_query']])
    await ask(stage, 'getSent', [400, code], { key, query });
  await ask(stage, 'getSent', [401, 'unauthorized']);
  await ask(stage, 'getSent', [403, 'may_not_audit'], { key: keyOf('desk'), query: '?who=*' });
  await ask(stage, 'getHeld', 200, { key, query: '?uri=urn:oa:held' });
  await ask(stage, 'getHeld', [404, 'not_found'], { key: keyOf('desk'), query: '?uri=urn:oa:held' });
  await ask(stage, 'getHeld', [400, 'bad_uri'], { key });
  await ask(stage, 'getHeld', [400, 'bad_query'], { key, query: `?uri=u&x=${'y'.repeat(5000)}` });
  await ask(stage, 'getHeld', [401, 'unauthorized'], { query: '?uri=urn:oa:held' });
  for (const one of [key, keyOf('desk')]) await ask(stage, 'getKey', 200, { key: one });
  await ask(stage, 'getKey', [401, 'unauthorized'], { key: 'wrong' });
  await ask(stage, 'getKey', [400, 'bad_query'], { key, query: `?x=${'y'.repeat(5000)}` });
  for (const body of ['{"uri":7}', '{"uri":"urn:oa:none"}', '{"uri":"urn:oa:1","version":"9","headlines":"no"}']) {
    await stage.http('/v1/items', { method: 'POST', body, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' } });
  }
  const refused = await until(async () => {
    const page = JSON.parse((await ask(stage, 'getRejects', 200, { key })).text);
    return page.rejects.length === 3 && page;
  }, 'three to be written down');
  await ask(stage, 'getRejects', 200, { key, method: 'HEAD' });
  await ask(stage, 'getRejects', 200, { key, query: `?limit=1&before=${refused.rejects[0].id}&who=node&reason=wrong_type&uri=urn:x` });
  await ask(stage, 'getRejects', [400, 'bad_limit'], { key, query: '?limit=101' });
  await ask(stage, 'getRejects', [400, 'bad_before'], { key, query: '?before=x' });
  await ask(stage, 'getRejects', [400, 'bad_query'], { key, query: `?x=${'y'.repeat(5000)}` });
  await ask(stage, 'getRejects', [401, 'unauthorized']);
  await ask(stage, 'getRejects', [403, 'may_not_audit'], { key: keyOf('desk') });

  for (const [i, [id, by]] of reaches.entries()) {
    await until(async () => JSON.parse((await ask(stage, id, 200, { key, ...by('urn:oa:1') })).text).complete, 'the worker to have reported');
    await ask(stage, id, 200, { key, ...by('urn:oa:held') });
    await ask(stage, id, [400, 'bad_uri'], { key, ...by(long) });
    await ask(stage, id, [400, 'bad_query'], { key, path: { uri: 'urn:x' }, query: `?x=${'y'.repeat(5000)}` });
    await ask(stage, id, [401, 'unauthorized'], by('urn:oa:1'));
    await ask(stage, id, [404, 'not_found'], { key, ...by('urn:none') });
    const [purge, at] = purges[i], uri = `urn:oa:${2 + i}`;
    await ask(stage, purge, [401, 'unauthorized'], at(uri));
    await ask(stage, purge, [403, 'may_not_purge'], { key: keyOf('desk'), ...at(uri) });
    await ask(stage, purge, [400, 'bad_body'], { key, ...at(uri), body: 'x' });
    await ask(stage, purge, [400, 'bad_uri'], { key, ...at(long) });
    await ask(stage, purge, [400, 'bad_query'], { key, path: { uri: 'urn:x' }, query: `?x=${'y'.repeat(5000)}` });
    await ask(stage, purge, [404, 'not_found'], { key, ...at('urn:none') });
    for (const _ of ['purged', 'again']) await ask(stage, purge, 200, { key, ...at(uri) });
    await ask(stage, id, [410, 'purged'], { key, ...by(uri) });
    await ask(stage, items[i][0], 410, by(uri));
  }
});

test('how many read: everybody may know, or publishers', async (t) => {
  const stage = await Stage.open(t);
  await stage.reader({ channels: ['sport', 'world'] });
  await until(async () => (await stage.http('/v1/channels')).body.channels?.length === 2, 'the reader to be counted');
  const first = JSON.parse((await ask(stage, 'getChannels', 200, { query: '?limit=1' })).text);
  await ask(stage, 'getChannels', 200, { query: `?after=${first.after}&prefix=w` });
  await ask(stage, 'getChannels', 200, { method: 'HEAD' });
  for (const [code, query] of [['bad_limit', 'limit=1001'], ['bad_prefix', 'prefix=%2F'], ['bad_after', 'after=%2F'], ['bad_query', `x=${'y'.repeat(5000)}`]])
    await ask(stage, 'getChannels', [400, code], { query: `?${query}` });
  const shut = await Stage.open(t, { 'show-readers': 'publishers' });
  await until(async () => (await shut.http('/v1/channels', { headers: { authorization: `Bearer ${shut.key}` } })).status === 200, 'its worker to count');
  await ask(shut, 'getChannels', 200, { key: shut.key });
  await ask(shut, 'getChannels', [401, 'unauthorized']);
});

test('too much, and nowhere to put it: 429 and each 503', async (t) => {
  const limited = await opened(t, { 'publish-rate': 1 });
  const many = JSON.stringify([item(), item()]);
  await ask(limited, 'postItems', 200, { key: keyOf('desk'), query: '?channels=world', body: many });
  await ask(limited, 'postItems', [429, 'too_many_posts'], { key: keyOf('desk'), query: '?channels=world', body: many });

  const store = await Store.open(t);
  const stage = await Stage.open(t, { store });
  const key = stage.key;
  for (const id of ['getHealth', 'getReadiness', 'getPublishReadiness', 'getMetrics']) await ask(stage, id, 200);
  await store.redis.set('{newswire}:item:urn:planted', 'something else');
  await ask(stage, 'postItems', [503, 'store'], { key, body: JSON.stringify(item({ uri: 'urn:planted' })) });
  for (const [id, by] of purges) await ask(stage, id, [503, 'store'], { key, ...by('urn:planted') });

  store.child.kill('SIGSTOP');
  const waiting = Array.from({ length: 256 }, () => stage.post(item()));
  await stage.metric('newswire_desk_heard_total').reaches(257);
  await ask(stage, 'postItems', [503, 'busy'], { key, body: JSON.stringify(item()) });
  store.child.kill('SIGCONT');
  for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 201);

  await store.kill();
  await until(async () => (await stage.http('/readyz/publish')).status === 503, 'the loss to be noticed');
  for (const id of feeds) await ask(stage, id, [503, 'redis_away']);
  for (const [id, by] of items) await ask(stage, id, [503, 'redis_away'], by('urn:x'));
  for (const [id, by] of [...reaches, ...purges]) await ask(stage, id, [503, 'redis_away'], { key, ...by('urn:x') });
  for (const id of ['getAudit', 'getSent']) await ask(stage, id, [503, 'redis_away'], { key });
  await ask(stage, 'getHeld', [503, 'redis_away'], { key, query: '?uri=urn:x' });
  await ask(stage, 'getAudit', [503, 'redis_away'], { key });
  await ask(stage, 'getRejects', [503, 'redis_away'], { key });
  await until(async () => (await stage.http('/v1/channels')).status === 503, 'the numbers to be too old');
  await ask(stage, 'getChannels', [503, 'redis_away']);
  await ask(stage, 'postItems', [503, 'redis_away'], { key, body: JSON.stringify(item()) });
  await ask(stage, 'getPublishReadiness', 503);
  await ask(stage, 'getReadiness', 200);

  const [pid] = await stage.workers();
  process.kill(pid, 'SIGKILL'); // the next worker has never seen Redis
  await until(async () => (await stage.http('/readyz').catch(() => null))?.status === 503, 'a worker without a wire');
  await ask(stage, 'getReadiness', 503);
  for (const id of ['openStream', 'openLine', 'openCentrifuge']) await ask(stage, id, [503, 'not_ready'], handshake());
});

test('a master without a replica: 503 replicas, for a post and for a purge', async (t) => {
  const stage = await Stage.open(t, { store: await Sentinels.open(t, { replicas: 0 }) });
  const { key } = stage;
  await ask(stage, 'postItems', [503, 'replicas'], { key, query: '?channels=world', body: JSON.stringify(item({ uri: 'urn:alone' })) });
  for (const [id, by] of purges) await ask(stage, id, [503, 'replicas'], { key, ...by('urn:alone') });
});

test('nothing is written in the document that was not seen here', () => {
  // No test can make a server short of memory at a moment of its choice.
  const unseen = new Set(['no_memory']);
  for (const op of operations) {
    for (const [status, given] of Object.entries(op.responses)) {
      if (status === 'default') continue;
      const schema = follow(given).content?.['application/problem+json']?.schema;
      const codes = schema ? schema.properties.code.enum : [''];
      for (const code of codes.filter((c) => !unseen.has(c)))
        assert.ok(seen.has(`${op.operationId} ${status} ${code}`.trim()), `${op.operationId} ${status} ${code} was not seen`);
    }
  }
});
