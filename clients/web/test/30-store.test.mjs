/* The store shows the same stories whatever order the news of them comes in. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Store, compareCursors, compareVersions } from '../sdk/newswire.js';
import { post } from './fakes.mjs';

const listed = (store) => [...store].map((entry) => `${entry.uri} ${entry.post?.item.version ?? entry.state}`);

function storeOf(...posts) {
	const store = new Store();
	for (const one of posts)
		store.apply(one);
	return store;
}

test('versions compare as integers where both are, else as strings', () => {
	assert.ok(compareVersions('10', '9') > 0);
	assert.ok(compareVersions('9007199254740993', '9007199254740992') > 0);
	assert.ok(compareVersions('1a', '1b') < 0);
	assert.equal(compareVersions('007', '7'), 0);
	assert.ok(compareVersions(undefined, '1') < 0);
});

test('cursors compare within one epoch only', () => {
	assert.ok(/** @type {number} */ (compareCursors('e:9-1', 'e:10-0')) < 0);
	assert.ok(/** @type {number} */ (compareCursors('e:9-2', 'e:9-10')) < 0);
	assert.equal(compareCursors('e:9-1', 'f:9-1'), null);
	assert.equal(compareCursors(undefined, 'e:9-1'), null);
	assert.equal(compareCursors('<script>', 'e:9-1'), null);
});

test('the newest story is on top, and a correction keeps its place', () => {
	const store = storeOf(post('a', '1'), post('b', '1'), post('a', '2', { action: 'correct' }));
	assert.deepEqual(listed(store), ['b 1', 'a 2']);
});

test('doubles and late older versions change nothing', () => {
	const store = storeOf(post('a', '2'));
	assert.equal(store.apply(post('a', '2')), false);
	assert.equal(store.apply(post('a', '1')), false);
	assert.deepEqual(listed(store), ['a 2']);
});

test('what comes ahead is on top at once, and stays above what comes before its turn', () => {
	const ahead = { ahead: true };
	const store = storeOf(post('a', '1', { cursor: 'e:1-0' }));
	const changes = [];
	store.addEventListener('change', ({ detail }) => changes.push(detail.entry.uri));
	store.apply(post('flash', '1', ahead));
	store.apply(post('b', '1', { cursor: 'e:2-0' }));
	assert.deepEqual(listed(store), ['flash 1', 'b 1', 'a 1']);
	assert.equal(store.apply(post('flash', '1', { cursor: 'e:3-0' })), false, 'a double');
	assert.deepEqual(listed(store), ['flash 1', 'b 1', 'a 1']);
	store.apply(post('c', '1', { cursor: 'e:4-0' }));
	assert.deepEqual(listed(store), ['c 1', 'flash 1', 'b 1', 'a 1']);
	assert.deepEqual(changes, ['flash', 'b', 'c']);
});

test('what was killed ahead does not come back in its turn', () => {
	const ahead = { ahead: true };
	const store = storeOf(post('flash', '1', ahead), post('flash', '2', { ...ahead, action: 'kill' }),
		post('flash', '1', { cursor: 'e:3-0' }), post('b', '1', { cursor: 'e:4-0' }));
	assert.equal(store.get('flash')?.state, 'killed');
	assert.equal(store.apply(post('flash', '2', { action: 'kill', cursor: 'e:5-0' })), false);
	assert.deepEqual(listed(store), ['b 1', 'flash killed']);
});

test('an equal version replaces only when it was made later', () => {
	const at = (versionCreated) => post('a', '1', { versionCreated });
	const store = storeOf(at('2026-01-10T08:00:00+0000'));
	assert.equal(store.apply(at('2026-01-10T08:00:00Z')), false);
	assert.equal(store.apply(at('2026-01-10T07:59:00Z')), false);
	assert.equal(store.apply(at('2026-01-10T09:30:00+0100')), true);
});

test('a kill takes the text away at once and leaves its notice', () => {
	const store = storeOf(post('a', '1', { headline: 'SECRET' }),
		post('a', '2', { action: 'kill', notice: 'Withdrawn.' }));
	const entry = store.get('a');
	assert.equal(entry?.state, 'killed');
	assert.equal(entry?.notice, 'Withdrawn.');
	assert.ok(!JSON.stringify([...store]).includes('SECRET'));
});

test('a killed story never returns, by no version, no release and no feed', () => {
	const store = storeOf(post('a', '1'), post('a', '1', { action: 'kill', cursor: 'e:5-0' }));
	for (const back of [post('a', '1'), post('a', '9', { cursor: 'e:9-0' }), post('a', '9', { action: 'release', cursor: 'e:9-1' })])
		assert.equal(store.apply(back), false);
	store.doubt();
	store.fill({ items: [post('a', '9')], cursor: 'e:9-2' });
	assert.deepEqual(listed(store), ['a killed']);
});

test('a kill that comes before its story keeps it away, and shows nothing', () => {
	const store = storeOf(post('a', '2', { action: 'kill' }), post('a', '1'));
	assert.deepEqual(listed(store), []);
});

test('a kill at a lower version kills too', () => {
	const store = storeOf(post('a', '5'), post('a', '2', { action: 'kill' }));
	assert.deepEqual(listed(store), ['a killed']);
});

test('a withheld story loses its text and comes back in its place when released', () => {
	const store = storeOf(post('a', '1'), post('b', '1'), post('a', '2', { action: 'hold' }));
	assert.deepEqual(listed(store), ['b 1', 'a withheld']);
	assert.equal(store.get('a')?.post, null);
	store.apply(post('a', '3', { action: 'release' }));
	assert.deepEqual(listed(store), ['b 1', 'a 3']);
});

test('a snapshot older than a hold does not undo it', () => {
	const store = storeOf(post('a', '1', { cursor: 'e:1-0' }), post('a', '1', { action: 'hold', cursor: 'e:5-0' }));
	store.fill({ items: [post('a', '1')], cursor: 'e:4-0' });
	assert.deepEqual(listed(store), ['a withheld']);
	assert.equal(store.apply(post('a', '1', { action: 'release', cursor: 'e:6-0' })), true);
	assert.deepEqual(listed(store), ['a 1']);
});

test('a removed story leaves the list, and a later version is a new story', () => {
	const changes = [];
	const store = new Store();
	store.addEventListener('change', (event) => changes.push(event.detail.change));
	for (const one of [post('a', '1'), post('b', '1'), post('a', '2', { action: 'remove' }), post('a', '1'), post('a', '3')])
		store.apply(one);
	assert.deepEqual(changes, ['added', 'added', 'removed', 'added']);
	assert.deepEqual(listed(store), ['a 3', 'b 1']);
});

test('feed and stream overlap without doubles, and older pages go below', () => {
	const store = new Store();
	store.fill({ items: [post('c', '1'), post('b', '1')], cursor: 'e:3-0' });
	store.apply(post('c', '1', { cursor: 'e:3-0' }));
	store.apply(post('d', '1', { cursor: 'e:4-0' }));
	const added = store.fill({ items: [post('b', '1'), post('a', '1')], cursor: 'e:4-0' }, { older: true });
	assert.deepEqual(listed(store), ['d 1', 'c 1', 'b 1', 'a 1']);
	assert.deepEqual(added.map((entry) => entry.uri), ['a']);
});

test('after a gap, what the feed does not confirm is gone, and what it brings stands in its place', () => {
	const store = new Store();
	store.fill({ items: [post('c', '1'), post('b', '1'), post('a', '1')], cursor: 'e:3-0' });
	store.doubt();
	store.apply(post('f', '1', { cursor: 'e:9-0' })); /* came while the feed was on its way */
	store.fill({ items: [post('e', '1'), post('d', '1'), post('c', '2'), post('a', '1')], cursor: 'e:8-0' });
	assert.deepEqual(listed(store), ['f 1', 'e 1', 'd 1', 'c 2', 'a 1']);
});

test('a story withheld before a gap is shown again when the feed has it', () => {
	const store = storeOf(post('a', '1', { cursor: 'e:1-0' }), post('a', '1', { action: 'hold', cursor: 'e:2-0' }));
	store.doubt();
	store.fill({ items: [post('a', '1')], cursor: 'new:1-0' });
	assert.deepEqual(listed(store), ['a 1']);
});

test('trimming forgets the oldest stories but no kill', () => {
	const store = new Store();
	for (let n = 0; n < 10; n++)
		store.apply(post(`s${n}`, '1'));
	store.apply(post('s0', '2', { action: 'kill' }));
	assert.equal(store.trim(3), 7);
	assert.deepEqual(listed(store), ['s9 1', 's8 1', 's7 1']);
	assert.equal(store.apply(post('s0', '3')), false);
});

test('in any order, with doubles, the end is the same', () => {
	const history = [
		post('a', '1', { cursor: 'e:1-0' }), post('b', '1', { cursor: 'e:2-0' }),
		post('a', '2', { action: 'correct', cursor: 'e:3-0' }), post('c', '1', { cursor: 'e:4-0' }),
		post('b', '2', { action: 'kill', cursor: 'e:5-0' }), post('c', '2', { action: 'correct', cursor: 'e:6-0' }),
	];
	let seed = 7;
	const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
	for (let round = 0; round < 500; round++) {
		const shuffled = [...history, ...history].sort(() => random() - 0.5);
		const store = storeOf(...shuffled);
		const shown = [...store].filter((entry) => entry.state === 'shown').map((entry) => `${entry.uri} ${entry.version}`);
		assert.deepEqual(shown.sort(), ['a 2', 'c 2'], `round ${round}`);
		assert.equal(store.get('b')?.state, 'killed');
	}
});

test('a post without a uri is nothing', () => {
	const store = new Store();
	assert.equal(store.apply({ type: 'post', action: 'publish', item: {} }), false);
	assert.equal(store.apply({ type: 'post', action: 'publish' }), false);
	assert.equal(store.size, 0);
});
