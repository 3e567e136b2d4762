/**
 * wire.js - one subscription to the stream, kept alive across reconnects.
 *
 * @module newswire/wire
 */
import { Backoff, NewswireError, REAL_CLOCK, WireEvent, addressOf } from './common.js';

/** @typedef {import('./common.js').Clock} Clock */
/** @typedef {import('./common.js').Link} Link */
/** @typedef {import('./common.js').Post} Post */
/** @typedef {import('./common.js').Status} Status */
/** @typedef {import('./common.js').Subscription} Subscription */

/** The WebSocket subprotocol that this module speaks. */
export const PROTOCOL = 'newswire.v1';

const HELLO_WITHIN_MS = 10_000; /* a server that says nothing after the handshake is dead */
const CLOSE_AFTER_BYE_MS = 5_000;
const STEADY_AFTER_MS = 10_000; /* a link that lived this long was a good one */
const ITERATOR_LIMIT = 10_000;

/* Trying again with the same request cannot help after these. */
const FATAL_CODES = new Set([1003, 1007, 1009, 4000, 4001, 4003]);
/* The server has no room: come back, but not soon. */
const CROWDED_CODES = new Set([1013, 4029]);
const CROWDED_ATTEMPT = 5;

/**
 * One subscription to the stream, kept alive across reconnects.
 *
 * Events (each with a `detail`): `status` {@link Status}; `post` {@link Post}, with the option `ahead`
 * twice where it has come ahead (a Store takes no notice of the second); `gap` {cursor}:
 * history is gone, fetch the feed again; `error` {@link NewswireError}.
 *
 * Always true: `cursor` stands at the last message that was dispatched, so nothing that a
 * listener saw comes again and nothing that it did not see is skipped.
 */
export class Wire extends EventTarget {
	/** @type {Subscription & Link} */ #options;
	/** @type {Subscription} */ #want;
	/** @type {string|undefined} */ #cursor;
	/** @type {Clock} */ #clock;
	/** @type {Backoff} */ #backoff;
	/** @type {Status} */ #status = { state: 'idle', heard: null };
	/** @type {any} */ #WebSocket;
	/** @type {any} */ #socket = null;
	/** @type {any} */ #retryTimer = null;
	/** @type {any} */ #deadTimer = null;
	/** @type {Map<number, {resolve: Function, reject: Function, before: Subscription}>} */
	#asked = new Map();
	#lastRef = 0;
	#tickMs = 0;
	#liveSince = 0;
	/** @type {number|null} */ #byeMs = null;
	/** @type {string|null} */ #lastGap = null;

	/** @param {Subscription & Link & {since?: string}} options */
	constructor(options) {
		super();
		const { channels, class: classes, lang, types, view, since } = options;
		this.#options = options;
		this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
		if (!this.#WebSocket)
			throw new TypeError('newswire: no WebSocket here; pass one in the options');
		this.#want = { channels, class: classes, lang, types, view };
		this.#cursor = since;
		this.#clock = options.clock ?? REAL_CLOCK;
		this.#backoff = new Backoff({ random: options.random });
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
		globalThis.addEventListener?.('online', this.#online);
		globalThis.addEventListener?.('offline', this.#offline);
		this.#dial();
	}

	/** Ends for good. Iterators end, open subscribe() calls are rejected. */
	close() {
		this.#end({ state: 'closed', heard: this.#status.heard });
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
		const before = this.#want;
		const ref = ++this.#lastRef;
		this.#want = want;
		const answer = new Promise((resolve, reject) => {
			this.#asked.set(ref, { resolve, reject, before });
		});
		if (this.#status.state === 'live')
			this.#socket.send(JSON.stringify({ type: 'subscribe', ref, ...want, since }));
		else if (since)
			this.#cursor = since;
		if (this.#status.state === 'connecting') {
			this.#hangUp(); /* it asked for what was wanted before */
			this.#dial();
		}
		return answer;
	}

	/**
	 * Posts and gaps, in order, until close(). It begins with what comes after the loop began, so
	 * begin it right after connect(), before waiting for anything else. A loop that falls ten
	 * thousand behind is ended with an error rather than fed from ever more memory; resume it
	 * from its last cursor.
	 * @returns {AsyncGenerator<Post|{type: 'gap', cursor: string}, void>}
	 */
	async *[Symbol.asyncIterator]() {
		/** @type {any[]} */ const queue = [];
		let wake = () => {};
		const take = (/** @type {any} */ event) => {
			queue.push(event.detail);
			wake();
		};
		const woken = () => wake();
		this.addEventListener('post', take);
		this.addEventListener('gap', take);
		this.addEventListener('status', woken);
		try {
			for (;;) {
				if (queue.length > ITERATOR_LIMIT)
					throw new NewswireError('The reading loop is too slow.', { code: 'too_slow' });
				if (queue.length)
					yield queue.shift();
				else if (this.#status.state === 'closed')
					return;
				else
					await new Promise((resolve) => (wake = () => resolve(undefined)));
			}
		} finally {
			this.removeEventListener('post', take);
			this.removeEventListener('gap', take);
			this.removeEventListener('status', woken);
		}
	}

	/* The one place where the state changes. */
	/** @param {Status} status */
	#become(status) {
		this.#status = status;
		this.dispatchEvent(new WireEvent('status', status));
	}

	#streamUrl() {
		const url = addressOf(this.#options.url, 'v1/stream', this.#want);
		url.protocol = url.protocol.replace(/^http/, 'ws');
		if (this.#options.ahead)
			url.searchParams.set('ahead', '1');
		if (this.#cursor)
			url.searchParams.set('since', this.#cursor);
		return url.href;
	}

	#dial() {
		const socket = new this.#WebSocket(this.#streamUrl(), PROTOCOL);
		this.#socket = socket;
		this.#become({ state: 'connecting', heard: this.#status.heard });
		socket.onmessage = (/** @type {any} */ event) => this.#hear(event.data);
		socket.onclose = (/** @type {any} */ event) => this.#lost(event.code, event.reason);
		socket.onerror = () => {}; /* close follows, and says more */
		this.#expectWithin(HELLO_WITHIN_MS);
	}

	/** @param {number} ms the link is dead when nothing is heard for this long */
	#expectWithin(ms) {
		this.#clock.clearTimeout(this.#deadTimer);
		this.#deadTimer = this.#clock.setTimeout(() => this.#lost(0, 'silent'), ms);
	}

	/** @param {unknown} data */
	#hear(data) {
		let message;
		try {
			message = JSON.parse(String(data));
		} catch (cause) {
			this.#complain(new NewswireError('A message is not JSON.', { code: 'bad_message', cause }));
			return;
		}
		this.#status.heard = new Date();
		if (this.#tickMs)
			this.#expectWithin(2.5 * this.#tickMs); /* two ticks missed, and some grace */
		switch (message?.type) {
		case 'hello':
			return this.#welcome(message);
		case 'post':
			this.#cursor = message.cursor ?? this.#cursor;
			this.dispatchEvent(new WireEvent('post', message));
			return;
		case 'tick':
			this.#cursor = message.cursor ?? this.#cursor;
			return;
		case 'gap':
			return this.#gap(message.cursor);
		case 'subscribed':
			this.#cursor = message.cursor ?? this.#cursor;
			return this.#answered(message.ref, message.cursor);
		case 'bye':
			this.#byeMs = Number.isFinite(message.retry_ms) ? Math.max(0, message.retry_ms) : null;
			return this.#expectWithin(CLOSE_AFTER_BYE_MS);
		case 'error':
			return this.#refused(message);
		}
		/* Other types are from a newer server: not for us. */
	}

	/** @param {any} hello */
	#welcome(hello) {
		const asked = this.#cursor;
		this.#tickMs = Number(hello.tick) > 0 ? Number(hello.tick) * 1000 : 25_000;
		this.#expectWithin(2.5 * this.#tickMs);
		this.#liveSince = this.#clock.now();
		this.#lastGap = null;
		this.#become({ state: 'live', heard: this.#status.heard });
		if (!asked)
			this.#cursor = hello.cursor;
		else if (hello.resumed === false)
			this.#gap(hello.cursor);
		/* What was asked for while the link was down went into the URL. */
		for (const ref of [...this.#asked.keys()])
			this.#answered(ref, this.#cursor);
	}

	/** @param {string} cursor */
	#gap(cursor) {
		if (cursor === this.#lastGap)
			return; /* already said by hello */
		this.#lastGap = cursor;
		this.#cursor = cursor;
		this.dispatchEvent(new WireEvent('gap', { type: 'gap', cursor }));
	}

	/**
	 * @param {number} ref
	 * @param {string|undefined} cursor
	 */
	#answered(ref, cursor) {
		this.#asked.get(ref)?.resolve(cursor);
		this.#asked.delete(ref);
	}

	/** @param {any} message */
	#refused(message) {
		const error = new NewswireError(message.detail ?? message.code, { code: message.code });
		const asked = this.#asked.get(message.ref);
		if (!asked) {
			this.#complain(error);
			return;
		}
		this.#asked.delete(message.ref);
		this.#want = asked.before;
		asked.reject(error);
	}

	/** @param {NewswireError} error */
	#complain(error) {
		this.dispatchEvent(new WireEvent('error', error));
	}

	/* Lets go of the socket at once: a close handshake over a dead link would never end. */
	#hangUp() {
		const socket = this.#socket;
		this.#socket = null;
		this.#clock.clearTimeout(this.#deadTimer);
		this.#clock.clearTimeout(this.#retryTimer);
		this.#tickMs = 0;
		if (!socket)
			return;
		socket.onmessage = socket.onclose = null;
		try {
			socket.close();
		} catch {
			/* it never opened */
		}
	}

	/**
	 * @param {number} code
	 * @param {string} reason
	 */
	#lost(code, reason) {
		const { state, heard } = this.#status;
		if (state === 'live' && this.#clock.now() - this.#liveSince >= STEADY_AFTER_MS)
			this.#backoff.reset();
		this.#hangUp();
		if (FATAL_CODES.has(code)) {
			this.#complain(new NewswireError(reason || `closed with ${code}`,
				{ code: `close_${code}`, fatal: true }));
			this.#end({ state: 'closed', heard, code, reason });
			return;
		}
		if (CROWDED_CODES.has(code))
			this.#backoff.atLeast(CROWDED_ATTEMPT);
		const retry = this.#byeMs ?? this.#backoff.next();
		this.#byeMs = null;
		this.#retryTimer = this.#clock.setTimeout(() => this.#dial(), retry);
		this.#become({ state: 'waiting', heard, retry, code, reason });
	}

	/** @param {Status} status */
	#end(status) {
		if (this.#status.state === 'closed')
			return;
		this.#hangUp();
		globalThis.removeEventListener?.('online', this.#online);
		globalThis.removeEventListener?.('offline', this.#offline);
		for (const { reject } of this.#asked.values())
			reject(new NewswireError('The wire is closed.', { code: 'closed' }));
		this.#asked.clear();
		this.#become(status);
	}

	#online = () => {
		if (this.#status.state !== 'waiting')
			return;
		this.#backoff.reset();
		this.#clock.clearTimeout(this.#retryTimer);
		this.#dial();
	};

	/* Some systems say offline and mean only the Internet, so attempts go on. */
	#offline = () => {
		if (this.#socket)
			this.#lost(0, 'offline');
	};
}
