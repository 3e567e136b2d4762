import { NewswireError } from './common.js';
export type Post = import('./common.js').Post;
export type Gap = import('./common.js').Gap;
export type Status = import('./common.js').Status;
export type Subscription = import('./common.js').Subscription;
export type News = Post | Gap | {
    type: 'tick';
    cursor: string;
} | {
    type: 'readers';
    channels: Record<string, number>;
};
export type Reader = {
    /**
     * where to go on from; undefined: from now
     */
    place: () => string | undefined;
    take: (news: News) => void;
    /**
     * the place is another one, as was asked for
     */
    moved: (cursor: string) => void;
    changed: (status: Status) => void;
    complain: (error: NewswireError) => void;
};
/** @typedef {import('./common.js').Post} Post */
/** @typedef {import('./common.js').Gap} Gap */
/** @typedef {import('./common.js').Status} Status */
/** @typedef {import('./common.js').Subscription} Subscription */
/**
 * @typedef {Post | Gap | {type: 'tick', cursor: string} | {type: 'readers', channels: Record<string, number>}} News
 */
/**
 * Who reads a stream.
 * @typedef {object} Reader
 * @property {() => string|undefined} place where to go on from; undefined: from now
 * @property {(news: News) => void} take
 * @property {(cursor: string) => void} moved the place is another one, as was asked for
 * @property {(status: Status) => void} changed
 * @property {(error: NewswireError) => void} complain
 */
/** The WebSocket subprotocol that this module speaks. */
export declare const PROTOCOL = "newswire.v1";
export declare class Stream {
    #private;
    /**
     * @param {import('./common.js').Link} options
     * @param {Subscription} want
     * @param {Reader} reader
     */
    constructor(options: import('./common.js').Link, want: Subscription, reader: Reader);
    get status(): import("./common.js").Status;
    get tickMs(): number;
    open(): void;
    close(): void;
    check(): void;
    online(): void;
    offline(): void;
    sleep(): void;
    wake(): void;
    /** Asks for a sign of life, which says where the stream stands. */
    ask(): void;
    /**
     * Replaces the whole subscription.
     * @param {Subscription} want
     * @param {string} [since]
     * @returns {Promise<string|undefined>} the cursor from which it holds
     */
    subscribe(want: Subscription, since?: string): Promise<string | undefined>;
}
/**
 * Is this a post that a program can do something with?
 * @param {any} post
 * @returns {post is Post}
 */
export declare function isPost(post: any): post is Post;
