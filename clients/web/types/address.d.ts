/**
 * address.js - where to ask newswired for something.
 *
 * @module newswire/address
 */
export type Subscription = import('./common.js').Subscription;
/** @typedef {import('./common.js').Subscription} Subscription */
/**
 * @param {string|URL|undefined} server its address; in a page, the page's own server
 * @param {string} path
 * @param {Subscription} want
 * @returns {URL}
 */
export declare function addressOf(server: string | URL | undefined, path: string, want: Subscription): URL;
/**
 * The stream for a subscription, over HTTP; without a place in it.
 * @param {{url?: string|URL, ahead?: boolean}} options
 * @param {Subscription} want
 */
export declare function streamAddress(options: {
    url?: string | URL;
    ahead?: boolean;
}, want: Subscription): URL;
/**
 * The same address as a WebSocket's.
 * @param {URL} url
 */
export declare function overWebSocket(url: URL): URL;
