/**
 * ledger.js - from the server's trail to one line for each story: how it stands, whom it reached, who did what. No DOM.
 */

/**
 * @typedef {object} Line
 * @property {string} uri
 * @property {string} status usable, withheld, canceled, purged, held, or '': nothing is kept of it
 * @property {string} version the public one, or ''
 * @property {string} owner
 * @property {string} held the version under embargo, or ''
 * @property {string} embargo when that one comes out
 * @property {string[]} channels plain ones
 * @property {string} class
 * @property {string} stamp changes whenever its text may have changed
 * @property {any} reach of the newest post, or null
 * @property {any[]} entries newest first
 */

const text = (/** @type {unknown} */ value) => (typeof value === 'string' ? value : '');

/**
 * @param {any[]} entries newest first
 * @returns {Line[]} the story that was touched last comes first
 */
export function linesOf(entries) {
	/** @type {Map<string, Line>} */ const lines = new Map();
	for (const entry of Array.isArray(entries) ? entries : []) {
		const uri = text(entry?.uri);
		const { story = {} } = entry ?? {};
		if (!uri)
			continue;
		const line = lines.get(uri) ?? { uri, status: text(story.status), version: text(story.version), owner: text(story.owner), held: text(story.held),
			embargo: text(story.embargo), channels: [], class: '', stamp: [story.status, story.version, story.held, entry.wire ?? entry.id].join(' '),
			reach: null, entries: [] };
		line.entries.push(entry);
		line.reach ??= entry.reach ?? null;
		const channels = (Array.isArray(entry.channels) ? entry.channels : []).filter((/** @type {unknown} */ c) => typeof c === 'string');
		if (line.channels.length === 0 && entry.what !== 'stale')
			line.channels = channels.filter((/** @type {string} */ channel) => !channel.includes(':'));
		line.class ||= text(channels.find((/** @type {string} */ channel) => channel.startsWith('class:'))).slice('class:'.length);
		lines.set(uri, line);
	}
	return [...lines.values()];
}

/** Newer entries before those that are known, each once. @param {any[]} fresh @param {any[]} known */
export function joined(fresh, known) {
	const ids = new Set(fresh.map((entry) => entry.id));
	return [...fresh, ...known.filter((entry) => !ids.has(entry.id))];
}

/**
 * What may be done to a story, with this key.
 * @param {Line} line
 * @param {{publisher: string, may: string[]}} key
 */
export function deedsFor(line, { publisher, may }) {
	const mine = line.owner === publisher || may.includes('all');
	const lives = mine && ['usable', 'withheld', 'held'].includes(line.status);
	const correct = lives && may.includes('correct');
	return {
		correct: correct && line.status !== 'withheld',
		release: correct && line.status === 'withheld',
		now: correct && line.held !== '',
		hold: lives && may.includes('kill') && line.status === 'usable',
		kill: lives && may.includes('kill'),
	};
}

/** Where a line stands, in words. @param {Line} line */
export function stateOf({ status, held }) {
	const words = { usable: held ? 'out, next under embargo' : 'out', withheld: 'held back', canceled: 'killed', purged: 'purged', held: 'under embargo' };
	return /** @type {Record<string, string>} */ (words)[status] ?? 'archived';
}
