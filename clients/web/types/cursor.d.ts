/**
 * cursor.js - places in the stream, versions and times, and their orders.
 *
 * @module newswire/cursor
 */
/**
 * Orders two versions of one uri: as integers where both are, else as strings.
 * @param {unknown} a
 * @param {unknown} b
 * @returns {number} below 0, 0 or above 0
 */
export declare function compareVersions(a: unknown, b: unknown): number;
/**
 * Milliseconds since 1970 of a time as newsrooms write it (`Z`, `+00:00`, `+0000`), or NaN.
 * @param {unknown} text
 */
export declare function parseTime(text: unknown): number;
/**
 * Orders two cursors of the same epoch.
 * @param {string|undefined} a
 * @param {string|undefined} b
 * @returns {number|null} null when they cannot be compared
 */
export declare function compareCursors(a: string | undefined, b: string | undefined): number | null;
/**
 * Are both places, and of different histories?
 * @param {string|undefined} a
 * @param {string|undefined} b
 */
export declare function isOtherEpoch(a: string | undefined, b: string | undefined): boolean;
/**
 * A cursor that a server gave, if it can be one.
 * @param {unknown} value
 * @returns {value is string}
 */
export declare function isCursor(value: unknown): value is string;
