/**
 * address.js - where to ask newswired for something.
 *
 * @module newswire/address
 */

/** @typedef {import('./common.js').Subscription} Subscription */

/**
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
 * The stream for a subscription, over HTTP; without a place in it.
 * @param {{url?: string|URL, ahead?: boolean}} options
 * @param {Subscription} want
 */
export function streamAddress(options, want) {
	const url = addressOf(options.url, 'v1/stream', want);
	if (want.readers)
		url.searchParams.set('readers', '1');
	if (options.ahead)
		url.searchParams.set('ahead', '1');
	return url;
}

/**
 * The same address as a WebSocket's.
 * @param {URL} url
 */
export function overWebSocket(url) {
	const copy = new URL(url);
	copy.protocol = copy.protocol.replace(/^http/, 'ws');
	return copy;
}
