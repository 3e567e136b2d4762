/**
 * sent.js - the list of what was sent: a line for each story, live, with what may be done to it.
 *
 * Lines are kept and changed in place, so that nobody loses a button under his finger. Headlines are asked for one by one, and set
 * as text: a story may be somebody else's.
 */
import { el } from '../story/draw.js';
import { ago, fullTime, numeral } from '../story/words.js';
import { deedsFor, joined, linesOf, stateOf } from './ledger.js';
import { isDrill } from './item.js';
import { inFull, now, span } from './times.js';

/** @typedef {import('./ledger.js').Line} Line */

export const COPY = 'newsroom.held.'; // in the tab's storage, with the uri: what was held back here, whose text is nowhere else
const SHOWN = 20;
const SOON_MS = 20_000;
const DEEDS = /** @type {const} */ ([['correct', 'Correct'], ['now', 'Release now'], ['release', 'Release'], ['hold', 'Hold'], ['kill', 'Kill']]);
/** @type {Record<string, string>} */
const DONE = { publish: 'published', update: 'published as an update', correct: 'corrected', release: 'released', kill: 'killed', hold: 'held back',
	held: 'put under embargo', stale: 'sent an older version, which changed nothing', also: 'sent to more channels', purge: 'purged',
	release_overtaken: 'its embargo ended, and a later version was out', release_bad_channel: 'its embargo ended, and it could not come out', release_bad_value: 'its embargo ended, and it could not come out' };

/** How many it reached, in words. @param {any} reach */
function reachOf(reach) {
	if (!reach)
		return '';
	const { readers = 0, ms, complete } = reach;
	return `${complete ? '' : 'so far '}${numeral(readers)} reader${readers === 1 ? '' : 's'}${Number.isFinite(ms) ? ` in ${numeral(ms)} ms` : ''}`;
}

/** Changes a text only where it is another one. @param {Element} node @param {string} said */
function set(node, said) {
	if (node.textContent !== said)
		node.textContent = said;
}

/** Fires `deed` with {deed, line, headline}. */
export class Sent extends EventTarget {
	/** @type {any[]} */ #entries = [];
	/** @type {Map<string, {stamp: string, headline: string, lang: string}>} */ #texts = new Map();
	/** @type {Map<string, HTMLElement>} */ #rows = new Map();
	#server;
	#key;
	#list;
	#older;
	#shown = SHOWN;
	#before = '';
	#asking = 0;
	drill = false;
	all = false;

	/** @param {import('./server.js').Server} server @param {import('./server.js').Key} key @param {{list: HTMLElement, older: HTMLElement}} parts */
	constructor(server, key, { list, older }) {
		super();
		this.#server = server;
		this.#key = key;
		this.#list = list;
		this.#older = older;
		list.replaceChildren();
		older.onclick = () => this.#more();
	}

	/** Forgets what was of another question. */
	reset() {
		this.#entries = [];
		this.#before = '';
		this.#shown = SHOWN;
		this.draw();
	}

	/** Asks anew. @returns {Promise<number>} the status of the answer; 0: none */
	async refresh() {
		const asked = this.all;
		const { status, body } = await this.#server.sent({ all: asked });
		if (status !== 200 || !Array.isArray(body?.entries) || asked !== this.all)
			return status;
		if (this.#entries.length === 0)
			this.#before = body.before ?? '';
		this.#entries = joined(body.entries, this.#entries);
		/* How a story stands is said anew with each answer. */
		const latest = new Map(body.entries.map((/** @type {any} */ entry) => [entry.uri, entry.story]).reverse());
		for (const entry of this.#entries)
			entry.story = latest.get(entry.uri) ?? entry.story;
		this.draw();
		return status;
	}

	/** Does something go on: a reach that grows, an embargo that is about to end? */
	isRestless() {
		const isNear = (/** @type {string} */ time) => Math.abs(Date.parse(time) - now().getTime()) < SOON_MS;
		return this.#lines().slice(0, this.#shown).some((line) => isNear(line.embargo) || (line.reach?.complete === false && isNear(line.entries[0].time)));
	}

	async #more() {
		this.#shown += SHOWN;
		if (this.#before && this.#lines().length < this.#shown) {
			const { status, body } = await this.#server.sent({ all: this.all, before: this.#before });
			if (status === 200 && Array.isArray(body?.entries)) {
				this.#entries = joined(this.#entries, body.entries);
				this.#before = body.before ?? '';
			}
		}
		this.draw();
	}

	#lines() {
		return linesOf(this.#entries).filter((line) => line.channels.some(isDrill) === this.drill);
	}

	draw() {
		const lines = this.#lines();
		const shown = lines.slice(0, this.#shown);
		const rows = shown.map((line) => this.#row(line));
		const inPlace = rows.length === this.#list.children.length && rows.every((row, i) => this.#list.children[i] === row);
		if (!inPlace) {
			const focused = /** @type {HTMLElement|null} */ (document.activeElement);
			this.#list.replaceChildren(...rows);
			if (focused && this.#list.contains(focused))
				focused.focus();
		}
		this.#older.hidden = lines.length <= this.#shown && !this.#before;
		for (const [uri, row] of this.#rows)
			if (!rows.includes(row))
				this.#rows.delete(uri);
		void this.#readTexts(shown);
	}

	/** Says times and countdowns as they are now. */
	tick() {
		for (const row of this.#rows.values())
			for (const node of row.querySelectorAll('[data-time]')) {
				const at = Date.parse(node.getAttribute('data-time') ?? '');
				const left = at - now().getTime();
				set(node, node.hasAttribute('data-until') ? (left > 0 ? `out in ${span(left)}` : 'due now') : ago(at, now().getTime()));
			}
	}

	/* -- one line ------------------------------------------------------------------------------ */

	/** @param {Line} line */
	#row(line) {
		let row = this.#rows.get(line.uri);
		if (!row) {
			const id = `sent-${this.#rows.size}-${Math.random().toString(36).slice(2)}`;
			row = /** @type {HTMLElement} */ (el('li', { class: 'line', 'data-uri': line.uri },
				el('div', { class: 'line-head' }, el('span', { class: 'state' }), el('strong', { class: 'line-headline', id, dir: 'auto' }, line.uri)),
				el('p', { class: 'line-facts' }),
				el('details', { class: 'history' }, el('summary', {}, 'History'), el('ol', {})),
				el('div', { class: 'line-deeds' }, ...DEEDS.map(([deed, said]) => el('button', { type: 'button', 'data-deed': deed, 'aria-describedby': id, hidden: true }, said)))));
			row.querySelector('.line-deeds')?.addEventListener('click', (event) => {
				const deed = /** @type {HTMLElement} */ (event.target).dataset.deed;
				const mine = linesOf(this.#entries).find((one) => one.uri === line.uri);
				if (deed && mine)
					this.dispatchEvent(new CustomEvent('deed', { detail: { deed, line: mine, headline: this.headlineOf(line.uri) } }));
			});
			this.#rows.set(line.uri, row);
		}
		this.#fill(row, line);
		return row;
	}

	/** @param {HTMLElement} row @param {Line} line */
	#fill(row, line) {
		const text = this.#texts.get(line.uri);
		const gone = ['canceled', 'purged'].includes(line.status);
		if (gone)
			this.#forget(line.uri);
		row.dataset.state = line.status || 'archived';
		set(/** @type {Element} */ (row.querySelector('.state')), stateOf(line));
		const headline = /** @type {HTMLElement} */ (row.querySelector('.line-headline'));
		set(headline, (!gone && text?.headline) || line.uri);
		headline.lang = text?.lang ?? '';
		this.#facts(/** @type {HTMLElement} */ (row.querySelector('.line-facts')), line);
		this.#history(/** @type {HTMLElement} */ (row.querySelector('.history')), line);
		const deeds = /** @type {Record<string, boolean>} */ (deedsFor(line, this.#key));
		for (const button of row.querySelectorAll('[data-deed]'))
			/** @type {HTMLElement} */ (button).hidden = !deeds[/** @type {HTMLElement} */ (button).dataset.deed ?? ''];
	}

	/** @param {HTMLElement} facts @param {Line} line */
	#facts(facts, line) {
		const [last] = line.entries;
		const others = [...new Set(line.entries.map((entry) => entry.who).filter((who) => who && who !== this.#key.publisher))];
		const said = [
			['', line.class && line.class !== 'regular' ? line.class : ''],
			['', line.channels.join(', ')],
			['', line.version || line.held ? `version ${line.version || line.held}` : ''],
			['who', line.owner && line.owner !== this.#key.publisher ? `of ${line.owner}` : ''],
			['who', others.length > 0 ? `touched by ${others.join(', ')}` : ''],
			['reach', reachOf(line.reach)],
		].filter(([, words]) => words);
		const stamp = JSON.stringify([said, line.embargo, last.time]);
		if (facts.dataset.stamp === stamp)
			return;
		facts.dataset.stamp = stamp;
		const time = Date.parse(last.time);
		facts.replaceChildren(...[
			!Number.isNaN(time) && el('time', { datetime: last.time, 'data-time': last.time, title: fullTime(time) }, ago(time, now().getTime())),
			...said.map(([name, words]) => el('span', { class: name || undefined }, words)),
			line.embargo && el('span', { class: 'countdown', 'data-time': line.embargo, 'data-until': true, title: inFull(new Date(line.embargo)) },
				`out in ${span(Date.parse(line.embargo) - now().getTime())}`),
		].filter(Boolean));
	}

	/** @param {HTMLElement} history @param {Line} line */
	#history(history, line) {
		const stamp = JSON.stringify(line.entries.map((entry) => [entry.id, entry.reach]));
		if (history.dataset.stamp === stamp)
			return;
		history.dataset.stamp = stamp;
		set(/** @type {Element} */ (history.querySelector('summary')), `History (${line.entries.length})`);
		history.querySelector('ol')?.replaceChildren(...line.entries.map((entry) => el('li', {},
			el('time', { datetime: entry.time }, entry.time ? new Intl.DateTimeFormat('en-GB', { dateStyle: 'short', timeStyle: 'medium' }).format(new Date(entry.time)) : ''),
			' ', el('b', {}, String(entry.who ?? '')), ` ${DONE[entry.what] ?? entry.what}${entry.version ? `, version ${entry.version}` : ''}`,
			entry.reach ? `: ${reachOf(entry.reach)}` : '')));
	}

	/** Nothing of a killed text stays. @param {string} uri */
	#forget(uri) {
		this.#texts.delete(uri);
		sessionStorage.removeItem(COPY + uri);
	}

	/* -- headlines ----------------------------------------------------------------------------- */

	/** @param {string} uri */
	headlineOf(uri) { return this.#texts.get(uri)?.headline || uri; }

	/** @param {Line[]} lines */
	async #readTexts(lines) {
		const round = ++this.#asking;
		for (const line of lines) {
			if (this.#asking !== round)
				return;
			const known = this.#texts.get(line.uri);
			if (known?.stamp === line.stamp || !['usable', 'held'].includes(line.status))
				continue;
			const answer = line.status === 'held' ? await this.#server.held(line.uri) : await this.#server.item(line.uri);
			if (answer.status !== 200)
				continue;
			const { item } = answer.body ?? {};
			const first = Array.isArray(item?.headlines) ? item.headlines.find((/** @type {any} */ h) => typeof h?.value === 'string') : null;
			const said = first ?? (Array.isArray(item?.descriptions) ? item.descriptions.find((/** @type {any} */ d) => typeof d?.value === 'string') : null);
			const headline = String(said?.value ?? '').replace(/\s+/g, ' ').slice(0, 240);
			const lang = /^[a-z]{2,3}(-[a-z0-9]{1,8})*$/i.test(item?.language) ? item.language : '';
			this.#texts.set(line.uri, { stamp: line.stamp, headline, lang });
			const row = this.#rows.get(line.uri);
			if (row)
				this.#fill(row, linesOf(this.#entries).find((one) => one.uri === line.uri) ?? line);
		}
	}
}
