/**
 * newswire.js - follow a newswired server, and publish to one, from a browser or from Node.
 *
 * Three layers to read; take the lowest that does what you need:
 *
 *   follow()     a living list of stories: the feed first, then every change to it
 *   connect()    the stream: every message once, in order, across reconnects
 *   fetchFeed()  one page of the feed
 *
 * and two to publish: publisher() keeps a line open, publish() sends one item.
 *
 *     import { follow } from '/sdk/newswire.js';
 *     const news = follow({ url: 'https://news.example/', channels: ['world'] });
 *     news.store.addEventListener('change', () => draw([...news.store]));
 *
 * No dependencies. docs/sdk.md has all of it.
 *
 * @module newswire
 */
import { Following } from './following.js';
import { Publisher } from './publisher.js';
import { Wire } from './wire.js';

export { NewswireError, WireEvent } from './common.js';
export { compareCursors, compareVersions, parseTime } from './cursor.js';
export { fetchFeed } from './feed.js';
export { Following } from './following.js';
export { PublishError, Publisher } from './publisher.js';
export { Store } from './store.js';
export { PROTOCOL } from './stream.js';
export { Backoff } from './waiting.js';
export { Wire } from './wire.js';

/** @typedef {import('./common.js').Action} Action */
/** @typedef {import('./common.js').Feed} Feed */
/** @typedef {import('./common.js').Gap} Gap */
/** @typedef {import('./common.js').Link} Link */
/** @typedef {import('./common.js').Post} Post */
/** @typedef {import('./common.js').Status} Status */
/** @typedef {import('./common.js').Subscription} Subscription */
/** @typedef {import('./following.js').FollowingEvents} FollowingEvents */
/** @typedef {import('./publisher.js').PublishOptions} PublishOptions */
/** @typedef {import('./publisher.js').PublisherEvents} PublisherEvents */
/** @typedef {import('./publisher.js').PublisherOptions} PublisherOptions */
/** @typedef {import('./publisher.js').Receipt} Receipt */
/** @typedef {import('./store.js').Change} Change */
/** @typedef {import('./store.js').Entry} Entry */
/** @typedef {import('./store.js').StoreEvents} StoreEvents */
/** @typedef {import('./wire.js').WireEvents} WireEvents */

/**
 * Opens the stream. Without `since` it starts now.
 * @param {Subscription & Link & {since?: string}} [options]
 * @returns {Wire}
 */
export function connect(options = {}) {
	const wire = new Wire(options);
	wire.open();
	return wire;
}

/**
 * Follows the news: the newest `limit` stories, then everything that happens to them. About `keep`
 * (1,000) stories are kept; older() brings forgotten ones back.
 * @param {Subscription & Link & {limit?: number, keep?: number, store?: import('./store.js').Store}} [options]
 * @returns {Following}
 */
export function follow(options = {}) {
	return new Following(options);
}

/**
 * Opens a line for publishing, and keeps it.
 * @param {PublisherOptions} options
 * @returns {Publisher}
 */
export function publisher(options) {
	return new Publisher(options);
}

/**
 * Publishes one item, over a line of its own. Who has more of them keeps a publisher().
 * @param {Record<string, any>} item ninjs of any generation
 * @param {PublisherOptions & PublishOptions} options
 * @returns {Promise<Receipt>} kept when the server says that it is durable
 * @throws {import('./publisher.js').PublishError}
 */
export async function publish(item, options) {
	const line = new Publisher(options);
	try {
		return await line.publish(item, options);
	} finally {
		line.close();
	}
}
