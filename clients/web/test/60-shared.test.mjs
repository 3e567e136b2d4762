/* All tabs of a browser read over one connection, and each sees every post once, whoever leads. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../sdk/newswire.js';
import { FakeBrowser, FakeClock, fakeWebSockets, post, settled } from './fakes.mjs';

/** A browser with tabs; `sockets` are those of all of them. */
function open() {
	const browser = new FakeBrowser();
	const clock = new FakeClock();
	const { WebSocket, sockets } = fakeWebSockets();
	const tabs = [];
	const tab = async (options = {}) => {
		const place = browser.tab();
		const { locks, BroadcastChannel } = place;
		const wire = connect({
			url: 'http://news.example/', share: true, sse: false, WebSocket, clock, random: () => 0.5, locks, BroadcastChannel, ...options,
		});
		const seen = [];
		const errors = [];
		wire.addEventListener('post', ({ detail }) => seen.push(detail.item.uri));
		wire.addEventListener('gap', () => seen.push('gap'));
		wire.addEventListener('error', ({ detail }) => errors.push(detail.code));
		const one = { wire, seen, errors, place, close: () => browser.close(place), role: () => wire.status.role, state: () => wire.status.state };
		tabs.push(one);
		await settled();
		return one;
	};
	const living = () => sockets.filter((socket) => !socket.closed);
	const say = async (n, socket = living().at(-1)) => {
		socket.say(post(`urn:${n}`, '1', { cursor: `e:${n}-0` }));
		await settled();
	};
	const hello = async (cursor, more) => {
		living().at(-1).hello(cursor, more);
		await settled();
	};
	const pass = async (ms) => {
		clock.pass(ms);
		await settled();
	};
	const since = () => living().at(-1).url.searchParams.get('since');
	return { browser, clock, sockets, tabs, tab, living, say, hello, pass, since };
}

test('where a channel cannot be made, as where storage is forbidden, a tab has a connection of its own', async () => {
	const { tab, hello, say } = open();
	const alone = await tab({ BroadcastChannel: class { constructor() { throw new DOMException('The operation is insecure.', 'SecurityError'); } } });
	await hello('e:1-0');
	await say(2);
	assert.deepEqual([alone.state(), alone.role(), alone.seen], ['live', undefined, ['urn:2']]);
});

test('one leads and has the connection, the others hear what it hears', async () => {
	const { tab, sockets, hello, say } = open();
	const first = await tab();
	const second = await tab();
	const third = await tab();
	await hello('e:1-0');
	await say(2);
	await say(3);
	assert.equal(sockets.length, 1);
	for (const { seen, wire } of [first, second, third]) {
		assert.deepEqual(seen, ['urn:2', 'urn:3']);
		assert.equal(wire.cursor, 'e:3-0');
		assert.equal(wire.status.state, 'live');
	}
	assert.deepEqual([first, second, third].map((one) => one.role()), ['leads', 'follows', 'follows']);
});

test('each of them knows when the server was last heard', async () => {
	const { tab, hello, say } = open();
	const both = [await tab(), await tab()];
	await hello('e:1-0');
	for (const { wire } of both)
		wire.status.heard = null;
	await say(2);
	for (const { wire } of both)
		assert.ok(wire.status.heard instanceof Date);
});

test('who wants something else has another connection', async () => {
	const { tab, sockets } = open();
	await tab({ channels: ['world', 'sport'] });
	await tab({ channels: ['sport', 'world'] });
	await tab({ channels: ['sport'] });
	assert.deepEqual(sockets.map(({ url }) => url.searchParams.get('channels')), ['world,sport', 'sport']);
});

test('whoever does not share has a connection of its own', async () => {
	const { tab, sockets } = open();
	await tab();
	const alone = await tab({ share: false });
	assert.equal(sockets.length, 2);
	assert.equal(alone.role(), undefined);
});

test('when the leader goes, the next one goes on from its place', async () => {
	const { tab, living, hello, say, sockets, since } = open();
	const first = await tab();
	const second = await tab();
	const third = await tab();
	await hello('e:1-0');
	await say(2);
	first.close();
	sockets[0].closed = true;
	await settled();
	assert.equal(living().length, 1);
	assert.equal(since(), 'e:2-0');
	await hello('e:4-0');
	await say(3);
	await say(4);
	for (const { seen, state } of [second, third]) {
		assert.deepEqual(seen, ['urn:2', 'urn:3', 'urn:4']);
		assert.equal(state(), 'live');
	}
	assert.equal(sockets.length, 2);
});

test('a new leader that has heard less than others doubles nothing for them', async () => {
	const { tab, living, hello, say } = open();
	await tab();
	const ahead = await tab({ since: 'e:3-0' });
	await hello('e:1-0');
	await say(2);
	await say(3);
	await say(4);
	assert.deepEqual(ahead.seen, ['urn:4']);
	assert.equal(living().length, 1);
});

test('who comes late begins where the leader stands', async () => {
	const { tab, hello, say, sockets } = open();
	await tab();
	await hello('e:1-0');
	await say(2);
	const late = await tab();
	assert.equal(late.wire.cursor, 'e:2-0');
	assert.equal(late.state(), 'live');
	await say(3);
	assert.deepEqual(late.seen, ['urn:3']);
	assert.equal(sockets.length, 1);
});

test('who comes with an older place catches up over a stream of its own, and lets it go', async () => {
	const { tab, hello, say, sockets, pass, living, since } = open();
	const first = await tab();
	await hello('e:1-0');
	await say(4);
	const late = await tab({ since: 'e:2-0' });
	await pass(300);
	assert.equal(sockets.length, 2);
	assert.equal(since(), 'e:2-0');
	await hello('e:4-0');
	assert.deepEqual(sockets[1].sent, [{ type: 'ping' }], 'where does it stand?');
	await say(3, sockets[1]);
	await say(5, sockets[0]);
	assert.deepEqual(late.seen, ['urn:3'], 'what is behind a hole has to wait');
	await say(4, sockets[1]);
	await say(5, sockets[1]);
	assert.equal(living().length, 1);
	await say(6, sockets[0]);
	assert.deepEqual(late.seen, ['urn:3', 'urn:4', 'urn:5', 'urn:6']);
	assert.deepEqual(first.seen, ['urn:4', 'urn:5', 'urn:6']);
	assert.equal(late.state(), 'live');
});

test('a post that got lost between tabs is noticed at the next, and fetched', async () => {
	const { tab, hello, say, sockets, pass } = open();
	const first = await tab();
	const second = await tab();
	await hello('e:1-0');
	first.place.mute = true;
	await say(2);
	first.place.mute = false;
	await say(3);
	await pass(300);
	assert.equal(sockets[1].url.searchParams.get('since'), 'e:1-0');
	await hello('e:3-0');
	await say(2, sockets[1]);
	await say(3, sockets[1]);
	assert.deepEqual(second.seen, ['urn:2', 'urn:3']);
	assert.equal(sockets[1].closed, true);
});

test('a leader that is silent is asked, gone around, and deposed', async () => {
	const { tab, hello, say, sockets, pass } = open();
	const first = await tab();
	const second = await tab();
	await hello('e:1-0');
	first.place.mute = true;
	for (let n = 0; n < 3; n++) {
		await pass(20_000);
		sockets[0].say({ type: 'tick', cursor: 'e:1-0' });
	}
	await pass(5_000);
	sockets[0].say({ type: 'tick', cursor: 'e:1-0' });
	assert.equal(sockets.length, 2, 'news by a stream of its own');
	await hello('e:1-0');
	await pass(6_000);
	assert.equal(second.role(), 'leads');
	first.place.mute = false;
	await say(2, sockets[1]);
	await say(3, sockets[1]);
	assert.equal(sockets[0].closed, true);
	assert.deepEqual([first.seen, second.seen], [['urn:2', 'urn:3'], ['urn:2', 'urn:3']]);
	assert.equal(first.role(), 'follows');
	assert.equal(sockets.length, 2);
});

test('a leader in the background, whose timers are late, is asked by those in front to try again', async () => {
	const { tab, hello, sockets, pass, clock } = open();
	const late = { ...clock, setTimeout: (run, ms) => clock.setTimeout(run, ms + 60_000) };
	await tab({ clock: late });
	const front = await tab();
	await hello('e:1-0');
	sockets[0].end(1006);
	await settled();
	assert.equal(front.state(), 'waiting');
	await pass(2_000);
	assert.equal(sockets.length, 2);
});

test('who joins has the leader ask whether its link lives', async () => {
	const { tab, hello, sockets } = open();
	await tab();
	await hello('e:1-0');
	await tab();
	assert.deepEqual(sockets[0].sent, [{ type: 'ping' }]);
});

test('the last words of the old leader do no harm', async () => {
	const { tab, hello, say, sockets } = open();
	const first = await tab();
	const second = await tab();
	await hello('e:1-0');
	await say(2);
	const channel = new first.place.BroadcastChannel(`newswire:1:http://news.example/v1/stream`);
	channel.postMessage({ kind: 'news', prev: 'e:1-0', place: 'e:2-0', news: post('urn:2', '1', { cursor: 'e:2-0' }) });
	channel.postMessage({ kind: 'nonsense' });
	channel.postMessage(null);
	await settled();
	assert.deepEqual(second.seen, ['urn:2']);
	assert.equal(sockets.length, 1);
});

test('a gap is told to all, once', async () => {
	const { tab, hello, say, sockets, pass } = open();
	const first = await tab({ since: 'old:7-0' });
	const second = await tab({ since: 'old:7-0' });
	await hello('e:1-0', { resumed: false });
	sockets[0].say({ type: 'gap', cursor: 'e:1-0' });
	await say(2);
	await pass(1000);
	assert.deepEqual([first.seen, second.seen], [['gap', 'urn:2'], ['gap', 'urn:2']]);
	assert.equal(sockets.length, 1);
});

test('what the server refuses for good ends all of them, with its words', async () => {
	const { tab, living } = open();
	const first = await tab({ channels: ['NO'] });
	const second = await tab({ channels: ['NO'] });
	living()[0].say({ type: 'error', code: 'bad_channel', detail: 'NO is no channel.' });
	living()[0].end(4000, 'bad_subscription');
	await settled();
	for (const { errors, state } of [first, second]) {
		assert.deepEqual(errors, ['bad_channel', 'close_4000']);
		assert.equal(state(), 'closed');
	}
	assert.equal(living().length, 0);
});

test('a tab that subscribes to something else leaves the others, and nothing is lost', async () => {
	const { tab, hello, say, sockets, since } = open();
	const first = await tab({ channels: ['world'] });
	const second = await tab({ channels: ['world'] });
	await hello('e:1-0');
	await say(2);
	const answer = first.wire.subscribe({ channels: ['sport'] });
	await settled();
	const [, forSecond, forFirst] = sockets[1].url.searchParams.get('channels') === 'world' ? sockets : [sockets[0], sockets[2], sockets[1]];
	assert.equal(forFirst.url.searchParams.get('channels'), 'sport');
	assert.equal(since(), 'e:2-0');
	forFirst.hello('e:2-0');
	forSecond.hello('e:2-0');
	assert.equal(await answer, 'e:2-0');
	await say(3, forSecond);
	await say(4, forFirst);
	assert.deepEqual([first.seen, second.seen], [['urn:2', 'urn:4'], ['urn:2', 'urn:3']]);
});

test('a subscription that is refused leaves the one before in place', async () => {
	const { tab, hello, say, living } = open();
	const only = await tab({ channels: ['world'] });
	await hello('e:1-0');
	const answer = only.wire.subscribe({ channels: ['NO'] });
	await settled();
	living()[0].say({ type: 'error', code: 'bad_channel', detail: 'NO is no channel.' });
	living()[0].end(4000, 'bad_subscription');
	await assert.rejects(answer, { code: 'bad_channel', message: 'NO is no channel.' });
	await settled();
	assert.equal(living()[0].url.search, '?channels=world&since=e%3A1-0');
	await hello('e:1-0');
	await say(2);
	assert.deepEqual(only.seen, ['urn:2']);
	assert.deepEqual(only.errors, []);
});

test('a tab that closes its wire is out of it: another leads, and hears no more of it', async () => {
	const { tab, hello, say, living } = open();
	const first = await tab();
	const second = await tab();
	await hello('e:1-0');
	first.wire.close();
	await settled();
	assert.equal(first.state(), 'closed');
	assert.equal(living().length, 1);
	await hello('e:1-0');
	await say(2);
	assert.deepEqual([first.seen, second.seen], [[], ['urn:2']]);
});

test('numbers of readers, and what came ahead of its turn, are for all', async () => {
	const { tab, hello, living } = open();
	const counts = [];
	const flashes = [];
	for (let n = 0; n < 2; n++) {
		const { wire } = await tab({ readers: true, ahead: true });
		wire.addEventListener('readers', ({ detail }) => counts.push(detail.world));
		wire.addEventListener('post', ({ detail }) => flashes.push(detail.ahead));
	}
	assert.equal(living()[0].url.search, '?readers=1&ahead=1');
	await hello('e:1-0');
	living()[0].say({ type: 'readers', channels: { world: 7, odd: 'x' } });
	living()[0].say(post('urn:flash', '1', { ahead: true }));
	await settled();
	assert.deepEqual(counts, [7, 7]);
	assert.deepEqual(flashes, [true, true]);
});

test('locks that cannot be had are no reason to have no news', async () => {
	const { tab, hello, say, sockets } = open();
	const locks = { request: async () => { throw Object.assign(new Error('not here'), { name: 'SecurityError' }); } };
	const one = await tab({ locks });
	assert.equal(sockets.length, 1);
	await hello('e:1-0');
	await say(2);
	assert.deepEqual(one.seen, ['urn:2']);
});
