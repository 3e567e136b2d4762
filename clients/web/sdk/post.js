/**
 * post.js - a tool's line where no WebSocket gets through: each item by a POST of its own, in order.
 * In the shape of a WebSocket, so that whoever publishes need not know.
 *
 * @module newswire/post
 */
import { addressOf } from './address.js';
import { REAL_CLOCK } from './waiting.js';

const ANSWER_WITHIN_MS = 30_000;

export class PostLine {
	/** @type {((event: {data: string}) => void)|null} */ onmessage = null;
	/** @type {((event: {code: number, reason: string}) => void)|null} */ onclose = null;
	/** @type {import('./common.js').Link} */ #options;
	/** @type {any[]} */ #waiting = [];
	#key = '';
	#busy = false;
	#stop = new AbortController();

	/** @param {import('./common.js').Link} options */
	constructor(options) {
		this.#options = options;
		this.#begin();
	}

	/** @param {string} text */
	send(text) {
		const message = JSON.parse(text);
		if (message.type === 'auth') {
			this.#key = message.key;
			this.#say({ type: 'authorized', ref: message.ref }); /* each answer will say */
		} else if (message.type === 'publish') {
			this.#waiting.push(message);
			this.#work();
		}
	}

	close() {
		this.onmessage = this.onclose = null;
		this.#stop.abort();
	}

	/* Is there anybody? What answers must be newswired, not a page of a proxy's. */
	async #begin() {
		const answer = await this.#ask(addressOf(this.#options.url, 'v1/feed?limit=1', {}), {});
		if (answer && !this.#stop.signal.aborted)
			setTimeout(() => this.#say({ type: 'hello', window: 1 })); /* when it is listened to */
	}

	async #work() {
		if (this.#busy)
			return;
		this.#busy = true;
		for (let message; !this.#stop.signal.aborted && (message = this.#waiting.shift());)
			await this.#post(message);
		this.#busy = false;
	}

	/** @param {any} message */
	async #post({ ref, channels, idempotency_key: idempotencyKey, item }) {
		const answer = await this.#ask(addressOf(this.#options.url, 'v1/items', { channels }), {
			method: 'POST',
			headers: {
				'authorization': `Bearer ${this.#key}`,
				'content-type': 'application/json',
				'idempotency-key': idempotencyKey,
			},
			body: JSON.stringify(item),
		});
		if (answer)
			this.#say({ ...answer.body, type: answer.status < 400 ? 'accepted' : 'refused', ref, http: answer.status });
	}

	/**
	 * @param {URL} url
	 * @param {RequestInit} init
	 * @returns {Promise<{status: number, body: any}|null>} null: whatever that was, it was no answer; the line is lost
	 */
	async #ask(url, init) {
		const { fetch: get = fetch, clock = REAL_CLOCK } = this.#options;
		const timer = clock.setTimeout(() => this.#stop.abort(), ANSWER_WITHIN_MS);
		try {
			const answer = await get(url, { ...init, redirect: 'error', cache: 'no-store', signal: this.#stop.signal });
			const body = await answer.json();
			const isOurs = answer.ok ? body !== null && typeof body === 'object' : typeof body?.code === 'string';
			if (isOurs)
				return { status: answer.status, body };
		} catch {
			/* the network, a timeout, or what answers speaks no JSON */
		} finally {
			clock.clearTimeout(timer);
		}
		this.#stop.abort();
		this.onclose?.({ code: 1006, reason: 'no_answer' });
		return null;
	}

	/** @param {object} message */
	#say(message) {
		this.onmessage?.({ data: JSON.stringify(message) });
	}
}
