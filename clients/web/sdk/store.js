/**
 * store.js - the stories a reader sees, kept right whatever order the news of them comes in.
 *
 * @module newswire/store
 */
import { Emitter, WireEvent } from './common.js';
import { compareCursors, compareVersions, parseTime } from './cursor.js';

/** @typedef {import('./common.js').Post} Post */
/** @typedef {import('./common.js').Feed} Feed */

/**
 * What the store knows of one uri.
 * @typedef {object} Entry
 * @property {string} uri
 * @property {'shown'|'withheld'|'killed'|'removed'} state
 * @property {string} version
 * @property {Post|null} post the latest version; null unless `shown`
 * @property {string|undefined} notice why it was withdrawn or withheld
 * @property {boolean} listed it is, or stands for, a story that a reader has seen
 * @property {number} place higher is newer
 * @property {string|undefined} at the cursor at which this was so
 * @property {boolean} doubtful a gap may have swallowed what became of it
 * @property {boolean} ahead it came before its turn: until then it stands above all others
 */

/** @typedef {'added'|'changed'|'killed'|'withheld'|'released'|'removed'} Change */

/**
 * @typedef {object} StoreEvents
 * @property {{entry: Entry, change: Change}} change one story
 * @property {{added: Entry[], updated: Entry[], older: boolean}} fill a page of the feed
 */

const ABOVE_ALL = 2 ** 40; /* more places than a page will ever give */

/**
 * The stories a reader sees, newest first: `for (const entry of store)`.
 *
 * Takes posts in whatever order they come, from stream and feed alike, and always shows the
 * same: a double or a late older version changes nothing, and what was killed never returns.
 * What came ahead is on top at once, and takes its place when it comes in its turn.
 *
 * Events: `change` {entry, change: 'added'|'changed'|'killed'|'withheld'|'released'|'removed'};
 * `fill` {added: Entry[], updated: Entry[], older: boolean} once per page of the feed.
 *
 * @extends {Emitter<StoreEvents>}
 */
export class Store extends Emitter {
	/** @type {Map<string, Entry>} */ #entries = new Map();
	#top = 0;
	#bottom = 0;

	/** @returns {IterableIterator<Entry>} */
	[Symbol.iterator]() {
		const listed = [...this.#entries.values()].filter((entry) => entry.listed);
		return listed.sort((a, b) => b.place - a.place).values();
	}

	/** How many entries are listed. */
	get size() {
		return [...this].length;
	}

	/**
	 * @param {string} uri
	 * @returns {Entry|undefined} also of what is not listed
	 */
	get(uri) {
		return this.#entries.get(uri);
	}

	/**
	 * Takes in one post of the stream.
	 * @param {Post} post
	 * @returns {boolean} whether it changed anything
	 */
	apply(post) {
		const known = this.#entries.get(uriOf(post));
		const before = known?.state;
		if (known?.ahead && !post.ahead) {
			known.ahead = false;
			known.place = ++this.#top;
		}
		const entry = this.#take(post, post.cursor, () => ++this.#top + (post.ahead ? ABOVE_ALL : 0));
		if (!entry)
			return false;
		const names = { killed: 'killed', withheld: 'withheld', removed: 'removed', shown: 'changed' };
		let change = names[entry.state];
		if (entry.state === 'shown' && before !== 'shown')
			change = before === 'withheld' && entry.listed ? 'released' : 'added';
		this.dispatchEvent(new WireEvent('change', { entry, change }));
		return true;
	}

	/**
	 * Takes in a page of the feed: an older one goes below what is there. Any other is the
	 * state of things as of its cursor: its order counts, and what doubt() marked and the page
	 * does not confirm is dropped.
	 * @param {Feed} feed
	 * @param {{older?: boolean}} [options]
	 * @returns {Entry[]} those that were not listed before
	 */
	fill(feed, { older = false } = {}) {
		const known = new Set([...this].map((entry) => entry.uri));
		/** @type {Entry[]} */ const added = [];
		/** @type {Entry[]} */ const updated = [];
		for (const post of feed.items) {
			const entry = this.#take(post, feed.cursor, () => --this.#bottom);
			if (entry)
				(known.has(entry.uri) ? updated : added).push(entry);
			const now = this.#entries.get(uriOf(post));
			if (now)
				now.doubtful = false;
		}
		if (!older) {
			for (const entry of [...this.#entries.values()])
				if (entry.doubtful)
					this.#entries.delete(entry.uri);
			this.#arrange(feed, added);
		}
		this.dispatchEvent(new WireEvent('fill', { added, updated, older }));
		return added;
	}

	/** Marks everything: until the next fill() nobody knows what became of it. */
	doubt() {
		for (const entry of this.#entries.values())
			entry.doubtful = entry.state !== 'killed';
	}

	/**
	 * Forgets the oldest stories beyond `keep`, and the oldest of what is no longer listed
	 * beyond ten times that.
	 * @param {number} keep
	 * @returns {number} how many listed ones went
	 */
	trim(keep) {
		const surplus = [...this].slice(keep);
		for (const entry of surplus)
			if (entry.state === 'killed')
				entry.listed = false;
			else
				this.#entries.delete(entry.uri);
		const unlisted = [...this.#entries.values()].filter((entry) => !entry.listed);
		for (const entry of unlisted.slice(0, Math.max(0, unlisted.length - 10 * keep)))
			this.#entries.delete(entry.uri);
		return surplus.length;
	}

	/**
	 * @param {Post} post
	 * @param {string|undefined} at the cursor as of which this is so
	 * @param {() => number} newPlace
	 * @returns {Entry|null} null when it says nothing new
	 */
	#take(post, at, newPlace) {
		const uri = uriOf(post);
		const known = this.#entries.get(uri);
		if (!uri || (known && !supersedes(post, at, known)))
			return null;

		const state = stateAfter(post);
		if (state === 'shown' && !post.item)
			return null; /* an action of tomorrow */
		const entry = {
			uri, state, at,
			version: versionOf(post),
			post: state === 'shown' ? post : null,
			notice: post.notice,
			/* A withdrawal is of interest only to those who saw the story. */
			listed: state === 'shown' || (state !== 'removed' && Boolean(known?.listed)),
			place: known && known.state !== 'removed' ? known.place : newPlace(),
			doubtful: false,
			ahead: known ? known.ahead : Boolean(post.ahead),
		};
		this.#entries.set(uri, entry);
		return entry;
	}

	/**
	 * Puts what a page of the feed brought where the page has it: each below its neighbour
	 * above, the first below all that is newer than the page.
	 * @param {Feed} feed
	 * @param {Entry[]} added
	 */
	#arrange(feed, added) {
		const order = [...this].filter((entry) => !added.includes(entry));
		const newer = (/** @type {Entry} */ entry) => (compareCursors(entry.at, feed.cursor) ?? 0) > 0;
		let next = order.findIndex((entry) => !newer(entry));
		if (next < 0)
			next = order.length;
		for (const post of feed.items) {
			const entry = this.#entries.get(uriOf(post));
			const at = entry ? order.indexOf(entry) : -1;
			if (at >= 0)
				next = at + 1;
			else if (entry && added.includes(entry))
				order.splice(next++, 0, entry);
		}
		for (const entry of order.reverse()) {
			entry.place = ++this.#top;
			entry.ahead = false;
		}
	}
}

/** @param {Post} post */
function uriOf(post) {
	return String(post.uri ?? post.item?.uri ?? '');
}

/** @param {Post} post */
function versionOf(post) {
	return String(post.version ?? post.item?.version ?? '');
}

/**
 * @param {Post} post
 * @returns {Entry['state']}
 */
function stateAfter(post) {
	switch (post.action) {
	case 'kill': return 'killed';
	case 'hold': return 'withheld';
	case 'remove': return 'removed';
	default: return 'shown';
	}
}

/**
 * Is this post news about an entry?
 * @param {Post} post
 * @param {string|undefined} at
 * @param {Entry} entry
 */
function supersedes(post, at, entry) {
	if (entry.state === 'killed')
		return false;
	if (post.action === 'kill')
		return true;
	const later = compareCursors(at, entry.at);
	if (later !== null && later <= 0)
		return false;
	const order = compareVersions(versionOf(post), entry.version);
	if (order !== 0)
		return order > 0;
	if (post.action === 'hold' || post.action === 'remove')
		return entry.state !== stateAfter(post);
	if (entry.state === 'shown')
		return parseTime(post.item?.versionCreated) > parseTime(entry.post?.item?.versionCreated);
	/* Withheld or removed: the same version returns only if it is known to be later. */
	return later !== null || entry.doubtful || post.action === 'release';
}

