// What becomes of a story: corrections, kills, holds, embargoes; told to everyone who saw it, and to nobody who may not know.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Stage, sample, item, until } from './stage.mjs';

const soon = (ms) => new Date(Date.now() + ms).toISOString();

/** Everything that newswired has on disk. */
async function stored(dir) {
  let text = '';
  for (const file of await readdir(dir, { recursive: true, withFileTypes: true }))
    if (file.isFile()) text += await readFile(join(file.path ?? file.parentPath, file.name), 'latin1').catch(() => ''); // gone meanwhile
  return text;
}

test('a correction reaches the readers of the story, in place', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  await stage.publish(sample(1), 'world');
  await stage.publish(sample(4), 'world');
  const [, correction] = await reader.hasRead(2);
  assert.equal(correction.action, 'correct');
  assert.equal(correction.item.version, '2');
  assert.ok(!JSON.stringify(correction).includes('edNote'));
  const feed = await stage.feed('?channels=world');
  assert.deepEqual(feed.items.map((post) => [post.action, post.item.version]), [['correct', '2']]);
});

test('an older version that comes late is recorded and not sent', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader();
  assert.equal((await stage.post(sample(4), { channels: 'world' })).status, 201);
  const late = await stage.post(sample(1), { channels: 'world' });
  assert.equal(late.status, 200);
  assert.equal(late.body.status, 'stale');
  assert.equal((await stage.post(sample(4), { channels: 'world' })).body.status, 'duplicate');
  await reader.settled();
  await reader.hasRead(1);
});

test('an update is a new story that says where it came from', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader();
  const first = item();
  await stage.publish(first, 'world');
  await stage.publish(item({ evolvedFrom: first.uri }), 'world');
  const [, update] = await reader.hasRead(2);
  assert.equal(update.action, 'update');
  assert.equal(update.item.evolvedFrom, first.uri);
});

test('a kill goes to all who saw the story, by whatever route, without a word of it', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const world = await stage.reader({ channels: ['world'] });
  const sport = await stage.reader({ channels: ['sport'] });
  const flashes = await stage.reader({ class: 'flash' });
  const other = await stage.reader({ channels: ['business'] });
  await stage.publish(sample(3), 'world');
  await world.hasRead(1);
  await stage.publish({ ...sample(3), version: '2', urgency: 5, versionCreated: '2026-01-10T11:05:00Z' }, 'sport');
  await sport.hasRead(1);
  await stage.publish({ ...sample(5), version: '3' }, 'business');
  for (const reader of [world, sport, flashes]) {
    const kill = await reader.saw((m) => m.action === 'kill', 'the kill');
    assert.deepEqual(Object.keys(kill), ['type', 'cursor', 'action', 'uri', 'version', 'notice']);
    assert.equal(kill.notice, sample(5).descriptions[0].value);
    assert.ok(!JSON.stringify(kill).includes('EARTHQUAKE'));
  }
  assert.equal((await world.hasRead(3))[1].action, 'remove');
  await other.settled();
  const shown = (await stage.http('/v1/feed')).text;
  assert.ok(!shown.includes('EARTHQUAKE'));
  const gone = await stage.http(`/v1/items/${encodeURIComponent(sample(3).uri)}`);
  assert.equal(gone.status, 410);
  assert.equal(gone.body.action, 'kill');
  await stage.publish({ ...sample(3), version: '9' }, 'world');
  await until(async () => (await stage.rejects()).some((r) => r.reason === 'killed'), 'the late version to be refused');
});

test('whoever comes back after a kill is not sent the killed text first', async (t) => {
  for (const backlog of ['16m', '64k']) {
    const stage = await Stage.open(t, { backlog });
    const reader = await stage.reader({ channels: ['world'] });
    const since = reader.cursor;
    await stage.publish(sample(3), 'world');
    for (let i = 0; i < 60; i++) await stage.publish(item({ body: 'k'.repeat(3000) }), 'world');
    await reader.hasRead(61);
    const before = await stage.reader({ channels: ['world'], since: reader.posts[0].cursor });
    await stage.publish(sample(5), 'world');
    await reader.hasRead(62);
    const back = await stage.reader({ channels: ['world'], since });
    await back.saw((m) => m.action === 'kill', 'the kill');
    assert.ok(!JSON.stringify(back.messages).includes('EARTHQUAKE'));
    await before.saw((m) => m.action === 'kill', 'the kill');
  }
});

test('killed text leaves the append-only file too', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader();
  const story = item({ headline: 'The text that must vanish 7731' });
  await stage.publish(story, 'world');
  await reader.hasRead(1);
  assert.ok((await stored(stage.dir)).includes('7731'));
  await stage.publish({ ...story, version: '2', pubStatus: 'canceled' }, 'world');
  await reader.hasRead(2);
  await until(async () => !(await stored(stage.dir)).includes('7731'), 'the text to be gone from every file', 60000);
});

test('a story that is withheld is hidden, and comes back as a release', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  const story = item({ headline: 'Now you see it' });
  await stage.publish(story, 'world');
  await reader.hasRead(1);
  await stage.publish({ ...story, version: '2', pubStatus: 'withheld' }, 'world');
  const [, hold] = await reader.hasRead(2);
  assert.equal(hold.action, 'hold');
  assert.ok(!JSON.stringify(hold).includes('Now you see it'));
  assert.deepEqual((await stage.feed()).items, []);
  assert.notEqual((await stage.http(`/v1/items/${encodeURIComponent(story.uri)}`)).status, 200);
  await stage.publish({ ...story, version: '3' }, 'world');
  const [, , release] = await reader.hasRead(3);
  assert.equal(release.action, 'release');
  assert.equal((await stage.feed()).items.length, 1);
});

test('nothing under embargo leaves before its time; then it is released once, at its place', async (t) => {
  const stage = await Stage.open(t, { workers: 2, 'log-level': 'debug' });
  const reader = await stage.reader();
  const until_ = Date.now() + 5000;
  const held = await stage.post(sample(6, { embargoedUntil: new Date(until_).toISOString() }), { channels: 'world' });
  assert.equal(held.status, 202);
  assert.equal(held.body.status, 'held');
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
  assert.ok(!(await stage.http('/v1/feed')).text.includes('Port budget'));
  assert.equal((await stage.http(`/v1/items/${encodeURIComponent(sample(6).uri)}`)).status, 404);
  assert.ok(!stage.log.includes('Port budget'));
  const [, release] = await reader.hasRead(2);
  assert.ok(Date.now() >= until_, 'not before its time');
  assert.equal(release.action, 'release');
  assert.equal(release.item.uri, sample(6).uri);
  assert.equal(await stage.redis.xlen('{newswire}:wire'), 2);
});

test('an embargoed correction leaves the public version as it is; the 3.0 guideline name `embargoed` holds too', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader();
  const story = item({ headline: 'Old' });
  await stage.publish(story, 'world');
  assert.equal((await stage.post({ ...story, version: '2', headlines: [{ value: 'New' }], embargoed: soon(5000) })).status, 202);
  assert.equal((await stage.feed()).items[0].item.headlines[0].value, 'Old');
  const [, second] = await reader.hasRead(2);
  assert.equal(second.item.headlines[0].value, 'New');
});

test('killed before its release: silent', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader();
  await stage.publish(sample(6, { embargoedUntil: soon(3600e3) }), 'world');
  await until(async () => (await stage.redis.zcard('{newswire}:embargo')) === 1, 'the item to be held');
  await stage.publish({ uri: sample(6).uri, version: '2', pubStatus: 'canceled' }, 'world');
  await until(async () => (await stage.redis.zcard('{newswire}:embargo')) === 0, 'the held item to be dropped');
  await stage.publish(item(), 'world');
  await reader.hasRead(1);
  assert.equal(await stage.redis.xlen('{newswire}:wire'), 1);
  assert.ok(!JSON.stringify(reader.messages).includes(sample(6).uri));
});

test('a kill that arrives before its item: the item is refused when it comes', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader();
  assert.equal((await stage.post(sample(5), { channels: 'world' })).status, 201);
  const late = await stage.post(sample(3), { channels: 'world' });
  assert.equal(late.status, 422);
  assert.equal(late.body.code, 'killed');
  await reader.settled();
  assert.ok(!JSON.stringify(reader.messages).includes('EARTHQUAKE'));
});

test('an embargo a century ahead is refused', async (t) => {
  const stage = await Stage.open(t);
  const far = await stage.post(sample(6, { embargoedUntil: '2126-01-01T00:00:00Z' }));
  assert.equal(far.status, 422);
  assert.equal(far.body.code, 'embargo_too_far');
});
