/**
 * outbox.js - what is to be sent, until it is known what became of it. Nothing in it is called sent before there is a receipt.
 *
 * Each entry is bytes and a name (Idempotency-Key) that never change, so that sending it again is safe: the server
 * answers the same name and bytes as the first time. Entries outlive a reload (the storage of the tab, without the key).
 */

/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {string} bytes
 * @property {string} publisher whose it is
 * @property {{uri: string, version: string, headline: string, deed: string}} about
 * @property {'sending'|'away'|'unknown'|'known'|'refused'|'unauthorized'|'stopped'} state
 * @property {boolean} doubt it may have been taken
 * @property {number} tries
 * @property {import('./server.js').Outcome|null} outcome
 */

const LONGEST_WAIT_MS = 8000;
const STORED = 'newsroom.outbox';

/** 128 bits that nobody else has; also where the page is not in a secure context. */
export function newName() {
	return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

const isOver = (/** @type {Entry} */ entry) => ['known', 'refused', 'stopped'].includes(entry.state);

/** Fires `change` with the entry as `detail`, whenever one becomes something else. */
export class Outbox extends EventTarget {
	/** @type {Map<string, Entry>} */ #entries = new Map();
	/** @type {Map<string, ReturnType<typeof setTimeout>>} */ #timers = new Map();
	/** @type {Set<string>} whose next answer is the last */ #last = new Set();
	#server;
	#publisher;
	#storage;
	#open = true;

	/**
	 * @param {{post: (bytes: string, name: string) => Promise<import('./server.js').Outcome>}} server
	 * @param {string} publisher
	 * @param {Storage} storage
	 */
	constructor(server, publisher, storage = sessionStorage) {
		super();
		this.#server = server;
		this.#publisher = publisher;
		this.#storage = storage;
	}

	get entries() { return [...this.#entries.values()]; }

	/** Goes on with what was not known when the page was left. */
	resume() {
		for (const entry of this.#stored())
			if (entry.publisher === this.#publisher && !this.#entries.has(entry.name)) {
				this.#entries.set(entry.name, { ...entry, state: 'sending', doubt: true, tries: 0, outcome: null });
				void this.#try(entry.name);
			}
	}

	/**
	 * @param {object} item
	 * @param {Entry['about']} about
	 * @returns {Entry}
	 */
	send(item, about) {
		const name = newName();
		/** @type {Entry} */ const entry = { name, bytes: JSON.stringify(item), publisher: this.#publisher, about, state: 'sending', doubt: false, tries: 0, outcome: null };
		this.#entries.set(name, entry);
		this.#store();
		void this.#try(name);
		return entry;
	}

	/** Tries at once what waits. @param {string} name */
	now(name) {
		const entry = this.#entries.get(name);
		if (entry && ['away', 'unknown'].includes(entry.state))
			void this.#try(name);
	}

	/** Tries it no more; a try that is under way is the last. @param {string} name */
	stop(name) {
		const entry = this.#entries.get(name);
		clearTimeout(this.#timers.get(name));
		if (entry && ['away', 'unknown', 'unauthorized'].includes(entry.state))
			this.#become(entry, 'stopped');
		else if (entry?.state === 'sending')
			this.#last.add(name);
	}

	/** Takes away what is over. @param {string} name */
	forget(name) {
		const entry = this.#entries.get(name);
		if (entry && isOver(entry))
			this.#entries.delete(name);
	}

	/** Nothing is sent any more; what is not known stays stored. */
	close() {
		this.#open = false;
		for (const timer of this.#timers.values())
			clearTimeout(timer);
	}

	/** @param {string} name */
	async #try(name) {
		const entry = this.#entries.get(name);
		if (!entry || !this.#open || isOver(entry) || (entry.state === 'sending' && entry.tries > 0))
			return;
		clearTimeout(this.#timers.get(name));
		entry.tries++;
		this.#become(entry, 'sending');
		const outcome = await this.#server.post(entry.bytes, name);
		if (!this.#open)
			return;
		entry.outcome = outcome;
		entry.doubt ||= outcome.what === 'unknown';
		/* What may have been taken is not called "not sent" because the store is away now. */
		const state = outcome.what === 'away' && entry.doubt ? 'unknown' : outcome.what;
		this.#become(entry, this.#last.delete(name) && (state === 'away' || state === 'unknown') ? 'stopped' : state);
		if (entry.state === 'away' || entry.state === 'unknown')
			this.#timers.set(name, setTimeout(() => this.#try(name), Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(entry.tries, 6)) * (0.5 + Math.random() / 2)));
	}

	/** @param {Entry} entry @param {Entry['state']} state */
	#become(entry, state) {
		entry.state = state;
		this.#store();
		this.dispatchEvent(new CustomEvent('change', { detail: entry }));
	}

	/** @returns {Entry[]} */
	#stored() {
		try {
			const entries = JSON.parse(this.#storage.getItem(STORED) ?? '[]');
			return Array.isArray(entries) ? entries.filter((entry) => typeof entry?.name === 'string' && typeof entry.bytes === 'string' && entry.about) : [];
		} catch {
			return [];
		}
	}

	#store() {
		const others = this.#stored().filter((entry) => entry.publisher !== this.#publisher);
		try {
			this.#storage.setItem(STORED, JSON.stringify([...others, ...this.entries.filter((entry) => !isOver(entry))]));
		} catch { /* full or forbidden: it is sent all the same */ }
	}
}
