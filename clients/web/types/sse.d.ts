/**
 * sse.js - the stream over Server-Sent Events, in the shape of a WebSocket that only listens.
 *
 * It reads with fetch() and not with an EventSource, which cannot say why it was refused, comes
 * back by its own rules, and does not exist in Node.
 *
 * @module newswire/sse
 */
export declare class EventStream {
    #private;
    /** @type {((event: {data: string}) => void)|null} */ onmessage: ((event: {
        data: string;
    }) => void) | null;
    /** @type {((event: {code: number, reason: string}) => void)|null} */ onclose: ((event: {
        code: number;
        reason: string;
    }) => void) | null;
    /**
     * @param {URL} url
     * @param {typeof fetch} get
     */
    constructor(url: URL, get: typeof fetch);
    close(): void;
}
