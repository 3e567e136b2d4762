/**
 * times.js - embargoes as people say them: in the zone of this desk, spelled out, by the server's clock.
 */
const UNITS = [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]];

/** How far the server's clock is ahead of this machine's, in ms. */
let ahead = 0;

/** @param {string} said the server's time, just now */
export function heardTime(said) {
	const time = Date.parse(said);
	if (!Number.isNaN(time))
		ahead = time - Date.now();
}

/** Now, by the server's clock. */
export const now = () => new Date(Date.now() + ahead);

/** "2 h 5 min", "41 s": the two largest units. @param {number} ms */
export function span(ms) {
	let left = Math.max(0, Math.ceil(ms / 1000));
	const parts = [];
	for (const [unit, size] of /** @type {[string, number][]} */ (UNITS)) {
		if (left >= size || (parts.length === 0 && unit === 's'))
			parts.push(`${Math.floor(left / size)} ${unit}`);
		left %= size;
	}
	return parts.slice(0, 2).join(' ');
}

/** The zone of this desk, as people know it: "Europe/Stockholm (GMT+1)". @param {Date} at */
function zoneAt(at) {
	const offset = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'shortOffset' }).formatToParts(at).find((part) => part.type === 'timeZoneName')?.value;
	return `${new Intl.DateTimeFormat().resolvedOptions().timeZone} (${offset})`;
}

/** A moment in full: "Sat 10 Jan 2026, 19:00, Europe/Stockholm (GMT+1), which is 18:00 UTC". @param {Date} at */
export function inFull(at) {
	const local = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' }).format(at);
	const utc = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' }).format(at);
	return `${local}, ${zoneAt(at)}, which is ${utc} UTC`;
}

/** What an <input type="datetime-local"> wants. @param {string} time RFC 3339 */
export function toLocal(time) {
	const at = new Date(time);
	return Number.isNaN(at.getTime()) ? '' : new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** @param {string} local of such an input @returns {string} RFC 3339, or '' */
export function fromLocal(local) {
	const at = new Date(local);
	return Number.isNaN(at.getTime()) ? '' : at.toISOString();
}
