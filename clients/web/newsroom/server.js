/**
 * server.js - what the composer asks the server, with the key that it was given, and what an answer is worth.
 *
 * A post has one of five outcomes, and only the first says that something was sent:
 *   known         a receipt: accepted, held, duplicate or stale
 *   refused       the server's own words, and where in the item they belong
 *   unauthorized  the key is not in force (any more)
 *   away          the store confirmed nothing: it is away, or it is too much at once. Sending it again is right
 *   unknown       no answer, or one that makes no sense: it may have been taken
 */

/**
 * @typedef {{what: 'known'|'refused'|'unauthorized'|'away'|'unknown', status: number, body: any, detail: string}} Outcome
 * @typedef {{publisher: string, may: string[], channels: string[], urgency: Record<string, string>, max_item: number, time: string}} Key
 */

const PATIENCE_MS = 15_000;
const RECEIPTS = ['accepted', 'held', 'duplicate', 'stale'];

/** @param {any} value */
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/** A problem document, with the members that are used. @param {any} body */
function problemOf(body) {
	if (!isObject(body) || typeof body.code !== 'string')
		return null;
	const errors = (Array.isArray(body.errors) ? body.errors : [])
		.filter((/** @type {any} */ e) => typeof e?.pointer === 'string' && typeof e.detail === 'string');
	return { code: body.code, detail: String(body.detail ?? body.title ?? body.code), errors };
}

/**
 * What an answer to a post is worth.
 * @param {number} status 0: there was none
 * @param {any} body
 * @returns {Outcome}
 */
export function outcomeOf(status, body) {
	const problem = problemOf(body);
	const said = (/** @type {Outcome['what']} */ what, /** @type {string} */ detail) =>
		({ what, status, body: problem ?? body, detail });

	if ([200, 201, 202].includes(status) && isObject(body) && RECEIPTS.includes(body.status) && typeof body.uri === 'string')
		return said('known', body.status);
	if (problem && (status === 503 || status === 429))
		return said('away', problem.detail);
	if (problem && status === 401)
		return said('unauthorized', problem.detail);
	if (problem && status >= 400 && status < 500)
		return said('refused', problem.detail);
	return said('unknown', status === 0 ? 'no answer came' : `an answer came that makes no sense (${status})`);
}

export class Server {
	#key;
	#base;

	/** @param {string} key @param {string} [base] */
	constructor(key, base = new URL('v1/', location.href).href) {
		this.#key = key;
		this.#base = base;
	}

	/**
	 * @param {string} path
	 * @param {{method?: string, body?: string, headers?: Record<string, string>}} [request]
	 * @returns {Promise<{status: number, body: any}>} status 0: no answer
	 */
	async ask(path, { method = 'GET', body, headers = {} } = {}) {
		try {
			const response = await fetch(new URL(path, this.#base), {
				method, body, cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer',
				headers: { ...headers, authorization: `Bearer ${this.#key}` }, signal: AbortSignal.timeout(PATIENCE_MS),
			});
			const text = await response.text();
			return { status: response.status, body: /[/+]json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text };
		} catch (error) {
			/* A body that is no JSON, or was cut short, is no answer either. */
			return { status: 0, body: String(error) };
		}
	}

	/** Posts bytes under a name that makes posting them again safe. @param {string} bytes @param {string} name */
	async post(bytes, name) {
		const { status, body } = await this.ask('items', {
			method: 'POST', body: bytes, headers: { 'content-type': 'application/json', 'idempotency-key': name },
		});
		return outcomeOf(status, body);
	}

	/** Whose key is it? */
	key() { return this.ask('key'); }
	/** Every channel that has readers now. */
	channels() { return this.ask('channels?limit=1000'); }
	/** @param {{before?: string, all?: boolean, uri?: string, limit?: number}} question */
	sent({ before, all, uri, limit = 100 } = {}) {
		const query = new URLSearchParams({ limit: String(limit) });
		for (const [name, value] of [['before', before], ['who', all ? '*' : ''], ['uri', uri]])
			if (value)
				query.set(String(name), value);
		return this.ask(`sent?${query}`);
	}
	/** @param {string} uri */
	item(uri) { return this.ask(`items?uri=${encodeURIComponent(uri)}`); }
	/** @param {string} uri */
	held(uri) { return this.ask(`held?uri=${encodeURIComponent(uri)}`); }
}
