/* Feed and stream joined: the list is right from the first page on, and after a gap. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { fetchFeed, follow } from '../sdk/newswire.js';
import { FakeClock, fakeWebSockets, post } from './fakes.mjs';

/** A feed that answers with what the test puts in, one answer per request. */
function fakeFeed(...answers) {
	const asked = [];
	const fetch = async (url) => {
		asked.push(new URL(url));
		const answer = answers.shift();
		if (answer === undefined || answer instanceof Error)
			throw answer ?? new Error('no answer left');
		const { status = 200, ...body } = answer;
		return { ok: status < 400, status, json: async () => body };
	};
	return { fetch, asked, answers };
}

/** Lets promises run until `condition` holds. */
async function until(condition) {
	for (let turn = 0; turn < 1000; turn++) {
		if (condition())
			return;
		await new Promise((resolve) => setImmediate(resolve));
	}
	assert.fail(`never: ${condition}`);
}

function stage(t, ...answers) {
	const clock = new FakeClock();
	const { WebSocket, sockets } = fakeWebSockets();
	const feed = fakeFeed(...answers);
	const news = follow({ url: 'http://news.example/', channels: ['world'], limit: 2, clock, WebSocket, fetch: feed.fetch, random: () => 0.5 });
	t.after(() => news.close());
	return { news, clock, sockets, feed, uris: () => [...news.store].map((entry) => entry.uri) };
}

test('the stream goes on where the first page ends', async (t) => {
	const { news, sockets, feed, uris } = stage(t, { items: [post('b', '1'), post('a', '1')], cursor: 'e:2-0', before: 'x' });
	await news.ready;
	assert.equal(feed.asked[0].href, 'http://news.example/v1/feed?channels=world&limit=2');
	assert.equal(sockets[0].url.searchParams.get('since'), 'e:2-0');
	sockets[0].hello('e:2-0');
	sockets[0].say(post('c', '1', { cursor: 'e:3-0' }));
	assert.deepEqual(uris(), ['c', 'b', 'a']);
});

test('Show more walks the pages, past those that bring nothing new', async (t) => {
	const { news, feed, uris } = stage(t,
		{ items: [post('c', '1')], cursor: 'e:3-0', before: 'p1' },
		{ items: [post('c', '1')], cursor: 'e:3-0', before: 'p2' },
		{ items: [post('b', '1'), post('a', '1')], cursor: 'e:3-0' });
	await news.ready;
	assert.equal(news.hasOlder, true);
	assert.deepEqual((await news.older()).map((entry) => entry.uri), ['b', 'a']);
	assert.deepEqual(feed.asked.map((url) => url.searchParams.get('before')), [null, 'p1', 'p2']);
	assert.equal(news.hasOlder, false);
	assert.deepEqual(uris(), ['c', 'b', 'a']);
	assert.deepEqual(await news.older(), []);
});

test('what was trimmed can be had again', async (t) => {
	const { news, uris } = stage(t,
		{ items: [post('c', '1'), post('b', '1'), post('a', '1')], cursor: 'e:3-0' },
		{ items: [post('c', '1'), post('b', '1')], cursor: 'e:3-0', before: 'p' },
		{ items: [post('a', '1')], cursor: 'e:3-0' });
	await news.ready;
	news.trim(2);
	assert.deepEqual(uris(), ['c', 'b']);
	assert.equal(news.hasOlder, true);
	await news.older();
	assert.deepEqual(uris(), ['c', 'b', 'a']);
});

test('what the stream has yet to bring, and older() brings after a trim, is new: it is on top', async (t) => {
	const { news, sockets, uris } = stage(t,
		{ items: [post('c', '1'), post('b', '1'), post('a', '1')], cursor: 'e:3-0' },
		{ items: [post('d', '1'), post('c', '1')], cursor: 'e:4-0' });
	const fills = [];
	news.store.addEventListener('fill', ({ detail }) => fills.push(detail.older));
	await news.ready;
	sockets[0].hello('e:3-0');
	news.trim(2);
	await news.older();
	assert.deepEqual(uris(), ['d', 'c', 'b']);
	sockets[0].say(post('d', '1', { cursor: 'e:4-0' }));
	assert.deepEqual(uris(), ['d', 'c', 'b']);
	assert.deepEqual(fills, [false, false]);
});

test('a gap is mended from the feed, and tried until it works', async (t) => {
	const { news, clock, sockets, feed, uris } = stage(t,
		{ items: [post('b', '1'), post('a', '1')], cursor: 'e:2-0' },
		new Error('refused'),
		{ items: [post('d', '1'), post('b', '2')], cursor: 'f:9-0' });
	await news.ready;
	sockets[0].hello('f:8-0', { resumed: false });
	await until(() => feed.asked.length === 2);
	await until(() => (clock.pass(1000), feed.asked.length === 3));
	await until(() => news.store.get('d'));
	assert.deepEqual(uris(), ['d', 'b']);
	assert.equal(news.store.get('b')?.version, '2');
});

test('a server that is not there yet is asked again; one that says no is not', async (t) => {
	const { news, clock, feed } = stage(t, new Error('refused'), { status: 503, title: 'Unavailable' },
		{ status: 400, code: 'bad_channel', detail: 'No such channel name.' });
	const errors = [];
	news.addEventListener('error', (event) => errors.push(event.detail.status));
	await until(() => (clock.pass(1000), feed.asked.length === 3));
	await assert.rejects(news.ready, { code: 'bad_channel', fatal: true, message: 'No such channel name.' });
	assert.deepEqual(errors, [0, 503, 400]);
});

test('an answer that is no feed is an error, not an empty page', async () => {
	const { fetch } = fakeFeed({ items: 'none' });
	await assert.rejects(fetchFeed({ url: 'http://news.example/', fetch }), { code: 'bad_answer' });
});
