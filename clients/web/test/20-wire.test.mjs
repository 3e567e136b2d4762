/* A wire keeps its place, whatever happens to the sockets beneath it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../sdk/newswire.js';
import { FakeClock, fakeWebSockets, post } from './fakes.mjs';

function open(options = {}) {
	const clock = new FakeClock();
	const { WebSocket, sockets } = fakeWebSockets();
	const wire = connect({ url: 'http://news.example/', WebSocket, sse: false, clock, random: () => 0.5, ...options });
	const heard = [];
	for (const type of ['status', 'post', 'gap', 'error'])
		wire.addEventListener(type, (event) => heard.push([type, event.detail]));
	const of = (type) => heard.filter(([kind]) => kind === type).map(([, detail]) => detail);
	return { wire, clock, sockets, of, last: () => sockets.at(-1), since: () => sockets.at(-1).url.searchParams.get('since') };
}

test('it asks for what it was told to, in the protocol of the house', () => {
	const { last } = open({ channels: ['world', 'sport'], class: ['flash'], lang: ['en'], types: ['video'], view: 'brief', since: 'e:1-1' });
	assert.equal(last().protocol, 'newswire.v1');
	assert.equal(last().url.protocol, 'ws:');
	assert.equal(last().url.pathname, '/v1/stream');
	assert.deepEqual(Object.fromEntries(last().url.searchParams),
		{ channels: 'world,sport', class: 'flash', lang: 'en', type: 'video', view: 'brief', since: 'e:1-1' });
});

test('it may ask for flashes before their turn, and one that comes leaves the cursor where it is', () => {
	const { wire, last, of } = open({ ahead: true });
	assert.equal(last().url.searchParams.get('ahead'), '1');
	last().hello('e:1-0');
	last().say(post('urn:a', '1', { ahead: true }));
	assert.equal(wire.cursor, 'e:1-0');
	last().say(post('urn:a', '1', { cursor: 'e:2-0' }));
	assert.deepEqual(of('post').map(({ ahead }) => ahead), [true, undefined]);
});

test('https becomes wss, and a path in front of the server is kept', () => {
	const { last } = open({ url: 'https://paper.example/live/' });
	assert.equal(last().url.href, 'wss://paper.example/live/v1/stream');
});

test('the cursor moves with hello, post, tick, gap and subscribed', async () => {
	const { wire, last } = open();
	last().hello('e:1-0');
	assert.equal(wire.cursor, 'e:1-0');
	last().say(post('urn:a', '1', { cursor: 'e:2-0' }));
	assert.equal(wire.cursor, 'e:2-0');
	last().say({ type: 'tick', cursor: 'e:3-0' });
	assert.equal(wire.cursor, 'e:3-0');
	last().say({ type: 'gap', cursor: 'e:9-0' });
	assert.equal(wire.cursor, 'e:9-0');
	const answer = wire.subscribe({ channels: ['sport'] });
	last().say({ type: 'subscribed', ref: 1, cursor: 'e:9-5' });
	assert.equal(await answer, 'e:9-5');
	assert.equal(wire.cursor, 'e:9-5');
});

test('a lost link is resumed from the last post', () => {
	const { clock, sockets, last, since, of } = open();
	last().hello('e:1-0');
	last().say(post('urn:a', '1', { cursor: 'e:2-0' }));
	last().end(1006);
	assert.equal(of('status').at(-1).state, 'waiting');
	clock.pass(125);
	assert.equal(sockets.length, 2);
	assert.equal(since(), 'e:2-0');
});

test('a resuming hello does not move the cursor past what was not yet sent', () => {
	const { wire, last } = open({ since: 'e:5-0' });
	last().hello('e:9-0', { resumed: true });
	assert.equal(wire.cursor, 'e:5-0');
});

test('a listener sees its post when the cursor already stands on it', () => {
	const { wire, last } = open();
	let cursor;
	wire.addEventListener('post', () => (cursor = wire.cursor));
	last().hello('e:1-0');
	last().say(post('urn:a', '1', { cursor: 'e:2-0' }));
	assert.equal(cursor, 'e:2-0');
});

test('bye says when to come back, and is obeyed to the millisecond', () => {
	const { clock, sockets, last } = open();
	last().hello('e:1-0');
	last().say({ type: 'bye', reason: 'drain', retry_ms: 4200 });
	last().end(1001);
	clock.pass(4199);
	assert.equal(sockets.length, 1);
	clock.pass(1);
	assert.equal(sockets.length, 2);
});

test('a server that says bye and does not close is left', () => {
	const { clock, last, of } = open();
	last().hello('e:1-0');
	last().say({ type: 'bye', reason: 'drain', retry_ms: 1000 });
	clock.pass(5000);
	assert.equal(of('status').at(-1).state, 'waiting');
});

test('two missed ticks and the link is dead; a tick keeps it alive', () => {
	const { clock, last, sockets } = open();
	last().hello('e:1-0');
	clock.pass(50_000);
	last().say({ type: 'tick', cursor: 'e:1-0' });
	clock.pass(50_000);
	assert.equal(sockets.length, 1);
	clock.pass(13_000);
	assert.equal(sockets[0].closed, true);
	assert.equal(sockets.length, 2);
});

test('a server that never says hello is dead after ten seconds', () => {
	const { clock, sockets } = open();
	clock.pass(10_125);
	assert.equal(sockets.length, 2);
});

test('what a dropped socket still says is not heard', () => {
	const { clock, sockets, of, wire } = open();
	sockets[0].hello('e:1-0');
	clock.pass(62_500);
	sockets[0].say(post('urn:a', '1', { cursor: 'e:2-0' }));
	assert.equal(of('post').length, 0);
	assert.equal(wire.cursor, 'e:1-0');
});

test('a server that greets and hangs up is asked less and less often', () => {
	const { clock, sockets, of } = open();
	for (let attempt = 0; attempt < 4; attempt++) {
		sockets.at(-1).hello('e:1-0');
		sockets.at(-1).end(1011);
		clock.pass(of('status').at(-1).retry);
	}
	assert.deepEqual(of('status').filter((s) => s.state === 'waiting').map((s) => s.retry), [125, 250, 500, 1000]);
});

test('a link that was good for a while is regained at once', () => {
	const { clock, sockets, of, last } = open();
	for (let attempt = 0; attempt < 5; attempt++) {
		last().end(1006);
		clock.pass(of('status').at(-1).retry);
	}
	sockets.at(-1).hello('e:1-0');
	clock.pass(10_000);
	last().end(1006);
	assert.equal(of('status').at(-1).retry, 125);
});

test('a full server is not pressed', () => {
	const { last, of } = open();
	last().end(1013, 'full');
	assert.equal(of('status').at(-1).retry, 4000);
});

for (const code of [1003, 1007, 1009, 4000, 4001, 4003])
	test(`after close ${code} the same request is not made again`, () => {
		const { clock, sockets, last, of } = open();
		last().hello('e:1-0');
		last().end(code, 'why');
		clock.pass(120_000);
		assert.equal(sockets.length, 1);
		assert.equal(of('status').at(-1).state, 'closed');
		assert.equal(of('error')[0].code, `close_${code}`);
		assert.equal(of('error')[0].fatal, true);
	});

test('gap is told once, even if hello told it too', () => {
	const { last, of, wire } = open({ since: 'old:1-0' });
	last().hello('e:7-0', { resumed: false });
	last().say({ type: 'gap', cursor: 'e:7-0' });
	assert.deepEqual(of('gap'), [{ type: 'gap', cursor: 'e:7-0' }]);
	assert.equal(wire.cursor, 'e:7-0');
});

test('a new subscription goes to the server, and into the next connection', async () => {
	const { wire, clock, last } = open({ channels: ['world'] });
	last().hello('e:1-0');
	const answer = wire.subscribe({ channels: ['sport'], types: ['video'] });
	assert.deepEqual(last().sent, [{ type: 'subscribe', ref: 1, channels: ['sport'], types: ['video'] }]);
	last().end(1006);
	clock.pass(125);
	assert.equal(last().url.searchParams.get('channels'), 'sport');
	last().hello('e:1-0');
	assert.equal(await answer, 'e:1-0');
});

test('a subscription changed while connecting is asked for anew', async () => {
	const { wire, sockets, last } = open({ channels: ['world'] });
	const answer = wire.subscribe({ channels: ['sport'], since: 'e:4-0' });
	assert.equal(sockets[0].closed, true);
	assert.equal(last().url.searchParams.get('channels'), 'sport');
	last().hello('e:4-0');
	assert.equal(await answer, 'e:4-0');
});

test('a refused subscription leaves the old one in place', async () => {
	const { wire, clock, last } = open({ channels: ['world'] });
	last().hello('e:1-0');
	const answer = wire.subscribe({ channels: ['NO'] });
	last().say({ type: 'error', code: 'bad_channel', detail: 'NO is no channel.', ref: 1 });
	await assert.rejects(answer, { code: 'bad_channel', message: 'NO is no channel.' });
	last().end(1006);
	clock.pass(125);
	assert.equal(last().url.searchParams.get('channels'), 'world');
});

test('rubbish and messages of tomorrow do no harm', () => {
	const { last, of } = open();
	last().hello('e:1-0');
	last().onmessage({ data: '{"type":' });
	last().say(null);
	last().say({ type: 'weather', cursor: 'e:5-0' });
	last().say(post('urn:a', '1', { cursor: 'e:2-0' }));
	assert.deepEqual(of('error').map((error) => error.code), ['bad_message', 'bad_message']);
	assert.equal(of('post').length, 1);
});

test('close ends it: no more attempts, and open questions are answered', async () => {
	const { wire, clock, sockets, last } = open();
	last().hello('e:1-0');
	const answer = wire.subscribe({ channels: ['sport'] });
	wire.close();
	wire.close();
	clock.pass(120_000);
	await assert.rejects(answer, { code: 'closed' });
	await assert.rejects(wire.subscribe({}), { code: 'closed' });
	assert.equal(sockets.length, 1);
	assert.equal(sockets[0].closed, true);
});

test('a loop reads posts and gaps in order, and ends with the wire', async () => {
	const { wire, last } = open();
	last().hello('e:1-0');
	const read = (async () => {
		const seen = [];
		for await (const message of wire) {
			seen.push(message.type === 'gap' ? 'gap' : message.item.uri);
			if (seen.length === 3)
				wire.close();
		}
		return seen;
	})();
	last().say(post('urn:a', '1', { cursor: 'e:2-0' }));
	last().say({ type: 'gap', cursor: 'e:3-0' });
	last().say(post('urn:b', '1', { cursor: 'e:4-0' }));
	assert.deepEqual(await read, ['urn:a', 'gap', 'urn:b']);
});

test('a loop that cannot keep up is told so, behind what it can have', async () => {
	const { wire, last } = open();
	last().hello('e:1-0');
	const loop = wire[Symbol.asyncIterator]();
	const next = loop.next();
	for (let n = 1; n <= 10_002; n++)
		last().say(post('urn:a', String(n), { cursor: `e:2-${n}` }));
	/** @type {any} */ let message = (await next).value;
	for (let n = 2; n <= 10_000; n++)
		message = (await loop.next()).value;
	assert.equal(message.cursor, 'e:2-10000');
	await assert.rejects(loop.next(), { code: 'too_slow' });
});

test('without any way to the server it says what to do', () => {
	assert.throws(() => connect({ url: 'http://news.example/', WebSocket: null, sse: false }), /no WebSocket here; pass one/);
});
