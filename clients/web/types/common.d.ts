/**
 * common.js - the words that the modules of this SDK share: subscriptions, posts, status, events, errors.
 *
 * @module newswire/common
 */
export type Subscription = {
    /**
     * any of these; none means everything public
     */
    channels?: string[];
    /**
     * flash, bulletin, urgent, regular, deferred
     */
    class?: string[];
    /**
     * languages, as in the items
     */
    lang?: string[];
    /**
     * text, picture, video …
     */
    types?: string[];
    /**
     * how much of each item is sent
     */
    view?: 'full' | 'brief';
    /**
     * also be told how many read these channels
     */
    readers?: boolean;
};
export type Action = 'publish' | 'update' | 'correct' | 'release' | 'kill' | 'hold' | 'remove';
export type Post = {
    type: 'post';
    /**
     * where it stands in the stream; absent in the feed, and if it came ahead
     */
    cursor?: string;
    /**
     * it came before its turn, and comes again in its turn
     */
    ahead?: boolean;
    action: Action;
    class?: string;
    channels?: string[];
    /**
     * ninjs 3.1
     */
    item?: Record<string, any>;
    uri?: string;
    version?: string;
    notice?: string;
};
export type Gap = {
    type: 'gap';
    cursor: string;
};
export type Feed = {
    /**
     * newest first
     */
    items: Post[];
    /**
     * pass it as `since` to go on with nothing missing and nothing twice
     */
    cursor: string;
    /**
     * pass it to fetchFeed() for the next older page; absent on the last
     */
    before?: string;
};
export type Link = {
    /**
     * where newswired is; in a page, the page's own server
     */
    url?: string | URL;
    /**
     * while the link is too slow for all of it, flashes come before their turn
     */
    ahead?: boolean;
    /**
     * false: a connection of its own, also where all tabs could share one
     */
    share?: boolean;
    /**
     * a WebSocket constructor, where there is no global one; null: never use one
     */
    WebSocket?: any;
    /**
     * false: never Server-Sent Events where WebSocket does not get through
     */
    sse?: boolean;
    fetch?: typeof fetch;
    /**
     * in [0, 1); for tests
     */
    random?: () => number;
    /**
     * for tests
     */
    clock?: Clock;
    /**
     * for tests, instead of navigator.locks
     */
    locks?: any;
    /**
     * for tests
     */
    BroadcastChannel?: any;
};
export type Clock = {
    /**
     * milliseconds, never going back
     */
    now: () => number;
    /**
     * milliseconds since 1970: it goes on while a laptop sleeps
     */
    wall?: () => number;
    setTimeout: (run: () => void, ms: number) => any;
    clearTimeout: (timer: any) => void;
};
export type Status = {
    state: 'idle' | 'connecting' | 'live' | 'waiting' | 'closed';
    /**
     * when the server was last heard
     */
    heard: Date | null;
    /**
     * how it is reached, while connecting or live
     */
    via?: 'websocket' | 'sse' | 'post';
    /**
     * among the tabs that share a connection
     */
    role?: 'leads' | 'follows';
    /**
     * milliseconds until the next attempt, while `waiting`
     */
    retry?: number;
    /**
     * WebSocket close code, where there was one
     */
    code?: number;
    /**
     * `silent`, `offline`, `asleep`, or what the server said
     */
    reason?: string;
};
export type TypedEvents<Events extends Record<string, any>> = {
    addEventListener: <K extends keyof Events & string>(type: K, listener: ((event: WireEvent<Events[K]>) => void) | null, options?: boolean | AddEventListenerOptions) => void;
    removeEventListener: <K extends keyof Events & string>(type: K, listener: ((event: WireEvent<Events[K]>) => void) | null, options?: boolean | EventListenerOptions) => void;
    dispatchEvent: (event: Event) => boolean;
};
/**
 * What a reader wants: channels (any of them), narrowed by the rest.
 * @typedef {object} Subscription
 * @property {string[]} [channels] any of these; none means everything public
 * @property {string[]} [class] flash, bulletin, urgent, regular, deferred
 * @property {string[]} [lang] languages, as in the items
 * @property {string[]} [types] text, picture, video …
 * @property {'full'|'brief'} [view] how much of each item is sent
 * @property {boolean} [readers] also be told how many read these channels
 */
/**
 * What a post does.
 * @typedef {'publish'|'update'|'correct'|'release'|'kill'|'hold'|'remove'} Action
 */
/**
 * One version of an item, or what became of it. Of `kill`, `hold` and `remove` there is only
 * `uri`, `version` and perhaps `notice`; never any text of the item.
 * @typedef {object} Post
 * @property {'post'} type
 * @property {string} [cursor] where it stands in the stream; absent in the feed, and if it came ahead
 * @property {boolean} [ahead] it came before its turn, and comes again in its turn
 * @property {Action} action
 * @property {string} [class]
 * @property {string[]} [channels]
 * @property {Record<string, any>} [item] ninjs 3.1
 * @property {string} [uri]
 * @property {string} [version]
 * @property {string} [notice]
 */
/**
 * History is gone: fetch the feed again, and go on from `cursor`.
 * @typedef {{type: 'gap', cursor: string}} Gap
 */
/**
 * @typedef {object} Feed
 * @property {Post[]} items newest first
 * @property {string} cursor pass it as `since` to go on with nothing missing and nothing twice
 * @property {string} [before] pass it to fetchFeed() for the next older page; absent on the last
 */
/**
 * How to get there.
 * @typedef {object} Link
 * @property {string|URL} [url] where newswired is; in a page, the page's own server
 * @property {boolean} [ahead] while the link is too slow for all of it, flashes come before their turn
 * @property {boolean} [share] false: a connection of its own, also where all tabs could share one
 * @property {any} [WebSocket] a WebSocket constructor, where there is no global one; null: never use one
 * @property {boolean} [sse] false: never Server-Sent Events where WebSocket does not get through
 * @property {typeof fetch} [fetch]
 * @property {() => number} [random] in [0, 1); for tests
 * @property {Clock} [clock] for tests
 * @property {any} [locks] for tests, instead of navigator.locks
 * @property {any} [BroadcastChannel] for tests
 */
/**
 * @typedef {object} Clock
 * @property {() => number} now milliseconds, never going back
 * @property {() => number} [wall] milliseconds since 1970: it goes on while a laptop sleeps
 * @property {(run: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */
/**
 * How things stand.
 * @typedef {object} Status
 * @property {'idle'|'connecting'|'live'|'waiting'|'closed'} state
 * @property {Date|null} heard when the server was last heard
 * @property {'websocket'|'sse'|'post'} [via] how it is reached, while connecting or live
 * @property {'leads'|'follows'} [role] among the tabs that share a connection
 * @property {number} [retry] milliseconds until the next attempt, while `waiting`
 * @property {number} [code] WebSocket close code, where there was one
 * @property {string} [reason] `silent`, `offline`, `asleep`, or what the server said
 */
/**
 * An EventTarget that knows the types of its events.
 * @template {Record<string, any>} Events name of each to its detail
 * @typedef {object} TypedEvents
 * @property {<K extends keyof Events & string>(type: K, listener: ((event: WireEvent<Events[K]>) => void) | null, options?: boolean | AddEventListenerOptions) => void} addEventListener
 * @property {<K extends keyof Events & string>(type: K, listener: ((event: WireEvent<Events[K]>) => void) | null, options?: boolean | EventListenerOptions) => void} removeEventListener
 * @property {(event: Event) => boolean} dispatchEvent
 */
/** @type {new <Events extends Record<string, any>>() => TypedEvents<Events>} */
export declare const Emitter: new <Events extends Record<string, any>>() => TypedEvents<Events>;
/**
 * An event with a `detail`, which Node 18 has no class for.
 * @template T
 */
export declare class WireEvent<T> extends Event {
    detail: T;
    /**
     * @param {string} type
     * @param {T} detail
     */
    constructor(type: string, detail: T);
}
/**
 * What the server (or the way to it) said no to. `message` is for people, `code` for programs:
 * docs/sdk.md has them all.
 */
export declare class NewswireError extends Error {
    code: string;
    status: number;
    fatal: boolean;
    /**
     * @param {string} message
     * @param {{code?: string, status?: number, fatal?: boolean, cause?: unknown}} [more]
     *        `fatal`: asking again for the same thing cannot help
     */
    constructor(message: string, { code, status, fatal, cause }?: {
        code?: string;
        status?: number;
        fatal?: boolean;
        cause?: unknown;
    });
}
