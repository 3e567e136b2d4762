/**
 * store.js - the stories a reader sees, kept right whatever order the news of them comes in.
 *
 * @module newswire/store
 */
import { Emitter } from './common.js';
export type Post = import('./common.js').Post;
export type Feed = import('./common.js').Feed;
export type Entry = {
    uri: string;
    state: 'shown' | 'withheld' | 'killed' | 'removed';
    version: string;
    /**
     * the latest version; null unless `shown`
     */
    post: Post | null;
    /**
     * why it was withdrawn or withheld
     */
    notice: string | undefined;
    /**
     * it is, or stands for, a story that a reader has seen
     */
    listed: boolean;
    /**
     * higher is newer
     */
    place: number;
    /**
     * the cursor at which this was so
     */
    at: string | undefined;
    /**
     * a gap may have swallowed what became of it
     */
    doubtful: boolean;
    /**
     * it came before its turn: until then it stands above all others
     */
    ahead: boolean;
};
export type Change = 'added' | 'changed' | 'killed' | 'withheld' | 'released' | 'removed';
export type StoreEvents = {
    /**
     * one story
     */
    change: {
        entry: Entry;
        change: Change;
    };
    /**
     * a page of the feed
     */
    fill: {
        added: Entry[];
        updated: Entry[];
        older: boolean;
    };
};
/**
 * The stories a reader sees, newest first: `for (const entry of store)`.
 *
 * Takes posts in whatever order they come, from stream and feed alike, and always shows the
 * same: a double or a late older version changes nothing, and what was killed never returns.
 * What came ahead is on top at once, and takes its place when it comes in its turn.
 *
 * Events: `change` {entry, change: 'added'|'changed'|'killed'|'withheld'|'released'|'removed'};
 * `fill` {added: Entry[], updated: Entry[], older: boolean} once per page of the feed.
 *
 * @extends {Emitter<StoreEvents>}
 */
export declare class Store extends Emitter<StoreEvents> {
    #private;
    /** @returns {IterableIterator<Entry>} */
    [Symbol.iterator](): IterableIterator<Entry>;
    /** How many entries are listed. */
    get size(): number;
    /**
     * @param {string} uri
     * @returns {Entry|undefined} also of what is not listed
     */
    get(uri: string): Entry | undefined;
    /**
     * Takes in one post of the stream.
     * @param {Post} post
     * @returns {boolean} whether it changed anything
     */
    apply(post: Post): boolean;
    /**
     * Takes in a page of the feed: an older one goes below what is there. Any other is the
     * state of things as of its cursor: its order counts, and what doubt() marked and the page
     * does not confirm is dropped.
     * @param {Feed} feed
     * @param {{older?: boolean}} [options]
     * @returns {Entry[]} those that were not listed before
     */
    fill(feed: Feed, { older }?: {
        older?: boolean;
    }): Entry[];
    /** Marks everything: until the next fill() nobody knows what became of it. */
    doubt(): void;
    /**
     * Forgets the oldest stories beyond `keep`, and the oldest of what is no longer listed
     * beyond ten times that.
     * @param {number} keep
     * @returns {number} how many listed ones went
     */
    trim(keep: number): number;
}
