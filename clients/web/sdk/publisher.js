/**
 * publisher.js - a newsroom's tool: items go up, receipts come down, over one lasting line.
 *
 * An item waits here until the server has answered it. If the line breaks it is sent again with the
 * same bytes and the same idempotency key, so that it is taken once however often it is sent.
 *
 * @module newswire/publisher
 */
import { addressOf, overWebSocket } from './address.js';
import { Emitter, NewswireError, WireEvent } from './common.js';
import { Link } from './link.js';
import { PostLine } from './post.js';
import { PROTOCOL } from './stream.js';
import { watchSurroundings } from './surroundings.js';
import { Backoff, REAL_CLOCK } from './waiting.js';

/** @typedef {import('./common.js').Status} Status */

/**
 * What the server says of an item that it has taken.
 * @typedef {object} Receipt
 * @property {'accepted'|'duplicate'|'stale'|'held'} status `accepted`: durable, and on its way to readers;
 *           `duplicate`: it was here already; `stale`: a later version is out; `held`: under embargo
 * @property {number} http the status that a POST would have had
 * @property {string} uri
 * @property {string} [version]
 * @property {string} [id] where it stands on the wire
 * @property {import('./common.js').Action} [action]
 * @property {string[]} [channels]
 * @property {number} [readers] how many readers were connected to this node
 * @property {'replicated'|'fsync'|'second'|'memory'|'unknown'} [durability]
 * @property {boolean} [replayed] it had been answered before; this is that answer
 */

/**
 * @typedef {object} PublisherOptions
 * @property {string} key the publisher's; it is never part of an address
 * @property {string|URL} [url] where newswired is; in a page, the page's own server
 * @property {number} [timeout] milliseconds until publish() gives up (60,000)
 * @property {number} [limit] items that may wait for their answer (1,000)
 * @property {any} [WebSocket] a WebSocket constructor, where there is no global one; null: only POST
 * @property {typeof fetch} [fetch]
 * @property {() => number} [random] in [0, 1); for tests
 * @property {import('./common.js').Clock} [clock] for tests
 */

/**
 * @typedef {object} PublishOptions
 * @property {string[]} [channels] besides those that the item says itself
 * @property {string} [idempotencyKey] 1-255 visible characters; one is made up if there is none
 * @property {number} [timeout] instead of the publisher's
 * @property {AbortSignal} [signal] gives up
 */

/**
 * @typedef {object} PublisherEvents
 * @property {Status} status `live`: the key is good, and items go out
 * @property {NewswireError} error
 */

/**
 * @typedef {object} Job
 * @property {number} ref
 * @property {string} text of its message
 * @property {number} bytes of it
 * @property {boolean} onLine it was sent over the line that is there now, and has no answer yet
 * @property {boolean} everSent
 * @property {string} idempotencyKey
 * @property {(receipt: Receipt) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {() => void} forget its timer and its signal
 */

const TIMEOUT_MS = 60_000;
const MAX_WAITING = 1_000;
const MAX_BYTES = 64 << 20; /* of all that waits */
const MAX_WINDOW = 1_024;
const AUTH = 'auth';
/* After these somebody found no sense in what was on the line, so it is not said again. */
const POISONED_CODES = new Set([1003, 1007, 1009, 4000]);
/* Not decided: to be sent again, in the same order. */
const AGAIN = new Set([429, 503]);

/** Why an item has no receipt. */
export class PublishError extends NewswireError {
	/**
	 * @param {string} message
	 * @param {{code?: string, status?: number, fatal?: boolean, cause?: unknown, idempotencyKey?: string,
	 *          errors?: {pointer: string, detail: string}[]}} [more]
	 */
	constructor(message, { idempotencyKey, errors = [], ...more } = {}) {
		super(message, more);
		this.name = 'PublishError';
		/** Publishing the same again with this key is safe: it is taken at most once. */
		this.idempotencyKey = idempotencyKey;
		/** What is wrong with the item, where it is at fault: RFC 6901 pointers and sentences. */
		this.errors = errors;
	}

	/** It was sent and not answered: it may have been taken or not. */
	get unknown() {
		return this.code === 'unknown';
	}
}

/**
 * Always true: items are sent, and sent again, in the order of publish(); a promise is resolved by
 * the server's receipt and by nothing else.
 *
 * Events: `status` {@link Status}, `error` {@link NewswireError}.
 *
 * @extends {Emitter<PublisherEvents>}
 */
export class Publisher extends Emitter {
	/** @type {PublisherOptions} */ #options;
	/** @type {Link} */ #link;
	/** @type {import('./common.js').Clock} */ #clock;
	/** @type {Status} */ #status = { state: 'idle', heard: null };
	/** @type {Map<number, Job>} */ #jobs = new Map(); /* in order */
	#lastRef = 0;
	#bytes = 0; /* of all jobs */
	#onLine = 0; /* jobs that are */
	#authorized = false;
	#window = 1;
	#maxItem = Infinity;
	/** @type {Backoff} */ #patience;
	/** @type {any} */ #againTimer = null;
	#again = false; /* some were not decided: nothing new goes out before they do */
	/** @type {NewswireError|null} */ #refusal = null; /* of the key */
	/** @type {(() => void)[]} */ #wantRoom = [];
	/** @type {() => void} */ #unwatch;

	/** @param {PublisherOptions} options */
	constructor(options) {
		super();
		if (typeof options?.key !== 'string' || options.key === '')
			throw new TypeError('newswire: publishing needs a key');
		this.#options = options;
		this.#clock = options.clock ?? REAL_CLOCK;
		this.#patience = new Backoff({ random: options.random });
		/** Whose key it is, once that is known. @type {string|undefined} */
		this.publisher = undefined;
		/** What it may do, once that is known. @type {string[]|undefined} */
		this.may = undefined;
		this.#link = new Link(this.#ways(), {
			hello: (message) => this.#welcome(message),
			hear: (message) => this.#hear(message),
			changed: (status) => this.#changed(status),
			complain: (error) => this.#tell('error', error),
		}, { fatal: [], clock: options.clock, random: options.random });
		this.#unwatch = watchSurroundings(this.#link);
		this.#link.open();
	}

	/** @returns {Status} */
	get status() {
		return this.#status;
	}

	/** How many items have no answer yet. */
	get waiting() {
		return this.#jobs.size;
	}

	/**
	 * Publishes one item: the promise is kept when the server says that it is durable.
	 * @param {Record<string, any>} item ninjs of any generation
	 * @param {PublishOptions} [options]
	 * @returns {Promise<Receipt>}
	 * @throws {PublishError}
	 */
	publish(item, { channels, idempotencyKey = newKey(), timeout, signal } = {}) {
		return new Promise((resolve, reject) => {
			const text = JSON.stringify(item);
			if (typeof item !== 'object' || item === null || text === undefined)
				throw new TypeError('newswire: an item is an object');
			const ref = ++this.#lastRef;
			const head = JSON.stringify({ type: 'publish', ref, channels, idempotency_key: idempotencyKey });
			/** @type {Job} */
			const job = {
				ref, resolve, reject, idempotencyKey,
				text: `${head.slice(0, -1)},"item":${text}}`,
				bytes: new TextEncoder().encode(text).length,
				onLine: false,
				everSent: false,
				forget: () => {},
			};
			const problem = this.#objection(job, signal);
			if (problem)
				throw problem;
			job.forget = this.#limit(job, timeout ?? this.#options.timeout ?? TIMEOUT_MS, signal);
			this.#jobs.set(ref, job);
			this.#bytes += job.bytes;
			this.#flow();
		});
	}

	/** Resolves when there is room for one more item; at once, if there is. */
	async room() {
		while (this.#isFull(1) && this.#status.state !== 'closed')
			await new Promise((resolve) => this.#wantRoom.push(() => resolve(undefined)));
	}

	/** Resolves when everything has been answered, one way or the other, and ends. */
	async finish() {
		while (this.#jobs.size > 0)
			await new Promise((resolve) => this.#wantRoom.push(() => resolve(undefined)));
		this.close();
	}

	/** Ends for good. What has no answer is rejected: `unknown` if it was sent, `closed` if not. */
	close() {
		this.#link.close();
	}

	/* -- the line ------------------------------------------------------------------------- */

	/** @returns {import('./link.js').Way[]} */
	#ways() {
		const WebSocket = this.#options.WebSocket === undefined ? globalThis.WebSocket : this.#options.WebSocket;
		const url = overWebSocket(addressOf(this.#options.url, 'v1/publish', {})).href;
		/** @type {import('./link.js').Way[]} */
		const ways = [{ via: 'post', dial: () => new PostLine(this.#options) }];
		if (WebSocket)
			ways.unshift({ via: 'websocket', dial: () => new WebSocket(url, PROTOCOL) });
		return ways;
	}

	/** @param {any} hello */
	#welcome(hello) {
		this.#authorized = false;
		this.#window = Math.min(MAX_WINDOW, hello.window >= 1 ? Math.floor(hello.window) : 1);
		this.#maxItem = hello.max_item > 0 ? Number(hello.max_item) : Infinity;
	}

	/** @param {Status} status */
	#changed(status) {
		if (status.state === 'live') { /* but it is not known here yet who this is */
			this.#link.send({ type: 'auth', ref: AUTH, key: this.#options.key });
			return;
		}
		this.#authorized = false;
		for (const job of [...this.#jobs.values()])
			this.#offLine(job, status);
		if (status.state === 'closed')
			this.#end();
		this.#show(status);
	}

	/**
	 * @param {Job} job
	 * @param {Status} status
	 */
	#offLine(job, status) {
		if (job.onLine && POISONED_CODES.has(status.code ?? 0))
			this.#fail(job, unknown(job));
		this.#setOnLine(job, false);
	}

	/** @param {any} message */
	#hear(message) {
		switch (message.type) {
		case 'authorized':
			return this.#authorize(message);
		case 'accepted':
		case 'refused':
			return this.#answered(message);
		case 'error':
			return this.#complain(message);
		}
	}

	/* Only what answers our key is final: a line may also end because it was slow to say whose it is. */
	/** @param {any} message */
	#complain(message) {
		const fatal = message.ref === AUTH;
		const error = new NewswireError(String(message.detail ?? message.code ?? 'The line has an error.'),
			{ code: String(message.code ?? 'error'), fatal });
		this.#tell('error', error);
		if (!fatal)
			return;
		this.#refusal = error;
		this.#link.close();
	}

	/** @param {any} message */
	#authorize(message) {
		this.#authorized = true;
		this.publisher = typeof message.publisher === 'string' ? message.publisher : this.publisher;
		this.may = Array.isArray(message.may) ? message.may : this.may;
		this.#show(this.#link.status);
		this.#flow();
	}

	/* -- items ---------------------------------------------------------------------------- */

	/**
	 * @param {Job} job
	 * @param {AbortSignal} [signal]
	 */
	#objection({ bytes, idempotencyKey }, signal) {
		if (this.#status.state === 'closed')
			return new PublishError('The publisher is closed.', { code: this.#refusal?.code ?? 'closed', idempotencyKey });
		if (signal?.aborted)
			return signal.reason;
		if (this.#isFull(bytes))
			return new PublishError('Too many items wait for their answer. Wait for room().', { code: 'too_many', idempotencyKey });
		return bytes > this.#maxItem ? tooLarge(idempotencyKey) : null;
	}

	/** @param {number} bytes */
	#isFull(bytes) {
		return this.#jobs.size >= (this.#options.limit ?? MAX_WAITING) || (this.#bytes > 0 && this.#bytes + bytes > MAX_BYTES);
	}

	/**
	 * @param {Job} job
	 * @param {number} ms
	 * @param {AbortSignal} [signal]
	 * @returns {() => void} ends it
	 */
	#limit(job, ms, signal) {
		const late = () => this.#fail(job, job.everSent ? unknown(job) : new PublishError(
			'It was not sent: the server could not be reached in time.', { idempotencyKey: job.idempotencyKey }));
		const abort = () => this.#fail(job, job.everSent ? unknown(job) : signal?.reason);
		const timer = ms < 2 ** 31 ? this.#clock.setTimeout(late, ms) : null;
		signal?.addEventListener('abort', abort);
		return () => {
			this.#clock.clearTimeout(timer);
			signal?.removeEventListener('abort', abort);
		};
	}

	/* Sends what may be sent now. */
	#flow() {
		if (!this.#authorized || this.#againTimer !== null)
			return;
		if (this.#again && this.#onLine > 0)
			return; /* first it must be known what else was not decided */
		this.#again = false;
		for (const job of this.#jobs.values()) {
			if (this.#onLine >= this.#window)
				return;
			if (!job.onLine && !this.#send(job))
				return;
		}
	}

	/**
	 * @param {Job} job
	 * @returns {boolean} whether the next one may be sent
	 */
	#send(job) {
		if (job.bytes > this.#maxItem) {
			this.#fail(job, tooLarge(job.idempotencyKey));
			return true;
		}
		if (!this.#link.sendText(job.text))
			return false;
		job.everSent = true;
		this.#setOnLine(job, true);
		return true;
	}

	/**
	 * @param {Job} job
	 * @param {boolean} onLine
	 */
	#setOnLine(job, onLine) {
		this.#onLine += Number(onLine) - Number(job.onLine);
		job.onLine = onLine;
	}

	/** @param {any} message */
	#answered(message) {
		const job = this.#jobs.get(message.ref);
		if (!job?.onLine)
			return;
		this.#setOnLine(job, false);
		if (message.type === 'accepted' && message.http < 400) {
			this.#patience.reset();
			this.#forget(job);
			const { type, ref, ...receipt } = message;
			job.resolve(receipt);
		} else if (AGAIN.has(message.http))
			this.#tryAgain(message);
		else
			this.#fail(job, refused(message, job));
		this.#flow();
	}

	/** @param {any} message */
	#tryAgain(message) {
		this.#again = true;
		if (this.#againTimer !== null)
			return;
		this.#tell('error', new NewswireError(String(message.detail ?? message.code ?? 'Not now.'),
			{ code: String(message.code ?? 'unavailable'), status: message.http }));
		this.#againTimer = this.#clock.setTimeout(() => {
			this.#againTimer = null;
			this.#flow();
		}, this.#patience.next());
	}

	/**
	 * @param {Job} job
	 * @param {unknown} error
	 */
	#fail(job, error) {
		this.#forget(job);
		job.reject(error);
	}

	/** @param {Job} job */
	#forget(job) {
		if (!this.#jobs.delete(job.ref))
			return;
		this.#setOnLine(job, false);
		this.#bytes -= job.bytes;
		job.forget();
		for (const wake of this.#wantRoom.splice(0))
			wake();
	}

	#end() {
		this.#unwatch();
		this.#clock.clearTimeout(this.#againTimer);
		const { code = 'closed', message: words = 'The publisher was closed before it was sent.' } = this.#refusal ?? {};
		for (const job of [...this.#jobs.values()])
			this.#fail(job, job.everSent ? unknown(job) : new PublishError(words, { code, idempotencyKey: job.idempotencyKey }));
		for (const wake of this.#wantRoom.splice(0))
			wake();
	}

	/** @param {Status} status */
	#show(status) {
		this.#status = status;
		this.#tell('status', status);
	}

	/**
	 * @param {keyof PublisherEvents} type
	 * @param {any} detail
	 */
	#tell(type, detail) {
		this.dispatchEvent(new WireEvent(type, detail));
	}
}

/* randomUUID() is for secure contexts only, and Node 18 has no crypto of its own accord. A key must be new, not secret. */
function newKey() {
	const bytes = globalThis.crypto?.getRandomValues(new Uint8Array(16)) ?? Array.from({ length: 16 }, () => Math.floor(Math.random() * 256));
	return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {Job} job */
function unknown({ idempotencyKey }) {
	return new PublishError('It was sent, and not answered: whether it was taken is not known. Publish it again with the same key.',
		{ code: 'unknown', idempotencyKey });
}

/** @param {string} idempotencyKey */
function tooLarge(idempotencyKey) {
	return new PublishError('The item is larger than the server takes.', { code: 'too_large', status: 413, fatal: true, idempotencyKey });
}

/**
 * @param {any} message
 * @param {Job} job
 */
function refused(message, { idempotencyKey }) {
	return new PublishError(String(message.detail ?? message.title ?? message.code ?? 'The item was refused.'), {
		code: String(message.code ?? 'refused'),
		status: message.http,
		fatal: true,
		errors: Array.isArray(message.errors) ? message.errors : [],
		idempotencyKey,
	});
}
