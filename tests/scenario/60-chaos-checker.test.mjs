// The checker of ./dev chaos finds what it is there to find: each kind of broken promise, made on purpose.
import test from 'node:test';
import assert from 'node:assert/strict';
import { check, compareIds, matching } from '../chaos/checker.mjs';
import { seeded } from '../chaos/dice.mjs';
import { FAULTS, schedule } from '../chaos/faults.mjs';

const post = (n, changes = {}) => ({ epoch: 'e', id: `${n}-0`, action: 'publish', uri: `u${n}`, version: '1', channels: ['world'], was: [], ...changes });
const saw = (n, changes = {}) => ({ cursor: `e:${n}-0`, action: 'publish', uri: `u${n}`, version: '1', text: true, at: 5000, session: 0, ...changes });
const whole = { epoch: 'e', from: '0-0', to: '99-0', told: true };
const client = (seen, changes = {}) => ({ name: 'c', channels: ['world'], stretches: [whole], sessions: [{ at: 0 }], seen, ...changes });
const kinds = (world) => check({ wire: [], receipts: [], embargoes: new Map(), clients: [], ...world }).map((w) => w.kind);

test('a faithful run is faithful', () => {
  const wire = [post(1), post(2, { channels: ['sport'] }), post(3)];
  assert.deepEqual(kinds({ wire, receipts: [{ id: '3-0', uri: 'u3' }], clients: [client([saw(1), saw(3)])] }), []);
});
test('a post that did not come is lost', () => {
  assert.deepEqual(kinds({ wire: [post(1), post(2)], clients: [client([saw(1)])] }), ['lost']);
});
test('a version that was replaced may be left out, the final one may not', () => {
  const wire = [post(1, { uri: 'u' }), post(2, { uri: 'u', action: 'correct' })];
  assert.deepEqual(kinds({ wire, clients: [client([saw(2, { uri: 'u' })])] }), []);
  assert.deepEqual(kinds({ wire, clients: [client([saw(1, { uri: 'u' })])] }), ['lost']);
  const moved = [post(1, { uri: 'u' }), post(2, { uri: 'u', epoch: 'f' })];
  const stretches = [{ ...whole, to: '1-0' }, { epoch: 'f', from: '0-0', to: '2-0', told: true }];
  assert.deepEqual(kinds({ wire: moved, clients: [client([saw(2, { uri: 'u', cursor: 'f:2-0' })], { stretches })] }), ['lost'], 'one of another history is no excuse');
  const forgotten = [post(1, { uri: 'u' }), post(2), post(3, { uri: 'u', action: 'correct' }), post(4, { epoch: 'f' })];
  const seen = [saw(2), saw(4, { cursor: 'f:4-0' })];
  const upTo = (to) => [{ ...whole, to }, { epoch: 'f', from: '3-0', to: '4-0', told: true }];
  assert.deepEqual(kinds({ wire: forgotten, clients: [client(seen, { stretches: upTo('2-0') })] }), [], 'left out for one that Redis forgot before it came');
  assert.deepEqual(kinds({ wire: forgotten, clients: [client(seen, { stretches: upTo('3-0') })] }), ['lost', 'lost'], 'it should have come');
  assert.deepEqual(kinds({ wire: forgotten.slice(0, 3), clients: [client([saw(2)], { stretches: [{ ...whole, to: '2-0' }] })] }), ['lost', 'lost'], 'nothing was broken');
});
test('a double, a disorder, and what nobody sent', () => {
  const wire = [post(1), post(2)];
  assert.deepEqual(kinds({ wire, clients: [client([saw(1), saw(1), saw(2)])] }), ['doubled']);
  assert.deepEqual(kinds({ wire, clients: [client([saw(2), saw(1)])] }), ['disordered']);
  assert.deepEqual(kinds({ wire, clients: [client([saw(1), saw(2), saw(9)])] }), ['strange']);
});
test('killed text after its kill, and in a session that began after it', () => {
  const wire = [post(1, { uri: 'u' }), post(2, { uri: 'u', action: 'kill', was: ['world'] })];
  const kill = saw(2, { uri: 'u', action: 'kill', text: false });
  const receipts = [{ id: '2-0', uri: 'u', action: 'kill', at: 1000 }];
  const late = [client([saw(1, { uri: 'u' }), kill], { sessions: [{ at: 4000 }] })];
  assert.deepEqual(kinds({ wire, receipts, clients: late }), ['killed']);
  assert.deepEqual(kinds({ wire, receipts, clients: [client([kill, saw(3, { uri: 'u' })])] }), ['strange', 'killed']);
  const before = (at) => kinds({ wire, receipts, clients: [client([saw(1, { uri: 'u' }), kill], { sessions: [{ at }] })] });
  assert.deepEqual([before(2000), before(2001)], [[], ['killed']], 'a second after the answer every worker knows');
  assert.deepEqual(kinds({ wire, receipts, clients: [client([saw(1, { uri: 'u' })])] }), ['lost'], 'who got the text before must get the kill');
  assert.deepEqual(kinds({ wire, receipts, deaf: [{ from: 500, to: 3500 }], clients: late }), [], 'a worker that could not hear of it may not know it');
  assert.deepEqual(kinds({ wire, receipts, deaf: [{ from: 5000, to: 9000 }], clients: late }), ['killed'], 'one that had heard of it knows it');
});
test('an embargo that leaks, a receipt for what is gone, and news that was held and never came out', () => {
  assert.deepEqual(kinds({ wire: [post(1)], embargoes: new Map([['u1', 9000]]), clients: [client([saw(1)])] }), ['leaked']);
  assert.deepEqual(kinds({ receipts: [{ id: '7-0', uri: 'u' }] }), ['undurable']);
  assert.deepEqual(kinds({ wire: [post(7)], receipts: [{ id: '7-0', uri: 'another' }] }), ['undurable']);
  assert.deepEqual(kinds({ receipts: [{ uri: 'u', status: 'held', at: 10 }] }), ['undurable']);
  assert.deepEqual(kinds({ receipts: [{ uri: 'u', status: 'held', at: 10 }], losses: [11] }), [], 'Redis forgot it');
  assert.deepEqual(kinds({ receipts: [{ uri: 'u', status: 'held', since: 5, at: 10 }], losses: [7] }), [], 'Redis forgot it while the answer was on its way');
  assert.deepEqual(kinds({ receipts: [{ uri: 'u', status: 'held', since: 8, at: 10 }], losses: [7] }), ['undurable']);
});
test('an entry of the inbox that never came out, came out twice, or after a later version', () => {
  const version = (n, v) => post(n, { uri: 'u', version: v });
  const queued = [{ uri: 'u', version: '1', since: 10 }, { uri: 'u', version: '2', since: 20 }];
  assert.deepEqual(kinds({ wire: [version(1, '1'), version(2, '2')], queued }), []);
  assert.deepEqual(kinds({ wire: [version(2, '2')], queued }), ['undurable']);
  assert.deepEqual(kinds({ wire: [version(2, '2')], queued, losses: [15] }), [], 'Redis forgot it');
  assert.deepEqual(kinds({ wire: [version(2, '2')], queued, losses: [60000] }), ['undurable'], 'too late for an excuse');
  assert.deepEqual(kinds({ wire: [version(1, '1')], queued, losses: [15] }), ['undurable'], 'it was added later');
  assert.deepEqual(kinds({ wire: [version(1, '1'), version(2, '2'), version(3, '2')], queued }), ['doubled']);
  assert.deepEqual(kinds({ wire: [version(1, '2'), version(2, '1')], queued }), ['disordered']);
});

test('where history breaks, a reader is told, and what he had not got of the old one is excused; not what came before his place', () => {
  const wire = [post(1), post(2), post(3), post(3, { epoch: 'f', uri: 'v3' }), post(4, { epoch: 'f', uri: 'v4' })];
  const stretches = [{ ...whole, to: '2-0' }, { epoch: 'f', from: '3-0', to: '4-0', told: true }];
  const last = saw(4, { cursor: 'f:4-0', uri: 'v4' });
  assert.deepEqual(kinds({ wire, clients: [client([saw(1), saw(2), last], { stretches })] }), []);
  assert.deepEqual(kinds({ wire, clients: [client([saw(1), last], { stretches })] }), ['lost']);
  assert.deepEqual(kinds({ wire, clients: [client([saw(1), saw(2)], { stretches })] }), ['lost']);
});
test('a gap that nobody told, a reader left in a history that is over, and a gap for nothing', () => {
  const wire = [post(1), post(2, { epoch: 'f' })];
  const seen = [saw(1), saw(2, { cursor: 'f:2-0' })];
  const second = { epoch: 'f', from: '0-0', to: '2-0', told: false };
  assert.deepEqual(kinds({ wire, clients: [client(seen, { stretches: [{ ...whole, to: '1-0' }, second] })] }), ['silent']);
  assert.deepEqual(kinds({ wire, clients: [client([saw(1)], { stretches: [{ ...whole, to: '1-0' }] })] }), ['silent']);
  assert.deepEqual(kinds({ wire: [post(1), post(2)], clients: [client([saw(1), saw(2)],
    { stretches: [{ ...whole, to: '1-0' }, { ...whole, from: '1-0' }] })] }), ['gap']);
});


// A master was replaced and lived on: 3-0 stood only there, and the new one of the same history has 4-0.
const torn = { wire: [post(1), post(2), post(4), post(5, { epoch: 'f' })], branches: [post(3, { uri: 'gone' })] };
const stray = saw(3, { uri: 'gone' });
const after = saw(5, { cursor: 'f:5-0' });
const onto = (to, told = true) => ({ stretches: [{ ...whole, to }, { epoch: 'f', from: '4-0', to: '5-0', told }] });
test('who saw a post of a branch that was lost, and was told of a gap, has all he is owed; so has who stayed on the wire', () => {
  assert.deepEqual(kinds({ ...torn, clients: [client([saw(1), saw(2), stray, after], onto('3-0'))] }), []);
  assert.deepEqual(kinds({ ...torn, clients: [client([saw(1), saw(2), saw(4), after], onto('4-0'))] }), []);
  assert.deepEqual(kinds({ ...torn, clients: [client([saw(1), stray, after], onto('3-0'))] }), ['lost'], 'what came before the branch he is owed');
  assert.deepEqual(kinds({ ...torn, clients: [client([saw(1), saw(2), after], onto('4-0'))] }), ['lost'], 'who was not on the branch is owed the wire');
});
test('who saw a post of a branch that was lost, or stood on it, and was told nothing', () => {
  assert.deepEqual(kinds({ ...torn, clients: [client([saw(1), saw(2), stray, after], onto('3-0', false))] }), ['silent']);
  const still = { wire: torn.wire.slice(0, 3), branches: torn.branches };
  assert.deepEqual(kinds({ ...still, clients: [client([saw(1), saw(2), stray, saw(4)], { stretches: [{ ...whole, to: '4-0' }] })] }), ['silent']);
  assert.deepEqual(kinds({ ...still, clients: [client([saw(1), saw(2), saw(4)], { stretches: [{ ...whole, to: '3-0' }] })] }), ['silent']);
});
test('two masters gave one id to two posts: which of them it was is told by its uri', () => {
  const same = { wire: [post(1), post(2), post(3, { epoch: 'f' })], branches: [post(2, { uri: 'gone' })] };
  const second = saw(2, { uri: 'gone' });
  const moved = { stretches: [{ ...whole, to: '2-0' }, { epoch: 'f', from: '2-0', to: '3-0', told: true }] };
  assert.deepEqual(kinds({ ...same, clients: [client([saw(1), second, saw(3, { cursor: 'f:3-0' })], moved)] }), []);
  assert.deepEqual(kinds({ ...same, wire: same.wire.slice(0, 2), clients: [client([saw(1), second], { stretches: [{ ...whole, to: '2-0' }] })] }), ['silent']);
});
test('a receipt that says replicated is never on a branch that was lost; one that does not may be', () => {
  const receipt = (durability) => ({ ...torn, receipts: [{ id: '3-0', uri: 'gone', durability }] });
  assert.deepEqual(kinds(receipt('replicated')), ['undurable']);
  assert.deepEqual(kinds(receipt(undefined)), ['undurable'], 'what says nothing is held to the promise');
  assert.deepEqual(kinds(receipt('fsync')), []);
  assert.deepEqual(kinds({ ...torn, branches: [], receipts: receipt('fsync').receipts }), ['undurable'], 'and what stood nowhere was no failover');
});

test('what a narrowed subscription and a prefix take', () => {
  const flash = post(1, { channels: ['class:flash', 'sport', 'type:text'], was: [] });
  assert.equal(matching(flash, { channels: ['s*'] }), 'full');
  assert.equal(matching(flash, { channels: ['c*'] }), null, 'no prefix of a plain name takes a derived channel');
  assert.equal(matching(flash, { channels: ['class:*'] }), 'full');
  assert.equal(matching(flash, { channels: ['sport'], class: ['urgent'] }), null);
  assert.equal(matching({ ...flash, channels: ['class:urgent', 'sport'], was: ['class:flash', 'sport'] }, { channels: ['sport'], class: ['flash'] }), 'remove');
});
test('ids compare as numbers', () => {
  assert.ok(compareIds('9-0', '10-0') < 0 && compareIds('10-2', '10-10') < 0 && compareIds('5-5', '5-5') === 0);
});
test('the same seed gives the same faults in the same order, every kind once before any comes again', () => {
  const first = (seed, n) => { const all = schedule(seeded(seed), ['namespace', 'single', 'sentinel']); return Array.from({ length: n }, () => { const { fault, pause, seed: dice } = all.next().value; return [fault.name, pause, dice]; }); };
  assert.deepEqual(first(7, 100), first(7, 100));
  assert.notDeepEqual(first(7, 10), first(8, 10));
  assert.equal(new Set(first(7, FAULTS.length).map(([name]) => name)).size, FAULTS.length);
});
