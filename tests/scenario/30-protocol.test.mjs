// docs/protocol.md against a real server: every example has the keys, order and types of what is really sent.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Stage, sample, item, until } from './stage.mjs';
import { changeKeys, keyOf, publisher } from './keys.mjs';
import { Tool } from './tool.mjs';

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const manual = read('docs/protocol.md');
const header = read('include/newswire/protocol.h');

/** The examples by name: ```json <name> */
const examples = Object.fromEntries([...manual.matchAll(/^```json (\w+)\n(.*)\n```$/gm)].map(([, name, json]) => [name, JSON.parse(json)]));
/** Rows of a table of protocol.h: the arguments of its macro. */
const rows = (macro) => [...header.matchAll(new RegExp(`\\b${macro}\\(([A-Z_0-9]+), ([^)]*)\\)`, 'g'))].map(([, name, rest]) =>
  [name, ...rest.split(',').map((text) => text.trim().replaceAll('"', ''))]);

const CURSOR = /^[a-z0-9]{1,16}:\d+-\d+$/;
const kind = (value) => (Array.isArray(value) ? 'array' : typeof value);

/** The same keys in the same order, the same types, also inside arrays; `item` is the publisher's own. */
function isLike(real, example, where) {
  assert.deepEqual(Object.keys(real), Object.keys(example), `the keys of ${where}`);
  for (const [key, value] of Object.entries(example)) {
    assert.equal(kind(real[key]), kind(value), `the type of ${where}.${key}`);
    if (key === 'cursor') for (const text of [real[key], value]) assert.match(text, CURSOR, `${where}.cursor`);
    if (['type', 'action', 'status'].includes(key)) assert.equal(real[key], value, `${where}.${key}`);
    if (key === 'item' || kind(value) !== 'array' || kind(value[0]) === 'string') continue;
    for (const element of real[key]) isLike(element, value[0], `${where}.${key}[]`);
  }
}

test('every message of the stream looks as the manual shows it', async (t) => {
  const stage = await Stage.open(t);
  const first = await stage.reader({ channels: ['world'] });
  const reader = await stage.reader({ channels: ['world'], since: first.cursor });
  isLike(await reader.type('hello'), examples.hello, 'hello');
  assert.equal((await reader.type('hello')).resumed, true);
  assert.match((await reader.type('hello')).time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

  await stage.publish(sample(1), 'world');
  const [post] = await reader.hasRead(1);
  isLike(post, examples.post, 'post');
  assert.match(post.channels.find((name) => name.startsWith('story:')), /^story:[0-9a-f]{16}$/);
  await stage.publish(sample(3), 'world');
  await reader.hasRead(2); // a kill right behind it may spare the reader the flash
  await stage.publish(sample(5), 'world');
  isLike((await reader.hasRead(3))[2], examples.kill, 'kill');

  reader.send(examples.ping);
  isLike(await reader.type('tick'), examples.tick, 'tick');
  const asks = await stage.reader({ channels: ['world', 'sport'], readers: 1 });
  isLike(await asks.type('readers'), examples.readers, 'readers');
  reader.send({ ...examples.subscribe, since: reader.cursor });
  isLike(await reader.type('subscribed'), examples.subscribed, 'subscribed');
  reader.send({ ...examples.subscribe, channels: ['No-Such'] });
  const error = await reader.type('error');
  isLike(error, examples.error, 'error');
  assert.deepEqual(error, examples.error, 'to the letter');

  const lost = await stage.reader({ since: examples.gap.cursor });
  isLike(await lost.type('gap'), examples.gap, 'gap');
  assert.equal((await lost.type('hello')).resumed, false);
  await stage.stop();
  isLike(await until(() => reader.messages.find((m) => m.type === 'bye'), 'bye'), examples.bye, 'bye');
  assert.deepEqual(await reader.ends(), { code: 1001, reason: 'drain' });
});

test('every message of a tool\'s line looks as the manual shows it', async (t) => {
  const stage = await Stage.open(t);
  const tool = await Tool.open(stage, { key: null });
  tool.send({ ...examples.auth, key: stage.key });
  const authorized = await tool.type('authorized');
  isLike(authorized, examples.authorized, 'authorized');
  assert.deepEqual(authorized.may, examples.authorized.may);
  const known = manual.match(/`(\{"type":"hello","publisher".*\})`/)[1];
  isLike(await (await Tool.open(stage)).type('hello'), JSON.parse(known), 'hello');
  tool.send(examples.publish);
  isLike(await tool.type('accepted'), examples.accepted, 'accepted');
  tool.send({ type: 'publish', ref: 2, item: item({ urgency: 11 }) });
  const refused = await tool.type('refused');
  isLike(refused, examples.refused, 'refused');
  assert.deepEqual(refused, examples.refused, 'to the letter');
});

test('every answer over HTTP looks as the manual shows it', async (t) => {
  const stage = await Stage.open(t);
  const accepted = await stage.post(item(), { channels: 'world' });
  assert.equal(accepted.status, 201);
  isLike(accepted.body, examples.receipt, 'receipt');
  const several = await stage.post([item(), item({ urgency: 12 })], { channels: 'world' });
  assert.deepEqual(Object.keys(several.body), Object.keys(examples.results), 'the keys of results');
  several.body.results.forEach((result, i) => isLike(result, examples.results.results[i], `results[${i}]`));
  isLike(await stage.feed('?channels=world&limit=1'), examples.feed, 'feed');
  const problem = await stage.post(item({ urgency: 12 }), { channels: 'world' });
  assert.equal(problem.status, examples.problem.status);
  isLike(problem.body, examples.problem, 'problem');
  assert.equal(problem.body.code, examples.problem.code);
  assert.equal(problem.body.errors[0].pointer, examples.problem.errors[0].pointer);
  await stage.post(sample(3), { channels: 'world' });
  await stage.post(sample(5), { channels: 'world' });
  const gone = await stage.http(`/v1/items/${encodeURIComponent(sample(3).uri)}`);
  assert.equal(gone.status, 410);
  isLike(gone.body, examples.gone, 'gone');
  await stage.reader({ channels: ['sport', 'world'] });
  const channels = await until(async () => {
    const answer = await stage.http('/v1/channels?limit=1');
    return answer.body.channels?.length === 1 && answer;
  }, 'the reader to be counted');
  isLike(channels.body, examples.channels, 'channels');
  await stage.post(item({ uri: 'urn:audited' }), { channels: 'world' });
  const key = { authorization: `Bearer ${stage.key}` };
  const reach = await until(async () => {
    const answer = await stage.http('/v1/items/urn:audited/reach', { headers: key });
    return answer.body.readers === 1 && answer;
  }, 'the worker to have reported');
  isLike(reach.body, examples.reach, 'reach');
  await stage.post(item({ uri: 'urn:audited', version: '2' }), { channels: 'world' });
  const audit = await until(async () => {
    const answer = await stage.http('/v1/audit?limit=1', { headers: key });
    return answer.body.entries[0].reach.readers === 1 && answer;
  }, 'the worker to have reported again');
  isLike(audit.body, examples.audit, 'audit');
  isLike(audit.body.entries[0].reach, examples.audit.entries[0].reach, 'audit.entries[].reach');
  isLike((await stage.http('/v1/key', { headers: key })).body, examples.key, 'key');
  await stage.post(item({ uri: 'urn:audited', version: '3', embargoedUntil: new Date(Date.now() + 3600e3).toISOString() }), { channels: 'world' });
  const sent = (await stage.http('/v1/sent?limit=2', { headers: key })).body;
  isLike({ ...sent, entries: sent.entries.slice(1) }, examples.sent, 'sent');
  isLike(sent.entries[1].story, examples.sent.entries[0].story, 'sent.entries[].story');
  isLike((await stage.http('/v1/held?uri=urn:audited', { headers: key })).body, examples.held, 'held');
  await changeKeys(stage, { keys: [publisher('other', ['publish', 'correct'])] });
  await stage.http('/v1/items?channels=world', { method: 'POST', body: JSON.stringify(item({ uri: 'urn:audited', version: '3' })),
    headers: { authorization: `Bearer ${keyOf('other')}`, 'content-type': 'application/json' } });
  isLike((await stage.http('/v1/rejects?reason=not_owner&limit=1', { headers: key })).body, examples.rejects, 'rejects');
  const purged = await stage.http('/v1/items/urn:audited', { method: 'DELETE', headers: { authorization: `Bearer ${stage.key}` } });
  isLike(purged.body, examples.purged, 'purged');
});

test('what the newcomer is told to do works: the feed, then the stream, then back again', async (t) => {
  const stage = await Stage.open(t);
  const one = item(), two = item(), three = item();
  await stage.post(one, { channels: 'world' });
  const feed = await stage.feed('?channels=world');
  await stage.post(two, { channels: 'world' });
  const reader = await stage.reader({ channels: ['world'], since: feed.cursor });
  await reader.hasRead(1);
  reader.close();
  await stage.post(three, { channels: 'world' });
  const back = await stage.reader({ channels: ['world'], since: reader.cursor });
  assert.deepEqual([...feed.items, ...reader.posts, ...await back.hasRead(1)].map((post) => post.item.uri), [one, two, three].map((i) => i.uri));
});

test('the tables of protocol.h are in the manual, row by row', () => {
  const closes = rows('NEWSWIRE_CLOSE');
  assert.equal(closes.length, 15);
  for (const [, code, reason] of closes) assert.match(manual, new RegExp(`^\\| ${code} \\| \`${reason}\` \\|`, 'm'));
  for (const [, action, hasItem] of rows('NEWSWIRE_ACTION'))
    assert.match(manual, new RegExp(`^\\| \`${action}\` \\| ${hasItem === '1' ? 'the' : 'no'} item \\|`, 'm'));
  for (const [, status, http] of rows('NEWSWIRE_RECEIPT')) assert.match(manual, new RegExp(`^\\| ${http} \\| \`${status}\` \\|`, 'm'));
  for (const [, name] of rows('NEWSWIRE_CLASS')) assert.ok(manual.includes(`\`${name}\``), name);
  for (const [, , type] of header.matchAll(/define NEWSWIRE_TYPE_(\w+)\s+"(\w+)"/g)) assert.ok(examples[type], `an example of ${type}`);
});
