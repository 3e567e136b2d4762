/**
 * newswire.js - follow a newswired server from a browser or from Node.
 *
 * Three layers; take the lowest that does what you need:
 *
 *   follow()     a living list of stories: the feed first, then every change to it
 *   connect()    the stream: every message once, in order, across reconnects
 *   fetchFeed()  one page of the feed
 *
 *     import { follow } from '/sdk/newswire.js';
 *     const news = follow({ url: 'https://news.example/', channels: ['world'] });
 *     news.store.addEventListener('change', () => draw([...news.store]));
 *
 * No dependencies. Node before 22 has no WebSocket of its own: pass one as `WebSocket`.
 *
 * @module newswire
 */
import { Backoff, NewswireError, REAL_CLOCK, WireEvent, addressOf, pause } from './common.js';
import { Store } from './store.js';
import { Wire } from './wire.js';

export { Backoff, NewswireError } from './common.js';
export { Store, compareCursors, compareVersions, parseTime } from './store.js';
export { PROTOCOL, Wire } from './wire.js';

/** @typedef {import('./common.js').Feed} Feed */
/** @typedef {import('./common.js').Link} Link */
/** @typedef {import('./common.js').Post} Post */
/** @typedef {import('./common.js').Subscription} Subscription */
/** @typedef {import('./store.js').Entry} Entry */

/**
 * One page of the feed, newest first.
 * @param {Subscription & Link & {limit?: number, before?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<Feed>}
 * @throws {NewswireError}
 */
export async function fetchFeed(options = {}) {
	const url = addressOf(options.url, 'v1/feed', options);
	if (options.limit)
		url.searchParams.set('limit', String(options.limit));
	if (options.before)
		url.searchParams.set('before', options.before);

	let answer, body;
	try {
		answer = await (options.fetch ?? fetch)(url, {
			headers: { accept: 'application/json' },
			signal: options.signal,
		});
		body = await answer.json();
	} catch (cause) {
		if (options.signal?.aborted)
			throw cause;
		throw new NewswireError('The feed cannot be reached.', { cause, status: answer?.status });
	}
	if (!answer.ok)
		throw new NewswireError(body?.detail ?? body?.title ?? 'The feed was refused.', {
			code: body?.code,
			status: answer.status,
			fatal: answer.status >= 400 && answer.status < 500 && answer.status !== 429,
		});
	if (!Array.isArray(body?.items) || typeof body.cursor !== 'string')
		throw new NewswireError('The feed makes no sense.', { code: 'bad_answer' });
	return body;
}

/**
 * Opens the stream. Without `since` it starts now.
 * @param {Subscription & Link & {since?: string}} [options]
 * @returns {Wire}
 */
export function connect(options = {}) {
	const wire = new Wire(options);
	wire.open();
	return wire;
}

/**
 * Feed and stream joined: `store` holds the stories and keeps them right, also across gaps.
 *
 * Events: `status` and `error`, as of {@link Wire}; those of the stories come from `store`.
 */
export class Following extends EventTarget {
	/** @type {Subscription & Link & {limit?: number}} */ #options;
	/** @type {string|undefined} */ #before;
	#refetching = false;
	#again = false;
	#abort = new AbortController();

	/** @param {Subscription & Link & {limit?: number, store?: Store}} options */
	constructor(options) {
		super();
		this.#options = options;
		this.store = options.store ?? new Store();
		this.wire = new Wire(options);
		for (const type of ['status', 'error'])
			this.wire.addEventListener(type, (event) => this.#forward(event));
		this.wire.addEventListener('post', (/** @type {any} */ event) => this.store.apply(event.detail));
		this.wire.addEventListener('gap', () => this.#mend());
		/** Resolves when the first page is in the store; rejects when it never will be. */
		this.ready = this.#begin();
		this.ready.catch(() => {}); /* said by an error event too */
	}

	/** Whether older() may find more. */
	get hasOlder() {
		return this.#before !== undefined;
	}

	/**
	 * Fetches the next older page into the store.
	 * @returns {Promise<Entry[]>} what it brought; empty at the end
	 */
	async older() {
		while (this.#before !== undefined) {
			const feed = await fetchFeed(this.#asking({ before: this.#before || undefined }));
			const added = this.store.fill(feed, { older: true });
			this.#before = feed.before;
			if (added.length)
				return added;
		}
		return [];
	}

	/**
	 * Forgets the oldest stories; older() can bring them back.
	 * @param {number} keep
	 */
	trim(keep) {
		/* Where they stood in the feed is not known any more: older() walks it from the top. */
		if (this.store.trim(keep) > 0)
			this.#before = '';
	}

	/** Ends for good. */
	close() {
		this.#abort.abort();
		this.wire.close();
	}

	/** @param {object} more */
	#asking(more) {
		return { ...this.#options, signal: this.#abort.signal, ...more };
	}

	/** @param {any} event */
	#forward(event) {
		this.dispatchEvent(new WireEvent(event.type, event.detail));
	}

	async #begin() {
		const feed = await this.#insist();
		this.#before = feed.before;
		this.store.fill(feed);
		this.wire.open(feed.cursor);
	}

	/* The feed, however long it takes to get it. */
	async #insist() {
		const clock = this.#options.clock ?? REAL_CLOCK;
		const backoff = new Backoff({ random: this.#options.random });
		for (;;) {
			try {
				return await fetchFeed(this.#asking({}));
			} catch (error) {
				if (this.#abort.signal.aborted)
					throw error;
				this.dispatchEvent(new WireEvent('error', error));
				if (error instanceof NewswireError && error.fatal)
					throw error;
			}
			await pause(backoff.next(), clock, this.#abort.signal);
		}
	}

	/* History is gone: what a reader sees must be confirmed by the feed, or go. */
	async #mend() {
		this.store.doubt();
		if (this.#refetching) {
			this.#again = true;
			return;
		}
		this.#refetching = true;
		try {
			do {
				this.#again = false;
				const feed = await this.#insist();
				if (this.#again)
					continue;
				this.#before = feed.before;
				this.store.fill(feed);
			} while (this.#again);
		} catch {
			/* closed, or refused for good: an error event said so */
		} finally {
			this.#refetching = false;
		}
	}
}

/**
 * Follows the news: the newest `limit` stories, then everything that happens to them.
 * @param {Subscription & Link & {limit?: number, store?: Store}} [options]
 * @returns {Following}
 */
export function follow(options = {}) {
	return new Following(options);
}
