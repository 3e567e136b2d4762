/**
 * following.js - feed and stream joined: a living list of stories.
 *
 * @module newswire/following
 */
import { Emitter, NewswireError, WireEvent } from './common.js';
import { fetchFeed } from './feed.js';
import { Store } from './store.js';
import { Backoff, REAL_CLOCK, pause } from './waiting.js';
import { Wire } from './wire.js';

/** @typedef {import('./common.js').Feed} Feed */
/** @typedef {import('./common.js').Link} Link */
/** @typedef {import('./common.js').Status} Status */
/** @typedef {import('./common.js').Subscription} Subscription */
/** @typedef {import('./store.js').Entry} Entry */

const KEEP = 1_000;
const QUIET_MS = 60_000; /* a gap so long after the last is mended at once */

/**
 * The events of a Following, each with its `detail`.
 * @typedef {object} FollowingEvents
 * @property {Status} status
 * @property {NewswireError} error
 */

/**
 * Feed and stream joined: `store` holds the stories and keeps them right, also across gaps.
 *
 * Events: `status` and `error`, as of {@link Wire}; those of the stories come from `store`.
 *
 * @extends {Emitter<FollowingEvents>}
 */
export class Following extends Emitter {
	/** @type {Subscription & Link & {limit?: number, keep?: number}} */ #options;
	/** @type {string|undefined} */ #before;
	/** @type {import('./common.js').Clock} */ #clock;
	/** @type {Backoff} */ #gaps;
	#mendedAt = -Infinity;
	#refetching = false;
	#again = false;
	#sinceTrim = 0;
	#abort = new AbortController();

	/** @param {Subscription & Link & {limit?: number, keep?: number, store?: Store}} options */
	constructor(options) {
		super();
		this.#options = options;
		this.#clock = options.clock ?? REAL_CLOCK;
		this.#gaps = new Backoff({ random: options.random });
		this.store = options.store ?? new Store();
		this.wire = new Wire(options);
		this.wire.addEventListener('status', ({ detail }) => this.#tell('status', detail));
		this.wire.addEventListener('error', ({ detail }) => this.#tell('error', detail));
		this.wire.addEventListener('post', ({ detail }) => this.#take(detail));
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
			const before = this.#before;
			const feed = await fetchFeed(this.#asking({ before: before || undefined }));
			const added = this.store.fill(feed, { older: before !== '' }); /* the top may have what the stream has yet to bring */
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

	/**
	 * @param {keyof FollowingEvents} type
	 * @param {any} detail
	 */
	#tell(type, detail) {
		this.dispatchEvent(new WireEvent(type, detail));
	}

	/** @param {import('./common.js').Post} post */
	#take(post) {
		this.store.apply(post);
		const keep = this.#options.keep ?? KEEP;
		if (++this.#sinceTrim < keep)
			return;
		this.#sinceTrim = 0;
		this.trim(keep);
	}

	async #begin() {
		const feed = await this.#insist();
		this.#before = feed.before;
		this.store.fill(feed);
		this.wire.open(feed.cursor);
	}

	/* The feed, however long it takes to get it. */
	async #insist() {
		const backoff = new Backoff({ random: this.#options.random });
		for (;;) {
			try {
				return await fetchFeed(this.#asking({}));
			} catch (error) {
				if (this.#abort.signal.aborted)
					throw error;
				this.#tell('error', error);
				if (error instanceof NewswireError && error.fatal)
					throw error;
			}
			await pause(backoff.next(), this.#clock, this.#abort.signal);
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
				await this.#calm();
				const feed = await this.#insist();
				if (this.#again)
					continue;
				this.#before = feed.before;
				this.store.fill(feed);
			} while (this.#again);
		} catch {
			/* closed, or refused for good: an error event said so */
		} finally {
			this.#mendedAt = this.#clock.now();
			this.#refetching = false;
		}
	}

	/* A server with a gap a second is not asked for its feed each time. */
	async #calm() {
		const last = this.#mendedAt;
		this.#mendedAt = this.#clock.now();
		if (this.#mendedAt - last >= QUIET_MS)
			this.#gaps.reset();
		else
			await pause(this.#gaps.next(), this.#clock, this.#abort.signal);
	}
}
