/**
 * surroundings.js - what a browser says of the network, of the page and of sleep. In Node: nothing.
 *
 * @module newswire/surroundings
 */
export type Watcher = {
    online: () => void;
    offline: () => void;
    /**
     * somebody looks at the page again
     */
    check: () => void;
    /**
     * the page will not run until wake(), or never again
     */
    sleep: () => void;
    wake: () => void;
};
/**
 * @typedef {object} Watcher
 * @property {() => void} online
 * @property {() => void} offline
 * @property {() => void} check somebody looks at the page again
 * @property {() => void} sleep the page will not run until wake(), or never again
 * @property {() => void} wake
 */
/**
 * @param {Watcher} watcher
 * @returns {() => void} ends it
 */
export declare function watchSurroundings(watcher: Watcher): () => void;
