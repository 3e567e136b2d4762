export declare class PostLine {
    #private;
    /** @type {((event: {data: string}) => void)|null} */ onmessage: ((event: {
        data: string;
    }) => void) | null;
    /** @type {((event: {code: number, reason: string}) => void)|null} */ onclose: ((event: {
        code: number;
        reason: string;
    }) => void) | null;
    /** @param {import('./common.js').Link} options */
    constructor(options: import('./common.js').Link);
    /** @param {string} text */
    send(text: string): void;
    close(): void;
}
