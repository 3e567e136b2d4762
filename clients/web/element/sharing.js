/**
 * sharing.js - elements of one page that ask for the same news share one list and one connection.
 *
 * Ownership: whoever takes one gives it back; the last closes it. What is given back and taken again
 * in the same turn (an element that is moved) goes on as if nothing had happened.
 */
import { follow } from '../sdk/newswire.js';

/** @typedef {import('../sdk/newswire.js').Following} Following */
/** @typedef {Parameters<typeof follow>[0]} Options */

/** @type {Map<string, {news: Following, users: number}>} */ const lists = new Map();

/**
 * @param {Options} options
 * @returns {{news: Following, release: () => void}} release it once
 */
export function share(options) {
	const key = JSON.stringify(options);
	const known = lists.get(key);
	/* A list that has ended would stay as it is. */
	const list = known && known.news.wire.status.state !== 'closed' ? known : { news: follow(options), users: 0 };
	lists.set(key, list);
	list.users++;
	return { news: list.news, release: () => queueMicrotask(() => leave(key, list)) };
}

/** @param {string} key @param {{news: Following, users: number}} list */
function leave(key, list) {
	if (--list.users > 0)
		return;
	list.news.close();
	if (lists.get(key) === list)
		lists.delete(key);
}
