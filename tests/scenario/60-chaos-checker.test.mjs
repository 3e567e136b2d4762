// The checker of ./dev chaos finds what it is there to find: each kind of broken promise, made on purpose.
import test from 'node:test';
import assert from 'node:assert/strict';
import { check, compareIds } from '../chaos/checker.mjs';

const post = (n, changes = {}) => ({ id: `${n}-0`, action: 'publish', uri: `u${n}`, version: '1', channels: ['world'], was: [], ...changes });
const saw = (n, changes = {}) => ({ cursor: `e:${n}-0`, action: 'publish', uri: `u${n}`, version: '1', text: true, at: 5000, session: 0, ...changes });
const client = (seen, changes = {}) => ({ name: 'c', channels: ['world'], from: '0-0', sessions: [{ at: 0 }], seen, gaps: 0, ...changes });
const kinds = (world) => check({ wire: [], receipts: [], embargoes: new Map(), ...world }).map((w) => w.kind);

test('a faithful run is faithful', () => {
  const wire = [post(1), post(2, { channels: ['sport'] }), post(3)];
  assert.deepEqual(kinds({ wire, receipts: [{ id: '3-0' }], clients: [client([saw(1), saw(3)])] }), []);
});
test('a post that did not come is lost', () => {
  assert.deepEqual(kinds({ wire: [post(1), post(2)], clients: [client([saw(1)])] }), ['lost']);
});
test('a version that was replaced may be left out, the final one may not', () => {
  const wire = [post(1, { uri: 'u' }), post(2, { uri: 'u', action: 'correct' })];
  assert.deepEqual(kinds({ wire, clients: [client([saw(2, { uri: 'u' })])] }), []);
  assert.deepEqual(kinds({ wire, clients: [client([saw(1, { uri: 'u' })])] }), ['lost']);
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
  assert.deepEqual(kinds({ wire, receipts, clients: [client([saw(1, { uri: 'u' }), kill], { sessions: [{ at: 4000 }] })] }), ['killed']);
  assert.deepEqual(kinds({ wire, receipts, clients: [client([kill, saw(3, { uri: 'u' })])] }), ['strange', 'killed']);
});
test('an embargo that leaks, a gap for nothing, a receipt for what is gone', () => {
  assert.deepEqual(kinds({ wire: [post(1)], embargoes: new Map([['u1', 9000]]), clients: [client([saw(1)])] }), ['leaked']);
  assert.deepEqual(kinds({ clients: [client([], { gaps: 1 })] }), ['gap']);
  assert.deepEqual(kinds({ receipts: [{ id: '7-0', uri: 'u' }], clients: [] }), ['undurable']);
});
test('an entry of the inbox that never came out, came out twice, or after a later version', () => {
  const version = (n, v) => post(n, { uri: 'u', version: v });
  const queued = [{ uri: 'u', version: '1' }, { uri: 'u', version: '2' }];
  assert.deepEqual(kinds({ wire: [version(1, '1'), version(2, '2')], queued, clients: [] }), []);
  assert.deepEqual(kinds({ wire: [version(2, '2')], queued, clients: [] }), ['undurable']);
  assert.deepEqual(kinds({ wire: [version(1, '1'), version(2, '2'), version(3, '2')], queued, clients: [] }), ['doubled']);
  assert.deepEqual(kinds({ wire: [version(1, '2'), version(2, '1')], queued, clients: [] }), ['disordered']);
});
test('ids compare as numbers', () => {
  assert.ok(compareIds('9-0', '10-0') < 0 && compareIds('10-2', '10-10') < 0 && compareIds('5-5', '5-5') === 0);
});
