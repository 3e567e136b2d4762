/**
 * stream.js - what the server says to one reader, over one connection, made plain.
 *
 * Whatever the server says becomes one of: a post, a gap, a tick (the place moved, and nothing
 * else), numbers of readers. Whose stream it is keeps the place.
 *
 * @module newswire/stream
 */
import { overWebSocket, streamAddress } from './address.js';
import { NewswireError } from './common.js';
import { isCursor } from './cursor.js';
import { Link } from './link.js';
import { EventStream } from './sse.js';

/** @typedef {import('./common.js').Post} Post */
/** @typedef {import('./common.js').Gap} Gap */
/** @typedef {import('./common.js').Status} Status */
/** @typedef {import('./common.js').Subscription} Subscription */

/**
 * @typedef {Post | Gap | {type: 'tick', cursor: string} | {type: 'readers', channels: Record<string, number>}} News
 */

/**
 * Who reads a stream.
 * @typedef {object} Reader
 * @property {() => string|undefined} place where to go on from; undefined: from now
 * @property {(news: News) => void} take
 * @property {(cursor: string) => void} moved the place is another one, as was asked for
 * @property {(status: Status) => void} changed
 * @property {(error: NewswireError) => void} complain
 */

/** The WebSocket subprotocol that this module speaks. */
export const PROTOCOL = 'newswire.v1';

/* Trying again with the same request cannot help after these. */
const FATAL_CODES = [1003, 1007, 1009, 4000, 4001, 4003];

export class Stream {
	/** @type {import('./common.js').Link} */ #options;
	/** @type {Subscription} */ #want;
	/** @type {Reader} */ #reader;
	/** @type {Link} */ #link;
	/** @type {Map<number, {resolve: Function, reject: Function, before: Subscription}>} */
	#asked = new Map();
	#lastRef = 0;
	/** @type {string|undefined} */ #dialedFrom;
	/** @type {string|null} */ #lastGap = null;

	/**
	 * @param {import('./common.js').Link} options
	 * @param {Subscription} want
	 * @param {Reader} reader
	 */
	constructor(options, want, reader) {
		this.#options = options;
		this.#want = want;
		this.#reader = reader;
		this.#address(); /* what makes no address is said at once */
		this.#link = new Link(this.#ways(), {
			hello: (message) => this.#welcome(message),
			hear: (message) => this.#hear(message),
			changed: (status) => this.#changed(status),
			complain: (error) => this.#complain(error),
		}, { fatal: FATAL_CODES, clock: options.clock, random: options.random });
	}

	get status() { return this.#link.status; }
	get tickMs() { return this.#link.tickMs; }
	open() { this.#link.open(); }
	close() { this.#link.close(); }
	check() { this.#link.check(); }
	online() { this.#link.online(); }
	offline() { this.#link.offline(); }
	sleep() { this.#link.sleep(); }
	wake() { this.#link.wake(); }

	/** Asks for a sign of life, which says where the stream stands. */
	ask() {
		this.#link.send({ type: 'ping' });
	}

	/**
	 * Replaces the whole subscription.
	 * @param {Subscription} want
	 * @param {string} [since]
	 * @returns {Promise<string|undefined>} the cursor from which it holds
	 */
	subscribe(want, since) {
		const before = this.#want;
		const ref = ++this.#lastRef;
		this.#want = want;
		const answer = new Promise((resolve, reject) => {
			this.#asked.set(ref, { resolve, reject, before });
		});
		if (this.#link.send({ type: 'subscribe', ref, ...want, since }))
			return answer;
		if (since)
			this.#reader.moved(since);
		if (this.status.state === 'connecting' || this.status.state === 'live')
			this.#link.redial(); /* it asked for what was wanted before */
		return answer;
	}

	#address() {
		const url = streamAddress(this.#options, this.#want);
		this.#dialedFrom = this.#reader.place();
		if (this.#dialedFrom)
			url.searchParams.set('since', this.#dialedFrom);
		return url;
	}

	/** @returns {import('./link.js').Way[]} */
	#ways() {
		const { sse = true, fetch: get = (...args) => fetch(...args) } = this.#options;
		const WebSocket = this.#options.WebSocket === undefined ? globalThis.WebSocket : this.#options.WebSocket;
		/** @type {import('./link.js').Way[]} */ const ways = [];
		if (WebSocket)
			ways.push({
				via: 'websocket',
				dial: () => new WebSocket(overWebSocket(this.#address()).href, PROTOCOL),
			});
		if (sse)
			ways.push({ via: 'sse', dial: () => new EventStream(this.#address(), get) });
		if (ways.length === 0)
			throw new TypeError('newswire: no WebSocket here; pass one in the options');
		return ways;
	}

	/** @param {any} hello */
	#welcome(hello) {
		const asked = this.#dialedFrom;
		this.#lastGap = null;
		if (!isCursor(hello.cursor))
			this.#complain(new NewswireError('The server does not say where it stands.', { code: 'bad_message' }));
		else if (asked && hello.resumed === false)
			this.#gap(hello.cursor);
		else if (!asked)
			this.#reader.take({ type: 'tick', cursor: hello.cursor });
		/* What was asked for while the link was down went into the URL. */
		for (const ref of [...this.#asked.keys()])
			this.#answered(ref, this.#reader.place());
	}

	/** @param {any} message */
	#hear(message) {
		switch (message.type) {
		case 'post':
			return this.#post(message);
		case 'tick':
			return isCursor(message.cursor) ? this.#reader.take({ type: 'tick', cursor: message.cursor }) : undefined;
		case 'gap':
			return isCursor(message.cursor) ? this.#gap(message.cursor) : undefined;
		case 'readers':
			return this.#readers(message);
		case 'subscribed':
			if (isCursor(message.cursor))
				this.#reader.moved(message.cursor);
			return this.#answered(message.ref, message.cursor);
		case 'error':
			return this.#refused(message);
		}
		/* Other types are from a newer server, or for the compression: not for us. */
	}

	/** @param {any} message */
	#post(message) {
		const { like, ...post } = message; /* `like` is for the compression alone */
		if (isPost(post))
			this.#reader.take(post);
		else
			this.#complain(new NewswireError('A post makes no sense.', { code: 'bad_message' }));
	}

	/** @param {any} message */
	#readers(message) {
		const counts = Object.entries(message.channels ?? {}).filter(([, count]) => Number.isFinite(count));
		this.#reader.take({ type: 'readers', channels: Object.fromEntries(counts) });
	}

	/** @param {string} cursor */
	#gap(cursor) {
		if (cursor === this.#lastGap)
			return; /* already said by hello */
		this.#lastGap = cursor;
		this.#reader.take({ type: 'gap', cursor });
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
		const words = String(message.detail ?? message.code ?? 'The server says that something is wrong.');
		const error = new NewswireError(words, { code: String(message.code ?? 'error') });
		const asked = this.#asked.get(message.ref);
		if (!asked)
			return this.#complain(error);
		this.#asked.delete(message.ref);
		this.#want = asked.before;
		asked.reject(error);
	}

	/** @param {NewswireError} error */
	#complain(error) {
		this.#reader.complain(error);
	}

	/** @param {Status} status */
	#changed(status) {
		if (status.state === 'closed') {
			for (const { reject } of this.#asked.values())
				reject(new NewswireError('The wire is closed.', { code: 'closed' }));
			this.#asked.clear();
		}
		this.#reader.changed(status);
	}
}

/**
 * Is this a post that a program can do something with?
 * @param {any} post
 * @returns {post is Post}
 */
export function isPost(post) {
	const isObject = (/** @type {unknown} */ value) => typeof value === 'object' && value !== null && !Array.isArray(value);
	if (!isObject(post) || typeof post.action !== 'string')
		return false;
	if (post.cursor !== undefined && !isCursor(post.cursor))
		return false;
	if (post.item !== undefined && !isObject(post.item))
		return false;
	return typeof (post.uri ?? post.item?.uri) === 'string';
}
