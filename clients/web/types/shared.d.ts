export type Options = import('./common.js').Link;
export type Status = import('./common.js').Status;
export type Subscription = import('./common.js').Subscription;
export type News = import('./stream.js').News;
export type Reader = import('./stream.js').Reader;
/**
 * @param {Options} options
 * @returns {boolean} whether tabs can share here
 */
export declare function canShare({ share, locks, BroadcastChannel: Channel }: Options): boolean;
/**
 * Always true: `#stream` is there if this tab leads, or has lost the thread; there is a `#channel`
 * if and only if it takes part.
 */
export declare class Shared {
    #private;
    /**
     * @param {Options} options
     * @param {Subscription} want
     * @param {Reader} reader
     */
    constructor(options: Options, want: Subscription, reader: Reader);
    get status(): import("./common.js").Status;
    open(): void;
    close(): void;
    online(): void;
    offline(): void;
    check(): void;
    sleep(): void;
    wake(): void;
    /**
     * Goes over to the group of another subscription; back, if the server refuses it.
     * @param {Subscription} want
     * @param {string} [since]
     * @returns {Promise<string|undefined>}
     */
    subscribe(want: Subscription, since?: string): Promise<string | undefined>;
}
