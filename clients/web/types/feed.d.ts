export type Feed = import('./common.js').Feed;
export type Link = import('./common.js').Link;
export type Subscription = import('./common.js').Subscription;
/**
 * One page of the feed, newest first.
 * @param {Subscription & Link & {limit?: number, before?: string, signal?: AbortSignal}} [options]
 *        `limit`: 1-100, the server's choice is 20
 * @returns {Promise<Feed>}
 * @throws {NewswireError} `fatal` if the same question will never be answered
 */
export declare function fetchFeed(options?: Subscription & Link & {
    limit?: number;
    before?: string;
    signal?: AbortSignal;
}): Promise<Feed>;
