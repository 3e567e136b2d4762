/**
 * link.js - a connection that comes back: dials, notices when it is dead, waits, dials again.
 *
 * It knows nothing of news. It speaks JSON messages over a way: something that makes a socket of
 * a WebSocket's shape (onmessage, onclose, close(), perhaps send()). There may be a second way,
 * for where the first does not get through.
 *
 * @module newswire/link
 */
import { NewswireError } from './common.js';
export type Clock = import('./common.js').Clock;
export type Status = import('./common.js').Status;
export type Way = {
    via: 'websocket' | 'sse' | 'post';
    /**
     * makes a socket; may throw
     */
    dial: () => any;
};
export type LinkOwner = {
    /**
     * the connection stands, and is live after this
     */
    hello: (message: any) => void;
    /**
     * any other message, but `bye`
     */
    hear: (message: any) => void;
    changed: (status: Status) => void;
    complain: (error: NewswireError) => void;
};
/**
 * Always true: a message reaches the owner only from the socket that is the link's now, after
 * that socket's hello; nothing that a server sends makes it throw, or dial without a wait.
 */
export declare class Link {
    #private;
    /**
     * @param {Way[]} ways the best first, at most two
     * @param {LinkOwner} owner
     * @param {{fatal: number[], clock?: Clock, random?: () => number}} options
     *        `fatal`: close codes after which there is no coming back
     */
    constructor(ways: Way[], owner: LinkOwner, { fatal, clock, random }: {
        fatal: number[];
        clock?: Clock;
        random?: () => number;
    });
    get status(): import("./common.js").Status;
    /** Milliseconds between two signs of life; 0: there are none, or not known yet. */
    get tickMs(): number;
    /** Begins. */
    open(): void;
    /** Ends for good. */
    close(): void;
    /** Begins anew at once: what it asks for has changed. */
    redial(): void;
    /**
     * @param {object} message
     * @returns {boolean} whether it is on its way; over some ways nothing can be said
     */
    send(message: object): boolean;
    /**
     * @param {string} text of a message
     * @returns {boolean} as of send()
     */
    sendText(text: string): boolean;
    /** Somebody looks, or something woke up: is it still alive? Does not wait for the next attempt. */
    check(): void;
    /** The network is back. */
    online(): void;
    /** The network is gone. Some systems say so and mean only the Internet, so attempts go on. */
    offline(): void;
    /** Lets go of everything until wake(). */
    sleep(): void;
    /** The end of sleep(). */
    wake(): void;
}
