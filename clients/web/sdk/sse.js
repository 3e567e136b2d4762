/**
 * sse.js - the stream over Server-Sent Events, in the shape of a WebSocket that only listens.
 *
 * It reads with fetch() and not with an EventSource, which cannot say why it was refused, comes
 * back by its own rules, and does not exist in Node.
 *
 * @module newswire/sse
 */

const MAX_LINE = 16 << 20; /* characters */

export class EventStream {
	/** @type {((event: {data: string}) => void)|null} */ onmessage = null;
	/** @type {((event: {code: number, reason: string}) => void)|null} */ onclose = null;
	#abort = new AbortController();
	#rest = ''; /* of a line that has not ended */
	#data = '';
	/** @type {string|null} */ #id = null;

	/**
	 * @param {URL} url
	 * @param {typeof fetch} get
	 */
	constructor(url, get) {
		this.#read(url, get);
	}

	close() {
		this.onmessage = this.onclose = null;
		this.#abort.abort();
	}

	/**
	 * @param {URL} url
	 * @param {typeof fetch} get
	 */
	async #read(url, get) {
		let end = { code: 1006, reason: '' };
		try {
			const answer = await get(url, {
				headers: { accept: 'text/event-stream' }, cache: 'no-store', signal: this.#abort.signal,
			});
			if (!answer.ok)
				end = await this.#refused(answer);
			else if (/^text\/event-stream\b/i.test(answer.headers.get('content-type') ?? ''))
				await this.#listen(/** @type {ReadableStream<Uint8Array>} */ (answer.body));
			else
				end.reason = 'no_stream';
		} catch {
			/* the network, or close() */
		}
		this.#abort.abort();
		this.onclose?.(end);
	}

	/* Words of newswired count; any other page is something between, and may be gone soon. */
	/** @param {Response} answer */
	async #refused(answer) {
		const isProblem = /^application\/problem\+json\b/i.test(answer.headers.get('content-type') ?? '');
		const problem = isProblem ? await answer.json() : null;
		if (typeof problem?.code !== 'string')
			return { code: 1006, reason: `http_${answer.status}` };
		this.#say({ type: 'error', code: problem.code, detail: problem.detail ?? problem.title });
		if (answer.status === 503 || answer.status === 429)
			return { code: 1013, reason: problem.code };
		return { code: answer.status < 500 ? 4000 : 1011, reason: problem.code };
	}

	/** @param {ReadableStream<Uint8Array>} body */
	async #listen(body) {
		const reader = body.getReader();
		const decoder = new TextDecoder();
		for (;;) {
			const { done, value } = await reader.read();
			if (done || this.#abort.signal.aborted)
				return;
			this.#take(decoder.decode(value, { stream: true }));
			if (this.#rest.length + this.#data.length > MAX_LINE)
				return;
		}
	}

	/** @param {string} text */
	#take(text) {
		let from = 0;
		for (let at; (at = text.indexOf('\n', from)) >= 0; from = at + 1) {
			const line = this.#rest + text.slice(from, at);
			this.#rest = '';
			this.#line(line.endsWith('\r') ? line.slice(0, -1) : line);
		}
		this.#rest += text.slice(from);
	}

	/** @param {string} line */
	#line(line) {
		if (line === '')
			return this.#event();
		const colon = line.indexOf(':');
		const name = colon < 0 ? line : line.slice(0, colon);
		const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
		if (name === 'data')
			this.#data += this.#data === '' ? value : `\n${value}`;
		else if (name === 'id')
			this.#id = value;
	}

	/* An id alone is a tick. */
	#event() {
		if (this.#data !== '')
			this.onmessage?.({ data: this.#data });
		else if (this.#id !== null)
			this.#say({ type: 'tick', cursor: this.#id });
		this.#data = '';
		this.#id = null;
	}

	/** @param {object} message */
	#say(message) {
		this.onmessage?.({ data: JSON.stringify(message) });
	}
}
