/**
 * waiting.js - time: the clock, and how long to wait before the next attempt.
 *
 * @module newswire/waiting
 */

/** @typedef {import('./common.js').Clock} Clock */

const BACKOFF_BASE_MS = 250;
const BACKOFF_CAP_MS = 30_000;

/** @type {Clock} */
export const REAL_CLOCK = {
	now: () => performance.now(),
	wall: () => Date.now(),
	setTimeout: (run, ms) => setTimeout(run, ms),
	clearTimeout: (timer) => clearTimeout(timer),
};

/**
 * Waiting times between attempts: random in 0..2^n × 250 ms, at most 30 s ("full jitter"), so
 * that ten thousand readers who lost the same server do not come back in step.
 */
export class Backoff {
	/** @param {{random?: () => number, base?: number, cap?: number}} [options] */
	constructor({ random = Math.random, base = BACKOFF_BASE_MS, cap = BACKOFF_CAP_MS } = {}) {
		this.random = random;
		this.base = base;
		this.cap = cap;
		this.attempt = 0;
	}

	/** @returns {number} milliseconds to wait before the next attempt */
	next() {
		const ceiling = Math.min(this.cap, this.base * 2 ** Math.min(this.attempt++, 30));
		return Math.floor(this.random() * ceiling);
	}

	/** The last attempt was a good one. */
	reset() {
		this.attempt = 0;
	}

	/** @param {number} attempt the next wait is at least as if this many had failed */
	atLeast(attempt) {
		this.attempt = Math.max(this.attempt, attempt);
	}
}

/**
 * Waits, but not past an abort.
 * @param {number} ms
 * @param {Clock} clock
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function pause(ms, clock, signal) {
	return new Promise((resolve) => {
		const done = () => {
			clock.clearTimeout(timer);
			signal.removeEventListener('abort', done);
			resolve();
		};
		const timer = clock.setTimeout(done, ms);
		signal.addEventListener('abort', done);
		if (signal.aborted)
			done();
	});
}
