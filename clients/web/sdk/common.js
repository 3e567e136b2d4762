/**
 * common.js - what the modules of this SDK share: the words, events, errors, waiting, addresses.
 *
 * @module newswire/common
 */

/**
 * What a reader wants: channels (any of them), narrowed by the rest.
 * @typedef {object} Subscription
 * @property {string[]} [channels] any of these; none means everything public
 * @property {string[]} [class] flash, bulletin, urgent, regular, deferred
 * @property {string[]} [lang] languages, as in the items
 * @property {string[]} [types] text, picture, video …
 * @property {'full'|'brief'} [view] how much of each item is sent
 */

/**
 * One version of an item, or what became of it. Of `kill`, `hold` and `remove` there is only
 * `uri`, `version` and perhaps `notice`; never any text of the item.
 * @typedef {object} Post
 * @property {'post'} type
 * @property {string} [cursor] where it stands in the stream; absent in the feed, and if it came ahead
 * @property {boolean} [ahead] it came before its turn, and comes again in its turn
 * @property {'publish'|'update'|'correct'|'release'|'kill'|'hold'|'remove'} action
 * @property {string} [class]
 * @property {string[]} [channels]
 * @property {Record<string, any>} [item] ninjs 3.1
 * @property {string} [uri]
 * @property {string} [version]
 * @property {string} [notice]
 */

/**
 * @typedef {object} Feed
 * @property {Post[]} items newest first
 * @property {string} cursor pass it as `since` to go on with nothing missing and nothing twice
 * @property {string} [before] pass it to fetchFeed() for the next older page; absent on the last
 */

/**
 * @typedef {object} Link
 * @property {string|URL} [url] where newswired is; in a page, the page's own server
 * @property {any} [WebSocket] a WebSocket constructor, where there is no global one
 * @property {boolean} [ahead] while the link is too slow for all of it, flashes come before their turn
 * @property {typeof fetch} [fetch]
 * @property {() => number} [random] in [0, 1); for tests
 * @property {Clock} [clock] for tests
 */

/**
 * @typedef {object} Clock
 * @property {() => number} now milliseconds, never going back
 * @property {(run: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/**
 * @typedef {object} Status
 * @property {'idle'|'connecting'|'live'|'waiting'|'closed'} state
 * @property {Date|null} heard when the server was last heard
 * @property {number} [retry] milliseconds until the next attempt, while `waiting`
 * @property {number} [code] WebSocket close code, where there was one
 * @property {string} [reason]
 */

/** An event with a `detail`, which Node 18 has no class for. */
export class WireEvent extends Event {
	/**
	 * @param {string} type
	 * @param {any} detail
	 */
	constructor(type, detail) {
		super(type);
		this.detail = detail;
	}
}

/** What the server (or the way to it) said no to. */
export class NewswireError extends Error {
	/**
	 * @param {string} message
	 * @param {{code?: string, status?: number, fatal?: boolean, cause?: unknown}} [more]
	 *        `fatal`: asking again for the same thing cannot help
	 */
	constructor(message, { code = 'unavailable', status = 0, fatal = false, cause } = {}) {
		super(message, { cause });
		this.name = 'NewswireError';
		this.code = code;
		this.status = status;
		this.fatal = fatal;
	}
}

const BACKOFF_BASE_MS = 250;
const BACKOFF_CAP_MS = 30_000;

/** @type {Clock} */
export const REAL_CLOCK = {
	now: () => performance.now(),
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
 * Where to ask newswired for something.
 * @param {string|URL|undefined} server its address; in a page, the page's own server
 * @param {string} path
 * @param {Subscription} want
 * @returns {URL}
 */
export function addressOf(server, path, want) {
	const page = globalThis.document?.baseURI;
	if (server === undefined && page === undefined)
		throw new TypeError('newswire: url is needed outside a page');
	const url = new URL(path, new URL(server ?? '.', page));
	const lists = { channels: want.channels, class: want.class, lang: want.lang, type: want.types };
	for (const [name, values] of Object.entries(lists))
		if (values?.length)
			url.searchParams.set(name, values.join(','));
	if (want.view)
		url.searchParams.set('view', want.view);
	return url;
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
	});
}
