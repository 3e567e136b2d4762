/* The link finds out by itself that it is dead, and takes the way that gets through. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../sdk/newswire.js';
import { FakeClock, fakeWebSockets, post, settled } from './fakes.mjs';

/** A page whose browser says things: `page.says('online')`. */
function fakePage(t) {
	const page = Object.assign(new EventTarget(), { visibilityState: 'visible', baseURI: 'http://news.example/' });
	const names = ['addEventListener', 'removeEventListener'];
	for (const name of names)
		globalThis[name] = page[name].bind(page);
	globalThis.document = page;
	t.after(() => {
		for (const name of [...names, 'document'])
			delete globalThis[name];
	});
	return { says: (type, more = {}) => page.dispatchEvent(Object.assign(new Event(type), more)) };
}

/** A fetch whose answers are streams that the test writes. */
function fakeStreams() {
	const streams = [];
	const fetch = async (url, { signal }) => {
		const stream = { url: new URL(url), ended: false };
		streams.push(stream);
		signal.addEventListener('abort', () => (stream.ended = true));
		const body = new ReadableStream({ start: (out) => { stream.out = out; } });
		stream.write = async (text) => {
			stream.out.enqueue(new TextEncoder().encode(text));
			await settled();
		};
		stream.say = (message) => stream.write(`id: ${message.cursor}\nevent: ${message.type}\ndata: ${JSON.stringify(message)}\n\n`);
		stream.hello = (cursor) => stream.say({ type: 'hello', cursor, resumed: stream.url.searchParams.has('since'), tick: 25 });
		return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
	};
	return { fetch, streams };
}

function open(options = {}) {
	const clock = new FakeClock();
	const { WebSocket, sockets } = fakeWebSockets();
	const { fetch, streams } = fakeStreams();
	const wire = connect({ url: 'http://news.example/', WebSocket, fetch, clock, share: false, random: () => 0.5, ...options });
	const heard = [];
	for (const type of ['status', 'post', 'gap', 'error'])
		wire.addEventListener(type, (event) => heard.push([type, event.detail]));
	const of = (type) => heard.filter(([kind]) => kind === type).map(([, detail]) => detail);
	const uris = () => of('post').map((one) => one.item.uri);
	const pass = async (ms) => { clock.pass(ms); await settled(); };
	return { wire, clock, sockets, streams, of, uris, pass, state: () => wire.status.state };
}

test('a laptop that slept comes back at once, not after two ticks', (t) => {
	const { clock, sockets, of } = open();
	sockets[0].hello('e:1-0');
	clock.pass(20_000);
	clock.sleep(3_600_000);
	clock.pass(5_000);
	assert.equal(sockets[0].closed, true);
	assert.equal(sockets.length, 2);
	assert.equal(of('status').at(-1).state, 'connecting');
});

test('a clock that is a hair ahead of the other is no sleep: who lost a silent server waits as for any other loss', () => {
	const { wire, clock, sockets, of } = open();
	const times = [];
	wire.addEventListener('status', ({ detail }) => times.push([detail.state, clock.now()]));
	sockets[0].hello('e:1-0');
	clock.sleep(0.4); /* what rounding makes of two clocks */
	clock.pass(65_000);
	assert.equal(sockets[0].closed, true);
	const lost = times.findIndex(([state]) => state === 'waiting');
	assert.deepEqual(times[lost + 1], ['connecting', times[lost][1] + of('status')[lost].retry]);
	assert.ok(of('status')[lost].retry > 0);
});

test('a short nap is no reason to come back', () => {
	const { clock, sockets } = open();
	sockets[0].hello('e:1-0');
	clock.sleep(30_000);
	clock.pass(5_000);
	assert.equal(sockets.length, 1);
});

test('who looks at the page again has the link asked whether it lives', (t) => {
	const page = fakePage(t);
	const { clock, sockets } = open();
	sockets[0].hello('e:1-0');
	clock.pass(1_000);
	page.says('visibilitychange');
	assert.deepEqual(sockets[0].sent, [{ type: 'ping' }]);
	sockets[0].say({ type: 'tick', cursor: 'e:1-0' });
	clock.pass(50_000);
	assert.equal(sockets.length, 1);
	page.says('visibilitychange');
	clock.pass(5_200);
	assert.equal(sockets.length, 2, 'no answer in five seconds');
});

test('who looks at the page again does not wait for the next attempt', (t) => {
	const page = fakePage(t);
	const { sockets } = open();
	sockets[0].end(1006);
	page.says('visibilitychange');
	assert.equal(sockets.length, 2);
});

test('offline ends the link, online begins another at once', (t) => {
	const page = fakePage(t);
	const { sockets, wire } = open();
	sockets[0].hello('e:1-0');
	page.says('offline');
	assert.deepEqual([wire.status.state, wire.status.reason], ['waiting', 'offline']);
	page.says('online');
	assert.equal(sockets.length, 2);
});

test('a page that is frozen lets go, and goes on from its place when it is thawed', async (t) => {
	const page = fakePage(t);
	const { sockets, clock, wire } = open();
	sockets[0].hello('e:1-0');
	sockets[0].say(post('urn:a', '1', { cursor: 'e:2-0' }));
	page.says('freeze');
	assert.equal(sockets[0].closed, true);
	assert.equal(wire.status.reason, 'asleep');
	clock.pass(600_000);
	assert.equal(sockets.length, 1);
	page.says('resume');
	assert.equal(sockets[1].url.searchParams.get('since'), 'e:2-0');
});

test('a page in the back-forward cache too; after close() nothing is listened to', (t) => {
	const page = fakePage(t);
	const { sockets, wire } = open();
	sockets[0].hello('e:1-0');
	page.says('pagehide', { persisted: true });
	page.says('pageshow', { persisted: true });
	assert.equal(sockets.length, 2);
	wire.close();
	page.says('pagehide');
	page.says('pageshow', { persisted: true });
	page.says('online');
	page.says('visibilitychange');
	assert.equal(sockets.length, 2);
	assert.equal(wire.status.state, 'closed');
});

test('two handshakes that fail, and Server-Sent Events are tried; they go on from the same place', async () => {
	const { wire, sockets, streams, pass, uris } = open({ since: 'e:1-0' });
	sockets[0].end(1006);
	await pass(125);
	sockets[1].end(1006);
	await pass(250);
	assert.equal(streams[0].url.href, 'http://news.example/v1/stream?since=e%3A1-0');
	await streams[0].write('retry: 1774\n\n');
	await streams[0].hello('e:9-0');
	assert.deepEqual([wire.status.state, wire.status.via], ['live', 'sse']);
	await streams[0].say(post('urn:a', '1', { cursor: 'e:2-0' }));
	await streams[0].write('id: e:3-0\n\n');
	assert.equal(wire.cursor, 'e:3-0', 'a tick is an id alone');
	const line = `data: ${JSON.stringify(post('urn:b', '1', { cursor: 'e:4-0', headline: 'ä€😀' }))}\r\n\r\n`;
	for (const byte of new TextEncoder().encode(line))
		streams[0].out.enqueue(new Uint8Array([byte]));
	for (let n = 0; n < line.length; n++)
		await settled();
	await streams[0].write(': a comment\n\ndata: {"type":"tick"\n\n');
	assert.deepEqual(uris(), ['urn:a', 'urn:b']);
});

test('a handshake that hangs has been tried enough', async () => {
	const { streams, pass } = open();
	await pass(10_125);
	assert.equal(streams.length, 1);
});

test('when events end, a WebSocket is tried first, once', async () => {
	const { sockets, streams, pass } = open();
	await pass(10_125);
	await streams[0].hello('e:1-0');
	streams[0].out.close();
	await settled();
	await pass(30_000 - 10_000);
	assert.equal(sockets.length, 2);
	sockets[1].end(1006);
	await pass(1_000);
	assert.equal(streams.length, 2);
});

test('events are left for a WebSocket as soon as one gets through, and no post is lost or doubled', async () => {
	const { wire, sockets, streams, pass, uris } = open();
	await pass(10_125);
	await streams[0].hello('e:1-0');
	for (let n = 0; n < 31; n++) {
		await pass(20_000);
		await streams[0].write('id: e:1-0\n\n');
	}
	assert.equal(sockets.length, 2, 'after ten minutes, beside the events');
	assert.equal(streams[0].ended, false);
	await streams[0].say(post('urn:a', '1', { cursor: 'e:2-0' }));
	sockets[1].hello('e:2-0', { resumed: true });
	assert.equal(streams[0].ended, true);
	sockets[1].say(post('urn:a', '1', { cursor: 'e:2-0' }));
	sockets[1].say(post('urn:b', '1', { cursor: 'e:3-0' }));
	assert.deepEqual(uris(), ['urn:a', 'urn:b']);
	assert.deepEqual([wire.status.state, wire.status.via, streams.length], ['live', 'websocket', 1]);
});

test('without a WebSocket there are Server-Sent Events from the beginning', async () => {
	const { wire, streams } = open({ WebSocket: null });
	await settled();
	await streams[0].hello('e:1-0');
	assert.equal(wire.status.via, 'sse');
});

test('a subscription changes over events, too: by another stream from the same place', async () => {
	const { wire, streams } = open({ WebSocket: null, channels: ['world'] });
	await settled();
	await streams[0].hello('e:1-0');
	const answer = wire.subscribe({ channels: ['sport'] });
	await settled();
	assert.equal(streams[1].url.search, '?channels=sport&since=e%3A1-0');
	await streams[1].hello('e:1-0');
	assert.equal(await answer, 'e:1-0');
	assert.equal(streams[0].ended, true);
});

for (const [what, answer, expected] of [
	['newswired says that the request makes no sense',
		() => new Response('{"code":"bad_channel","detail":"NO is no channel."}', { status: 400, headers: { 'content-type': 'application/problem+json' } }), ['closed', 'bad_channel']],
	['newswired is full', () => new Response('{"code":"full"}', { status: 503, headers: { 'content-type': 'application/problem+json' } }), ['waiting', 'full']],
	['a proxy has a page of its own', () => new Response('<h1>Not found</h1>', { status: 404, headers: { 'content-type': 'text/html' } }), ['waiting', undefined]],
	['a page is called a stream', () => new Response('<h1>Welcome</h1>', { headers: { 'content-type': 'text/html' } }), ['waiting', undefined]],
	['nobody answers', () => { throw new TypeError('fetch failed'); }, ['waiting', undefined]],
])
	test(`over events: when ${what}, it is ${expected[0]}`, async () => {
		const { wire, of } = open({ WebSocket: null, fetch: async () => answer() });
		await settled();
		await settled();
		assert.deepEqual([wire.status.state, of('error')[0]?.code], expected);
	});
