/**
 * feed.js - one page of the feed.
 *
 * @module newswire/feed
 */
import { addressOf } from './address.js';
import { NewswireError } from './common.js';
import { isCursor } from './cursor.js';
import { isPost } from './stream.js';
import { REAL_CLOCK } from './waiting.js';

/** @typedef {import('./common.js').Feed} Feed */
/** @typedef {import('./common.js').Link} Link */
/** @typedef {import('./common.js').Subscription} Subscription */

const ANSWER_WITHIN_MS = 30_000;

/**
 * One page of the feed, newest first.
 * @param {Subscription & Link & {limit?: number, before?: string, signal?: AbortSignal}} [options]
 *        `limit`: 1-100, the server's choice is 20
 * @returns {Promise<Feed>}
 * @throws {NewswireError} `fatal` if the same question will never be answered
 */
export async function fetchFeed(options = {}) {
	const url = addressOf(options.url, 'v1/feed', options);
	if (options.limit)
		url.searchParams.set('limit', String(options.limit));
	if (options.before)
		url.searchParams.set('before', options.before);
	const { answer, body } = await ask(url, options);
	if (!answer.ok)
		throw refusal(answer, body);
	if (!Array.isArray(body?.items) || !isCursor(body.cursor))
		throw new NewswireError('The feed makes no sense.', { code: 'bad_answer', status: answer.status });
	return {
		items: body.items.filter(isPost),
		cursor: body.cursor,
		...(typeof body.before === 'string' && { before: body.before }),
	};
}

/**
 * @param {URL} url
 * @param {Link & {signal?: AbortSignal}} options
 * @returns {Promise<{answer: Response, body: any}>}
 */
async function ask(url, { fetch: get = fetch, signal, clock = REAL_CLOCK }) {
	const stop = new AbortController();
	const abort = () => stop.abort(signal?.reason);
	const timer = clock.setTimeout(() => stop.abort(), ANSWER_WITHIN_MS);
	if (signal?.aborted)
		abort();
	signal?.addEventListener('abort', abort);
	let answer;
	try {
		answer = await get(url, { headers: { accept: 'application/json' }, signal: stop.signal });
		return { answer, body: await answer.json() };
	} catch (cause) {
		if (signal?.aborted)
			throw signal.reason;
		const words = answer ? 'What answers is no feed of news.' : 'The feed cannot be reached.';
		throw new NewswireError(words, { code: answer ? 'bad_answer' : undefined, cause, status: answer?.status });
	} finally {
		clock.clearTimeout(timer);
		signal?.removeEventListener('abort', abort);
	}
}

/**
 * @param {Response} answer
 * @param {any} body
 */
function refusal({ status }, body) {
	const words = body?.detail ?? body?.title;
	return new NewswireError(typeof words === 'string' ? words : 'The feed was refused.', {
		code: typeof body?.code === 'string' ? body.code : 'bad_answer',
		status,
		fatal: typeof body?.code === 'string' && status >= 400 && status < 500 && status !== 429,
	});
}
