// The composer's rules without a browser: what an answer is worth, what is sent until it is known, and what an item keeps.
import assert from 'node:assert/strict';
import test from 'node:test';
import { deedsFor, linesOf } from '../newsroom/ledger.js';
import { NOTHING, faultsByField, itemOf, maySend, nextVersion, urgencyOf, valuesOf } from '../newsroom/item.js';
import { Outbox } from '../newsroom/outbox.js';
import { outcomeOf } from '../newsroom/server.js';
import { span } from '../newsroom/times.js';

const URGENCY = { 1: 'flash', 2: 'bulletin', 3: 'urgent', 4: 'regular', 5: 'regular', 6: 'regular', 7: 'deferred', 8: 'deferred', 9: 'deferred' };
const parse = (html) => ({ body: { textContent: html.replace(/<[^>]*>/g, '') } });
const storage = () => {
  const kept = new Map();
  return { kept, getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
};
const about = { uri: 'urn:x', version: '1', headline: 'H', deed: 'publish' };
const becomes = (outbox, state) => new Promise((go) => outbox.addEventListener('change', ({ detail }) => detail.state === state && go(detail)));

test('only a receipt says that something was sent', () => {
  const problem = (status, code) => outcomeOf(status, { status, code, detail: 'D.' }).what;
  for (const status of ['accepted', 'held', 'duplicate', 'stale']) assert.equal(outcomeOf(201, { status, uri: 'urn:x' }).what, 'known');
  for (const [status, body] of [[0, ''], [200, '<p>ok</p>'], [201, { ok: true }], [200, null], [200, []], [204, ''], [302, ''], [500, 'oops'], [502, '<h1>'], [404, 'no'],
    [503, 'maintenance'], [401, ''], [201, { status: 'accepted' }], [200, { status: 'ignored', uri: 'urn:x' }]]) assert.equal(outcomeOf(status, body).what, 'unknown', `${status} ${JSON.stringify(body)}`);
  assert.deepEqual([problem(422, 'bad_value'), problem(403, 'not_owner'), problem(401, 'unauthorized'), problem(503, 'redis_away'), problem(429, 'too_many_posts'), problem(500, 'no_memory')],
    ['refused', 'refused', 'unauthorized', 'away', 'away', 'unknown']);
});

test('what got no answer is sent again with the same bytes under the same name, until there is one', async () => {
  const posts = [];
  const answers = [outcomeOf(0, ''), outcomeOf(503, { status: 503, code: 'redis_away', detail: 'D.' }), outcomeOf(201, { status: 'accepted', uri: 'urn:x' })];
  const outbox = new Outbox({ post: async (bytes, name) => { posts.push([bytes, name]); return answers[posts.length - 1]; } }, 'desk', storage());
  const known = becomes(outbox, 'known');
  const states = [];
  outbox.addEventListener('change', ({ detail }) => {
    states.push(detail.state);
    outbox.now(detail.name);
  });
  outbox.send({ uri: 'urn:x' }, about);
  await known;
  assert.equal(posts.length, 3);
  assert.equal(new Set(posts.map(String)).size, 1);
  assert.ok(!states.includes('away'), 'what may have been taken is never called "not sent"');
});

test('what was stopped is not sent again, whenever that was', async () => {
  let posts = 0;
  let answer = () => {};
  const away = outcomeOf(503, { status: 503, code: 'redis_away', detail: 'D.' });
  const server = { post: () => new Promise((go) => { posts++; answer = go; }) };
  const outbox = new Outbox(server, 'desk', storage());
  const entry = outbox.send({ uri: 'urn:x' }, about);
  outbox.stop(entry.name); // under way: its answer is the last
  const over = becomes(outbox, 'stopped');
  answer(away);
  await over;
  const other = outbox.send({ uri: 'urn:y' }, about);
  const waits = becomes(outbox, 'away');
  answer(away);
  await waits;
  outbox.stop(other.name);
  outbox.now(entry.name);
  outbox.now(other.name);
  assert.deepEqual([entry.state, other.state, posts], ['stopped', 'stopped', 2]);
  const last = outbox.send({ uri: 'urn:z' }, about);
  outbox.stop(last.name);
  answer(outcomeOf(201, { status: 'accepted', uri: 'urn:z' }));
  await becomes(outbox, 'known'); // what was taken is said, too
});

test('what is not known outlives the page, and is its publisher’s only', async () => {
  const kept = storage();
  const first = new Outbox({ post: () => new Promise(() => {}) }, 'desk', kept);
  const { bytes, name } = first.send({ uri: 'urn:x' }, about);
  first.close();
  const posts = [];
  const server = { post: async (...post) => { posts.push(post); return outcomeOf(200, { status: 'duplicate', uri: 'urn:x' }); } };
  const other = new Outbox(server, 'chief', kept);
  other.resume();
  assert.deepEqual(other.entries, []);
  const next = new Outbox(server, 'desk', kept);
  const known = becomes(next, 'known');
  next.resume();
  await known;
  assert.deepEqual(posts, [[bytes, name]]);
  assert.equal(kept.getItem('newsroom.outbox'), '[]');
  kept.setItem('newsroom.outbox', '{"nonsense":');
  new Outbox(server, 'desk', kept).resume();
});

test('a correction changes what the form knows, and keeps the rest of the item', () => {
  const old = { uri: 'urn:x', version: '4', type: 'text', firstCreated: '2026-01-10T08:00:00Z', urgency: 4, subjects: [{ name: 'transport' }], embargoed: 'x',
    headlines: [{ role: 'main', value: 'Old' }, { role: 'short', value: 'O' }], descriptions: [{ role: 'summary', value: 'S' }, { role: 'lede', value: 'L' }],
    bodies: [{ role: 'main', contentType: 'text/html', value: '<p>B</p>' }, { role: 'print', value: 'P' }],
    associations: [{ name: 'main', rel: 'featured', type: 'picture', renditions: [{ href: 'https://p.example/1.jpg', width: 1200 }], by: 'R' }, { name: 'map', type: 'graphic' },
      { rel: 'author', type: 'component', title: 'A', descriptions: [{ role: 'biography', value: 'Bio' }] }] };
  const values = { ...valuesOf(old, ['class:regular', 'feed:all', 'world'], 'regular', parse), headline: 'New', correction: 'N' };
  assert.deepEqual([values.channels, values.author, values.credit], [['world'], 'A', 'R']);
  const item = JSON.parse(JSON.stringify(itemOf(values, { uri: 'urn:x', version: '5', item: old, opened: '4', out: true }, { urgency: URGENCY, now: new Date(0) })));
  assert.deepEqual(item.headlines.map((h) => h.value), ['New', 'O']);
  assert.deepEqual(item.descriptions.map((d) => d.role).sort(), ['correction', 'lede', 'summary']);
  assert.deepEqual(item.bodies.map((b) => b.value), ['<p>B</p>', 'P']);
  assert.deepEqual([item.urgency, item.firstCreated, item.subjects[0].name, item.version, item.embargoed, item.embargoedUntil], [4, old.firstCreated, 'transport', '5', undefined, undefined]);
  assert.deepEqual(item.associations.map((a) => a.name ?? a.rel), ['main', 'author', 'map']);
  assert.equal(item.associations[0].renditions[0].width, 1200);
  assert.equal(item.associations[1].descriptions[0].value, 'Bio');
});

test('an item of wrong types fills the form with nothing worse than nothing', () => {
  for (const bad of [null, 7, 'x', [], {}, [null], [[]], [{ value: 7, role: 8 }]])
    assert.deepEqual(valuesOf({ headlines: bad, descriptions: bad, bodies: bad, associations: bad, language: bad, located: bad, by: bad, embargoedUntil: bad }, [], 'odd', parse),
      { ...NOTHING, ...(typeof bad === 'string' ? { language: 'x', place: 'x', author: 'x', embargo: 'x' } : {}) }, JSON.stringify(bad));
});

test('a class is said by the number that means it to this publisher', () => {
  assert.deepEqual(['flash', 'bulletin', 'urgent', 'regular', 'deferred'].map((kind) => urgencyOf(URGENCY, kind, undefined)), [1, 2, 3, 5, 8]);
  assert.equal(urgencyOf(URGENCY, 'regular', 6), 6);
  assert.equal(urgencyOf({ ...URGENCY, 1: 'bulletin' }, 'flash', 1), undefined);
});

test('where a key may send is read as the server reads it; versions go up', () => {
  assert.deepEqual([maySend(['sport.*'], 'sport.golf'), maySend(['sport.*'], 'sport'), maySend(['*'], 'x'), maySend(['world'], 'world'), maySend([], 'world')], [true, false, true, true, false]);
  assert.deepEqual([nextVersion('9'), nextVersion('9007199254740993'), nextVersion('2026-b')], ['10', '9007199254740994', '2026-b']);
});

test('what the server says stands at the field that it is about', () => {
  const fields = (code, ...pointers) => [...faultsByField({ code, detail: 'D.', errors: pointers.map((pointer) => ({ pointer, detail: 'E.' })) }, { descriptions: [{ role: 'correction' }, { role: 'summary' }] }).keys()];
  assert.deepEqual(fields('bad_value', '/headlines/0/value', '/bodies/0/value', '/descriptions/0', '/descriptions/1/value', '/associations/0', '/embargoedUntil', '/urgency'),
    ['headline', 'body', 'correction', 'summary', 'picture', 'embargo', 'class']);
  assert.deepEqual([fields('channel_forbidden', ''), fields('may_not_flash'), fields('killed')], [['channels'], ['class'], ['']]);
});

test('a line says how a story stands and what this key may do to it', () => {
  const entry = (more) => ({ id: '2-0', who: 'desk', what: 'publish', uri: 'urn:x', version: '1', channels: ['class:flash', 'feed:all', 'world'], story: { status: 'usable', version: '2', owner: 'desk' }, ...more });
  const [line] = linesOf([entry({ id: '3-0', who: 'chief', what: 'correct', reach: { readers: 3 } }), entry({ reach: { readers: 1 } }), null, {}]);
  assert.deepEqual([line.class, line.channels, line.reach.readers, line.entries.length], ['flash', ['world'], 3, 2]);
  assert.deepEqual(deedsFor(line, { publisher: 'desk', may: ['correct', 'kill'] }), { correct: true, release: false, now: false, hold: true, kill: true });
  assert.deepEqual(deedsFor(line, { publisher: 'other', may: ['correct', 'kill'] }), { correct: false, release: false, now: false, hold: false, kill: false });
  assert.equal(deedsFor({ ...line, status: 'canceled' }, { publisher: 'desk', may: ['correct', 'kill', 'all'] }).kill, false);
  assert.deepEqual([span(7_500_000), span(59_000), span(-5), span(90_061_000)], ['2 h 5 min', '59 s', '0 s', '1 d 1 h']);
});
