/* What is published has a receipt of the server's, or an error; whatever happens to the line. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { publisher } from '../sdk/newswire.js';
import { FakeClock, fakeWebSockets, settled } from './fakes.mjs';

/** A publisher whose line is the test's. */
function open(options = {}) {
	const clock = new FakeClock();
	const { WebSocket, sockets } = fakeWebSockets();
	const fetch = async () => { throw new TypeError('nobody there'); };
	const desk = publisher({ url: 'http://news.example/', key: 'nw_secret', WebSocket, fetch, clock, random: () => 0.5, ...options });
	const errors = [];
	desk.addEventListener('error', ({ detail }) => errors.push(detail.code));
	const last = () => sockets.at(-1);
	const begin = ({ window = 4, max_item: maxItem = 1000 } = {}) => {
		last().say({ type: 'hello', window, max_item: maxItem, tick: 25 });
		last().say({ type: 'authorized', ref: 'auth', publisher: 'desk', may: ['publish'] });
	};
	const publish = (n, more) => {
		const promise = desk.publish({ uri: `urn:${n}` }, { idempotencyKey: `key-${n}`, ...more });
		promise.catch(() => {});
		return promise;
	};
	const onLine = (socket = last()) => socket.sent.filter(({ type }) => type === 'publish');
	const uris = (socket) => onLine(socket).map(({ item }) => item.uri);
	const answer = (n, more = { type: 'accepted', http: 201, status: 'accepted' }) => {
		const { ref } = onLine().findLast(({ item }) => item.uri === `urn:${n}`);
		last().say({ ref, uri: `urn:${n}`, ...more });
	};
	const again = (n) => answer(n, { type: 'refused', http: 503, code: 'redis_away', detail: 'The store cannot be reached.' });
	return { desk, clock, sockets, errors, last, begin, publish, onLine, uris, answer, again };
}

test('the key is said in a message, never in the address', () => {
	const { last, begin, desk } = open();
	assert.equal(last().url.href, 'ws://news.example/v1/publish');
	assert.equal(last().protocol, 'newswire.v1');
	begin();
	assert.deepEqual(last().sent, [{ type: 'auth', ref: 'auth', key: 'nw_secret' }]);
	assert.deepEqual([desk.status.state, desk.publisher, desk.may], ['live', 'desk', ['publish']]);
});

test('it is live when the key is good, and not before', () => {
	const { last, desk, publish, onLine } = open();
	publish(1);
	last().say({ type: 'hello', window: 4, tick: 25 });
	assert.equal(desk.status.state, 'connecting');
	assert.deepEqual(onLine(), []);
});

test('items go out in order as many at once as the server takes, and each has its receipt', async () => {
	const { begin, publish, uris, answer, desk, last } = open();
	const promises = [1, 2, 3, 4, 5, 6].map((n) => publish(n, { channels: ['world'] }));
	begin();
	assert.deepEqual(uris(), ['urn:1', 'urn:2', 'urn:3', 'urn:4']);
	assert.deepEqual(last().sent[1], { type: 'publish', ref: 1, channels: ['world'], idempotency_key: 'key-1', item: { uri: 'urn:1' } });
	answer(2, { type: 'accepted', http: 200, status: 'duplicate' });
	answer(1);
	assert.deepEqual(uris(), ['urn:1', 'urn:2', 'urn:3', 'urn:4', 'urn:5', 'urn:6']);
	assert.deepEqual(await promises[0], { http: 201, status: 'accepted', uri: 'urn:1' });
	assert.equal((await promises[1]).status, 'duplicate');
	assert.equal(desk.waiting, 4);
});

test('what is refused says why, and where', async () => {
	const { begin, publish, answer } = open();
	begin();
	const promise = publish(1);
	const errors = [{ pointer: '/urgency', detail: 'This must be an integer from 1 to 9.' }];
	answer(1, { type: 'refused', http: 422, code: 'bad_value', detail: 'This must be an integer from 1 to 9.', errors });
	await assert.rejects(promise, { name: 'PublishError', code: 'bad_value', status: 422, fatal: true, errors, unknown: false });
});

test('after a lost line what has no answer is sent again: same bytes, same keys, same order', async () => {
	const { begin, publish, uris, answer, last, sockets, clock, onLine } = open();
	begin();
	const promises = [1, 2, 3].map((n) => publish(n));
	answer(2);
	const [first] = onLine();
	last().end(1006);
	clock.pass(250);
	begin();
	assert.equal(sockets.length, 2);
	assert.deepEqual(uris(), ['urn:1', 'urn:3']);
	assert.deepEqual(onLine()[0], first);
	answer(1, { type: 'accepted', http: 201, status: 'accepted', replayed: true });
	answer(3);
	assert.deepEqual((await Promise.all(promises)).map(({ status }) => status), ['accepted', 'accepted', 'accepted']);
});

test('what was sent and not answered is unknown, and never called a success', async () => {
	const { begin, publish, desk } = open();
	const unsent = publish(1);
	begin({ window: 1 });
	const second = publish(2);
	desk.close();
	await assert.rejects(unsent, { code: 'unknown', unknown: true, idempotencyKey: 'key-1' });
	await assert.rejects(second, { code: 'closed', unknown: false });
	await assert.rejects(publish(3), { code: 'closed' });
});

test('time runs out: unknown if it was sent, unavailable if not; the others go on', async () => {
	const { begin, publish, last, clock, answer } = open();
	const never = publish(1, { timeout: 50 });
	clock.pass(50);
	await assert.rejects(never, { code: 'unavailable', unknown: false });
	begin();
	const late = publish(2, { timeout: 1000 });
	const other = publish(3);
	clock.pass(1000);
	await assert.rejects(late, { code: 'unknown', idempotencyKey: 'key-2' });
	last().say({ type: 'accepted', ref: 2, http: 201, status: 'accepted' });
	answer(3);
	assert.equal((await other).http, 201);
});

test('who gives up is told how it stood', async () => {
	const { begin, publish } = open();
	const stop = new AbortController();
	const unsent = publish(1, { signal: stop.signal });
	stop.abort();
	await assert.rejects(unsent, { name: 'AbortError' });
	await assert.rejects(publish(2, { signal: stop.signal }), { name: 'AbortError' });
	begin();
	const again = new AbortController();
	const sent = publish(3, { signal: again.signal });
	again.abort();
	await assert.rejects(sent, { code: 'unknown' });
});

test('what was not decided is sent again later, in order, and nothing new before it', async () => {
	const { begin, publish, uris, answer, again, clock, errors, onLine } = open();
	begin();
	const promises = [1, 2, 3].map((n) => publish(n));
	again(1);
	promises.push(publish(4));
	answer(2);
	again(3);
	assert.deepEqual(uris(), ['urn:1', 'urn:2', 'urn:3']);
	clock.pass(125);
	assert.deepEqual(uris().slice(3), ['urn:1', 'urn:3', 'urn:4']);
	answer(3);
	answer(4);
	again(1);
	clock.pass(124);
	assert.equal(onLine().length, 6);
	clock.pass(1);
	answer(1);
	assert.deepEqual((await Promise.all(promises)).map(({ http }) => http), [201, 201, 201, 201]);
	assert.deepEqual(errors, ['redis_away', 'redis_away']);
});

test('an item that the server would not take is refused here, before and after its limit is known', async () => {
	const { begin, publish, desk, uris } = open();
	const early = desk.publish({ uri: 'urn:big', title: 'ä'.repeat(600) });
	early.catch(() => {});
	publish(1);
	begin();
	await assert.rejects(early, { code: 'too_large', status: 413 });
	await assert.rejects(desk.publish({ uri: 'urn:big', title: 'ä'.repeat(600) }), { code: 'too_large' });
	assert.deepEqual(uris(), ['urn:1']);
});

test('an item in which the server finds no sense at all is not sent for ever', async () => {
	const { begin, publish, last, clock, uris } = open();
	begin({ window: 1 });
	const bad = publish(1);
	const good = publish(2);
	last().end(1009, 'too_big');
	await assert.rejects(bad, { code: 'unknown' });
	clock.pass(250);
	begin();
	assert.deepEqual(uris(), ['urn:2']);
	good.catch(() => {});
});

test('a key that is none ends it, with the words of the server', async () => {
	const { desk, publish, last, clock, sockets } = open();
	const promise = publish(1);
	last().say({ type: 'hello', window: 4, tick: 25 });
	last().say({ type: 'error', ref: 'auth', code: 'unauthorized', detail: 'this is no key that is in force' });
	await assert.rejects(promise, { code: 'unauthorized', message: 'this is no key that is in force' });
	clock.pass(120_000);
	assert.deepEqual([desk.status.state, sockets.length], ['closed', 1]);
	await assert.rejects(publish(2), { code: 'unauthorized' });
});

test('a line that ends since it was slow to say whose it is comes back', async () => {
	const { publish, last, begin, answer, clock, sockets, desk } = open();
	const promise = publish(1);
	last().say({ type: 'hello', window: 4, tick: 25 });
	last().say({ type: 'error', code: 'unauthorized', detail: 'nobody said who this is' });
	last().end(4003, 'forbidden');
	assert.equal(desk.status.state, 'waiting');
	clock.pass(250);
	assert.equal(sockets.length, 2);
	begin();
	answer(1);
	assert.equal((await promise).http, 201);
});

test('memory is bounded: who publishes more waits for room', async () => {
	const { begin, publish, answer, desk } = open({ limit: 2 });
	begin();
	publish(1);
	publish(2);
	await assert.rejects(publish(3), { code: 'too_many' });
	let room = false;
	desk.room().then(() => (room = true));
	await settled();
	assert.equal(room, false);
	answer(1);
	await settled();
	assert.equal(room, true);
	publish(4);
});

test('finish() waits for the answers, and ends', async () => {
	const { begin, publish, answer, desk } = open();
	begin();
	const promise = publish(1);
	const finished = desk.finish();
	answer(1);
	await finished;
	assert.equal((await promise).http, 201);
	assert.equal(desk.status.state, 'closed');
});

test('what is no item is a mistake of the program', async () => {
	const { desk } = open();
	for (const wrong of [undefined, null, 'text', 7])
		await assert.rejects(desk.publish(/** @type {any} */ (wrong)), TypeError);
	await assert.rejects(desk.publish({ big: 1n }), TypeError);
	assert.throws(() => publisher(/** @type {any} */ ({ url: 'http://news.example/' })), /needs a key/);
});

test('nonsense on the line is told, and changes nothing', async () => {
	const { begin, publish, last, answer, errors } = open();
	begin();
	const promise = publish(1);
	last().say({ type: 'accepted' });
	last().say({ type: 'accepted', ref: 99, http: 201 });
	last().say({ type: 'weather' });
	last().onmessage({ data: '<html>' });
	answer(1);
	assert.equal((await promise).http, 201);
	assert.deepEqual(errors, ['bad_message']);
});

test('an answer that says accepted and means no success is none', async () => {
	const { begin, publish, answer } = open();
	begin();
	const promise = publish(1);
	answer(1, { type: 'accepted', http: 500 });
	await assert.rejects(promise, { code: 'refused', status: 500 });
});

/** Publishes by POST; `answers` are what fetch gives for each. */
function overPost(...answers) {
	const asked = [];
	const fetch = async (url, init = {}) => {
		if (init.method !== 'POST')
			return Response.json({ items: [], cursor: 'e:1-0' });
		asked.push({ url: String(url), ...init });
		return answers.shift()();
	};
	return { asked, ...open({ WebSocket: null, fetch, timeout: 2 ** 40 }) };
}

test('without a WebSocket each item is a POST, one after the other, with the key in a header', async () => {
	const { asked, desk } = overPost(
		() => Response.json({ status: 'accepted', uri: 'urn:1' }, { status: 201 }),
		() => Response.json({ code: 'killed', detail: 'This story has been withdrawn.' }, { status: 422 }));
	const promises = [1, 2].map((n) => desk.publish({ uri: `urn:${n}` }, { channels: ['world', 'sport'], idempotencyKey: `key-${n}` }));
	assert.deepEqual(await promises[0], { http: 201, status: 'accepted', uri: 'urn:1' });
	await assert.rejects(promises[1], { code: 'killed', status: 422 });
	assert.equal(asked[0].url, 'http://news.example/v1/items?channels=world%2Csport');
	assert.deepEqual(asked[0].headers, { 'authorization': 'Bearer nw_secret', 'content-type': 'application/json', 'idempotency-key': 'key-1' });
	assert.equal(asked[0].redirect, 'error');
	assert.equal(asked[0].body, '{"uri":"urn:1"}');
	assert.equal(desk.status.via, 'post');
});

test('a POST that is answered by somebody else, or by nobody, is posted again with the same key', async () => {
	const { asked, desk, clock } = overPost(
		() => new Response('<h1>Bad Gateway</h1>', { status: 502 }),
		() => new Response('<h1>Welcome</h1>', { status: 200 }),
		() => { throw new TypeError('reset'); },
		() => Response.json({ code: 'redis_away' }, { status: 503 }),
		() => Response.json({ status: 'accepted', uri: 'urn:1' }, { status: 201 }));
	let receipt;
	desk.publish({ uri: 'urn:1' }, { idempotencyKey: 'key-1' }).then((one) => (receipt = one));
	for (let turn = 0; turn < 200 && !receipt; turn++) {
		clock.pass(500);
		await new Promise((resolve) => setTimeout(resolve, 1));
	}
	assert.equal(receipt.http, 201);
	assert.deepEqual(asked.map((one) => one.headers['idempotency-key']), ['key-1', 'key-1', 'key-1', 'key-1', 'key-1']);
});
