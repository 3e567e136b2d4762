/**
 * following.js - feed and stream joined: a living list of stories.
 *
 * @module newswire/following
 */
import { Emitter, NewswireError } from './common.js';
import { Store } from './store.js';
import { Wire } from './wire.js';
export type Feed = import('./common.js').Feed;
export type Link = import('./common.js').Link;
export type Status = import('./common.js').Status;
export type Subscription = import('./common.js').Subscription;
export type Entry = import('./store.js').Entry;
export type FollowingEvents = {
    status: Status;
    error: NewswireError;
};
/**
 * The events of a Following, each with its `detail`.
 * @typedef {object} FollowingEvents
 * @property {Status} status
 * @property {NewswireError} error
 */
/**
 * Feed and stream joined: `store` holds the stories and keeps them right, also across gaps.
 *
 * Events: `status` and `error`, as of {@link Wire}; those of the stories come from `store`.
 *
 * @extends {Emitter<FollowingEvents>}
 */
export declare class Following extends Emitter<FollowingEvents> {
    #private;
    store: Store;
    wire: Wire;
    /** Resolves when the first page is in the store; rejects when it never will be. */
    ready: Promise<void>;
    /** @param {Subscription & Link & {limit?: number, keep?: number, store?: Store}} options */
    constructor(options: Subscription & Link & {
        limit?: number;
        keep?: number;
        store?: Store;
    });
    /** Whether older() may find more. */
    get hasOlder(): boolean;
    /**
     * Fetches the next older page into the store.
     * @returns {Promise<Entry[]>} what it brought; empty at the end
     */
    older(): Promise<Entry[]>;
    /**
     * Forgets the oldest stories; older() can bring them back.
     * @param {number} keep
     */
    trim(keep: number): void;
    /** Ends for good. */
    close(): void;
}
