/**
 * wire.js - one subscription to the stream, kept alive across reconnects.
 *
 * @module newswire/wire
 */
import { Emitter, NewswireError, WireEvent } from './common.js';
import { compareCursors, isOtherEpoch } from './cursor.js';
import { Shared, canShare } from './shared.js';
import { Stream } from './stream.js';
import { watchSurroundings } from './surroundings.js';

/** @typedef {import('./common.js').Gap} Gap */
/** @typedef {import('./common.js').Link} Link */
/** @typedef {import('./common.js').Post} Post */
/** @typedef {import('./common.js').Status} Status */
/** @typedef {import('./common.js').Subscription} Subscription */

const ITERATOR_LIMIT = 10_000;

/**
 * The events of a Wire, each with its `detail`.
 * @typedef {object} WireEvents
 * @property {Status} status
 * @property {Post} post
 * @property {Gap} gap
 * @property {NewswireError} error
 * @property {Record<string, number>} readers how many read each channel now; if `readers` was asked for
 */

/**
 * One subscription to the stream, kept alive across reconnects.
 *
 * Events (each with a `detail`): `status` {@link Status}; `post` {@link Post}, with the option `ahead`
 * twice where it has come ahead (a Store takes no notice of the second); `gap` {cursor}:
 * history is gone, fetch the feed again; `error` {@link NewswireError}; `readers`.
 *
 * Always true: `cursor` stands at the last message that was dispatched, so nothing that a
 * listener saw comes again and nothing that it did not see is skipped.
 *
 * @extends {Emitter<WireEvents>}
 */
export class Wire extends Emitter {
	/** @type {Stream|Shared} */ #source;
	/** @type {string|undefined} */ #cursor;
	/** @type {Status} */ #status = { state: 'idle', heard: null };
	/** @type {() => void} */ #unwatch = () => {};

	/** @param {Subscription & Link & {since?: string}} options */
	constructor(options) {
		super();
		const { channels, class: classes, lang, types, view, readers, since } = options;
		this.#cursor = since;
		const Source = canShare(options) ? Shared : Stream;
		this.#source = new Source(options, { channels, class: classes, lang, types, view, readers }, {
			place: () => this.#cursor,
			take: (news) => this.#take(news),
			moved: (cursor) => (this.#cursor = cursor),
			changed: (status) => this.#become(status),
			complain: (error) => this.#tell('error', error),
		});
	}

	/** Where the reader stands: save it, and pass it as `since` another day. */
	get cursor() {
		return this.#cursor;
	}

	/** @returns {Status} */
	get status() {
		return this.#status;
	}

	/**
	 * Starts; connect() has done so. Once closed, a Wire stays closed.
	 * @param {string} [since] where to start from
	 */
	open(since) {
		if (this.#status.state !== 'idle')
			return;
		this.#cursor = since ?? this.#cursor;
		this.#unwatch = watchSurroundings(this.#source);
		this.#source.open();
	}

	/** Ends for good. Iterators end, open subscribe() calls are rejected. */
	close() {
		this.#source.close();
	}

	/**
	 * Replaces the whole subscription; the cursor stays unless `since` is given. While the
	 * link is down, the new subscription is what the next attempt asks for.
	 * @param {Subscription & {since?: string}} want
	 * @returns {Promise<string|undefined>} the cursor from which it holds
	 */
	subscribe({ since, ...want }) {
		if (this.#status.state === 'closed')
			return Promise.reject(new NewswireError('The wire is closed.', { code: 'closed' }));
		return this.#source.subscribe(want, since);
	}

	/**
	 * Posts and gaps, in order, until close(). It begins with what comes after the loop began, so
	 * begin it right after connect(), before waiting for anything else. A loop that falls ten
	 * thousand behind is ended with an error (`too_slow`) rather than fed from ever more memory; resume
	 * it from its last cursor.
	 * @returns {AsyncGenerator<Post|Gap, void>}
	 */
	async *[Symbol.asyncIterator]() {
		/** @type {any[]} */ const queue = [];
		let slow = false;
		let wake = () => {};
		const woken = () => wake();
		const take = (/** @type {WireEvent<Post|Gap>} */ event) => {
			if (queue.length < ITERATOR_LIMIT && !slow)
				queue.push(event.detail);
			else
				slow = true;
			wake();
		};
		this.addEventListener('post', take);
		this.addEventListener('gap', take);
		this.addEventListener('status', woken);
		try {
			for (;;) {
				if (queue.length) {
					yield queue.shift();
					continue;
				}
				if (slow)
					throw new NewswireError('The reading loop is too slow.', { code: 'too_slow' });
				if (this.#status.state === 'closed')
					return;
				await new Promise((resolve) => (wake = () => resolve(undefined)));
			}
		} finally {
			this.removeEventListener('post', take);
			this.removeEventListener('gap', take);
			this.removeEventListener('status', woken);
		}
	}

	/** @param {import('./stream.js').News} news */
	#take(news) {
		if (news.type === 'readers')
			return this.#tell('readers', news.channels);
		if (news.type === 'gap')
			return this.#gap(news.cursor);
		if (news.cursor !== undefined && !this.#moveTo(news.cursor))
			return; /* it has been here */
		if (news.type === 'post')
			this.#tell('post', news);
	}

	/**
	 * @param {string} cursor
	 * @returns {boolean} whether that is further on
	 */
	#moveTo(cursor) {
		const order = compareCursors(cursor, this.#cursor);
		if (cursor === this.#cursor || (order !== null && order <= 0))
			return false;
		if (isOtherEpoch(cursor, this.#cursor))
			this.#gap(cursor); /* whoever says so, and how: one history ends, another begins */
		this.#cursor = cursor;
		return true;
	}

	/** @param {string} cursor */
	#gap(cursor) {
		this.#cursor = cursor;
		this.#tell('gap', { type: 'gap', cursor });
	}

	/* The one place where the state changes. */
	/** @param {Status} status */
	#become(status) {
		this.#status = status;
		if (status.state === 'closed')
			this.#unwatch();
		this.#tell('status', status);
	}

	/**
	 * @param {keyof WireEvents} type
	 * @param {any} detail
	 */
	#tell(type, detail) {
		this.dispatchEvent(new WireEvent(type, detail));
	}
}
