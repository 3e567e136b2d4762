/**
 * cursor.js - places in the stream, versions and times, and their orders.
 *
 * @module newswire/cursor
 */

const MAX_CURSOR = 64; /* characters, by the protocol */

/**
 * Orders two versions of one uri: as integers where both are, else as strings.
 * @param {unknown} a
 * @param {unknown} b
 * @returns {number} below 0, 0 or above 0
 */
export function compareVersions(a, b) {
	const left = String(a ?? '');
	const right = String(b ?? '');
	if (/^\d+$/.test(left) && /^\d+$/.test(right)) {
		const l = BigInt(left);
		const r = BigInt(right);
		return l < r ? -1 : l > r ? 1 : 0;
	}
	return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * Milliseconds since 1970 of a time as newsrooms write it (`Z`, `+00:00`, `+0000`), or NaN.
 * @param {unknown} text
 */
export function parseTime(text) {
	if (typeof text !== 'string')
		return NaN;
	return Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
}

/** @param {string|undefined} cursor */
const partsOf = (cursor) => /^([a-z0-9]{1,16}):(\d{1,20})-(\d{1,20})$/.exec(cursor ?? '');

/**
 * Orders two cursors of the same epoch.
 * @param {string|undefined} a
 * @param {string|undefined} b
 * @returns {number|null} null when they cannot be compared
 */
export function compareCursors(a, b) {
	const left = partsOf(a);
	const right = partsOf(b);
	if (!left || !right || left[1] !== right[1])
		return null;
	return compareVersions(left[2], right[2]) || compareVersions(left[3], right[3]);
}

/**
 * Are both places, and of different histories?
 * @param {string|undefined} a
 * @param {string|undefined} b
 */
export function isOtherEpoch(a, b) {
	const left = partsOf(a);
	const right = partsOf(b);
	return Boolean(left && right && left[1] !== right[1]);
}

/**
 * A cursor that a server gave, if it can be one.
 * @param {unknown} value
 * @returns {value is string}
 */
export function isCursor(value) {
	return typeof value === 'string' && value.length > 0 && value.length <= MAX_CURSOR;
}
