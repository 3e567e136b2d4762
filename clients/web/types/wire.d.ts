/**
 * wire.js - one subscription to the stream, kept alive across reconnects.
 *
 * @module newswire/wire
 */
import { Emitter, NewswireError } from './common.js';
export type Gap = import('./common.js').Gap;
export type Link = import('./common.js').Link;
export type Post = import('./common.js').Post;
export type Status = import('./common.js').Status;
export type Subscription = import('./common.js').Subscription;
export type WireEvents = {
    status: Status;
    post: Post;
    gap: Gap;
    error: NewswireError;
    /**
     * how many read each channel now; if `readers` was asked for
     */
    readers: Record<string, number>;
};
/**
 * The events of a Wire, each with its `detail`.
 * @typedef {object} WireEvents
 * @property {Status} status
 * @property {Post} post
 * @property {Gap} gap
 * @property {NewswireError} error
 * @property {Record<string, number>} readers how many read each channel now; if `readers` was asked for
 */
/**
 * One subscription to the stream, kept alive across reconnects.
 *
 * Events (each with a `detail`): `status` {@link Status}; `post` {@link Post}, with the option `ahead`
 * twice where it has come ahead (a Store takes no notice of the second); `gap` {cursor}:
 * history is gone, fetch the feed again; `error` {@link NewswireError}; `readers`.
 *
 * Always true: `cursor` stands at the last message that was dispatched, so nothing that a
 * listener saw comes again and nothing that it did not see is skipped.
 *
 * @extends {Emitter<WireEvents>}
 */
export declare class Wire extends Emitter<WireEvents> {
    #private;
    /** @param {Subscription & Link & {since?: string}} options */
    constructor(options: Subscription & Link & {
        since?: string;
    });
    /** Where the reader stands: save it, and pass it as `since` another day. */
    get cursor(): string | undefined;
    /** @returns {Status} */
    get status(): Status;
    /**
     * Starts; connect() has done so. Once closed, a Wire stays closed.
     * @param {string} [since] where to start from
     */
    open(since?: string): void;
    /** Ends for good. Iterators end, open subscribe() calls are rejected. */
    close(): void;
    /**
     * Replaces the whole subscription; the cursor stays unless `since` is given. While the
     * link is down, the new subscription is what the next attempt asks for.
     * @param {Subscription & {since?: string}} want
     * @returns {Promise<string|undefined>} the cursor from which it holds
     */
    subscribe({ since, ...want }: Subscription & {
        since?: string;
    }): Promise<string | undefined>;
    /**
     * Posts and gaps, in order, until close(). It begins with what comes after the loop began, so
     * begin it right after connect(), before waiting for anything else. A loop that falls ten
     * thousand behind is ended with an error (`too_slow`) rather than fed from ever more memory; resume
     * it from its last cursor.
     * @returns {AsyncGenerator<Post|Gap, void>}
     */
    [Symbol.asyncIterator](): AsyncGenerator<Post | Gap, void>;
}
