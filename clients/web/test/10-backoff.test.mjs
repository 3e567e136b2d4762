/* The waits between attempts spread readers out, and stay within their bounds. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Backoff } from '../sdk/newswire.js';

test('the ceiling doubles from 250 ms and stays at 30 s', () => {
	const backoff = new Backoff({ random: () => 0.999999 });
	const waits = Array.from({ length: 10 }, () => backoff.next());
	assert.deepEqual(waits, [249, 499, 999, 1999, 3999, 7999, 15999, 29999, 29999, 29999]);
});

test('the jitter is full: a wait may be nothing at all', () => {
	const backoff = new Backoff({ random: () => 0 });
	assert.deepEqual([backoff.next(), backoff.next(), backoff.next()], [0, 0, 0]);
});

test('ten thousand readers come back evenly over the whole wait', () => {
	const quarters = [0, 0, 0, 0];
	for (let reader = 0; reader < 10_000; reader++) {
		const backoff = new Backoff();
		backoff.atLeast(7);
		quarters[Math.floor(backoff.next() / 7500)]++;
	}
	for (const quarter of quarters)
		assert.ok(quarter > 2200 && quarter < 2800, `uneven: ${quarters}`);
});

test('after a good link the waits begin anew', () => {
	const backoff = new Backoff({ random: () => 0.5 });
	backoff.next();
	backoff.next();
	backoff.reset();
	assert.equal(backoff.next(), 125);
});

test('a thousand failures do not overflow', () => {
	const backoff = new Backoff({ random: () => 0.5 });
	backoff.atLeast(1000);
	assert.equal(backoff.next(), 15_000);
});
