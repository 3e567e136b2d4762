/**
 * drafts.js - what was typed, kept by the browser: it survives a reload, a crash of the tab, and signing out by mistake.
 *
 * A tab has one draft, in its own storage; a copy for a tab that dies lies in that of the site, and is offered to
 * the next. Never a key. What is sent, or thrown away, is forgotten in both.
 */
const MINE = 'newsroom.draft';
const COPIES = 'newsroom.draft.';
const OLDEST_MS = 7 * 86_400_000;

/** @typedef {{values: import('./item.js').Values, base: import('./item.js').Base, publisher: string, saved: number, drill: boolean}} Draft */

/** @param {string|null} text @returns {Draft|null} */
function read(text) {
	try {
		const draft = JSON.parse(text ?? '');
		return draft?.values && typeof draft.base?.uri === 'string' && typeof draft.saved === 'number' ? draft : null;
	} catch {
		return null;
	}
}

export class Drafts {
	#id;
	#newName;

	/** @param {() => string} newName */
	constructor(newName) {
		this.#newName = newName;
		this.#id = sessionStorage.getItem('newsroom.tab') ?? newName();
		sessionStorage.setItem('newsroom.tab', this.#id);
	}

	/** Is it kept? @param {Draft} draft */
	save(draft) {
		const text = JSON.stringify(draft);
		let kept = false;
		for (const [storage, name] of /** @type {[Storage, string][]} */ ([[sessionStorage, MINE], [localStorage, COPIES + this.#id]]))
			try {
				storage.setItem(name, text);
				kept = true;
			} catch { /* full or forbidden: the other may do */ }
		return kept;
	}

	forget() {
		sessionStorage.removeItem(MINE);
		localStorage.removeItem(COPIES + this.#id);
	}

	/** Leaves what this tab has for its publisher's next tab: somebody else sits down. */
	leave() {
		sessionStorage.removeItem(MINE);
		this.#id = this.#newName();
		sessionStorage.setItem('newsroom.tab', this.#id);
	}

	/** This tab's own. */
	mine() { return read(sessionStorage.getItem(MINE)); }

	/** The newest that another tab of this publisher left behind: {name, draft}, or null. @param {string} publisher */
	orphan(publisher) {
		let newest = null;
		for (let i = localStorage.length - 1; i >= 0; i--) {
			const name = localStorage.key(i) ?? '';
			if (!name.startsWith(COPIES) || name === COPIES + this.#id)
				continue;
			const draft = read(localStorage.getItem(name));
			if (!draft || Date.now() - draft.saved > OLDEST_MS)
				localStorage.removeItem(name);
			else if (draft.publisher === publisher && (!newest || draft.saved > newest.draft.saved))
				newest = { name, draft };
		}
		return newest;
	}

	/** @param {string} name */
	forgetOrphan(name) { localStorage.removeItem(name); }
}
