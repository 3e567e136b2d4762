import { Emitter, NewswireError } from './common.js';
export type Status = import('./common.js').Status;
export type Receipt = {
    /**
     * `accepted`: durable, and on its way to readers;
     * `duplicate`: it was here already; `stale`: a later version is out; `held`: under embargo
     */
    status: 'accepted' | 'duplicate' | 'stale' | 'held';
    /**
     * the status that a POST would have had
     */
    http: number;
    uri: string;
    version?: string;
    /**
     * where it stands on the wire
     */
    id?: string;
    action?: import('./common.js').Action;
    channels?: string[];
    /**
     * how many readers were connected to this node
     */
    readers?: number;
    durability?: 'replicated' | 'fsync' | 'second' | 'memory' | 'unknown';
    /**
     * it had been answered before; this is that answer
     */
    replayed?: boolean;
};
export type PublisherOptions = {
    /**
     * the publisher's; it is never part of an address
     */
    key: string;
    /**
     * where newswired is; in a page, the page's own server
     */
    url?: string | URL;
    /**
     * milliseconds until publish() gives up (60,000)
     */
    timeout?: number;
    /**
     * items that may wait for their answer (1,000)
     */
    limit?: number;
    /**
     * a WebSocket constructor, where there is no global one; null: only POST
     */
    WebSocket?: any;
    fetch?: typeof fetch;
    /**
     * in [0, 1); for tests
     */
    random?: () => number;
    /**
     * for tests
     */
    clock?: import('./common.js').Clock;
};
export type PublishOptions = {
    /**
     * besides those that the item says itself
     */
    channels?: string[];
    /**
     * 1-255 visible characters; one is made up if there is none
     */
    idempotencyKey?: string;
    /**
     * instead of the publisher's
     */
    timeout?: number;
    /**
     * gives up
     */
    signal?: AbortSignal;
};
export type PublisherEvents = {
    /**
     * `live`: the key is good, and items go out
     */
    status: Status;
    error: NewswireError;
};
export type Job = {
    ref: number;
    /**
     * of its message
     */
    text: string;
    /**
     * of it
     */
    bytes: number;
    /**
     * it was sent over the line that is there now, and has no answer yet
     */
    onLine: boolean;
    everSent: boolean;
    idempotencyKey: string;
    resolve: (receipt: Receipt) => void;
    reject: (error: unknown) => void;
    /**
     * its timer and its signal
     */
    forget: () => void;
};
/** Why an item has no receipt. */
export declare class PublishError extends NewswireError {
    /** Publishing the same again with this key is safe: it is taken at most once. */
    idempotencyKey: string | undefined;
    /** What is wrong with the item, where it is at fault: RFC 6901 pointers and sentences. */
    errors: {
        pointer: string;
        detail: string;
    }[];
    /**
     * @param {string} message
     * @param {{code?: string, status?: number, fatal?: boolean, cause?: unknown, idempotencyKey?: string,
     *          errors?: {pointer: string, detail: string}[]}} [more]
     */
    constructor(message: string, { idempotencyKey, errors, ...more }?: {
        code?: string;
        status?: number;
        fatal?: boolean;
        cause?: unknown;
        idempotencyKey?: string;
        errors?: {
            pointer: string;
            detail: string;
        }[];
    });
    /** It was sent and not answered: it may have been taken or not. */
    get unknown(): boolean;
}
/**
 * Always true: items are sent, and sent again, in the order of publish(); a promise is resolved by
 * the server's receipt and by nothing else.
 *
 * Events: `status` {@link Status}, `error` {@link NewswireError}.
 *
 * @extends {Emitter<PublisherEvents>}
 */
export declare class Publisher extends Emitter<PublisherEvents> {
    #private;
    /** Whose key it is, once that is known. @type {string|undefined} */
    publisher: string | undefined;
    /** What it may do, once that is known. @type {string[]|undefined} */
    may: string[] | undefined;
    /** @param {PublisherOptions} options */
    constructor(options: PublisherOptions);
    /** @returns {Status} */
    get status(): Status;
    /** How many items have no answer yet. */
    get waiting(): number;
    /**
     * Publishes one item: the promise is kept when the server says that it is durable.
     * @param {Record<string, any>} item ninjs of any generation
     * @param {PublishOptions} [options]
     * @returns {Promise<Receipt>}
     * @throws {PublishError}
     */
    publish(item: Record<string, any>, { channels, idempotencyKey, timeout, signal }?: PublishOptions): Promise<Receipt>;
    /** Resolves when there is room for one more item; at once, if there is. */
    room(): Promise<void>;
    /** Resolves when everything has been answered, one way or the other, and ends. */
    finish(): Promise<void>;
    /** Ends for good. What has no answer is rejected: `unknown` if it was sent, `closed` if not. */
    close(): void;
}
