/**
 * channels.js - where a story goes: several channels, each with how many read it now; none that the key may not send to.
 */
import { el } from '../story/draw.js';
import { numeral } from '../story/words.js';
import { DRILL, isDrill, isPlain, maySend } from './item.js';

const SUGGESTED = 12;

export class Channels {
	#list;
	#input;
	#names;
	#changed;
	#complain;
	/** @type {string[]} */ #patterns = [];
	/** @type {Map<string, number>} */ #counts = new Map();
	/** @type {Set<string>} */ #chosen = new Set();
	/** @type {Set<string>} shown once, shown until the mode changes */ #shown = new Set();
	#drill = false;

	/** @param {{list: HTMLElement, input: HTMLInputElement, add: HTMLElement, names: HTMLElement, changed: () => void, complain: (fault: string) => void}} parts */
	constructor({ list, input, add, names, changed, complain }) {
		this.#list = list;
		this.#input = input;
		this.#names = names;
		this.#changed = changed;
		this.#complain = complain;
		list.addEventListener('click', (event) => {
			const chip = /** @type {Element} */ (event.target).closest('button');
			if (chip)
				this.#toggle(chip.dataset.channel ?? '');
		});
		add.addEventListener('click', () => this.#add());
		input.addEventListener('keydown', (event) => {
			if ((event.key === 'Enter' && !event.ctrlKey && !event.metaKey) || event.key === ',') {
				event.preventDefault();
				this.#add();
			}
		});
	}

	get chosen() { return [...this.#chosen].sort(); }
	set chosen(names) {
		this.#chosen = new Set(names);
		this.#draw();
	}

	/** What the key may, and whether it is a drill. @param {string[]} patterns @param {boolean} drill */
	allow(patterns, drill) {
		this.#patterns = patterns;
		this.#drill = drill;
		this.#shown.clear();
		this.#draw();
	}

	/** Who reads what now. @param {Map<string, number>} counts */
	count(counts) {
		this.#counts = counts;
		this.#draw();
	}

	/**
	 * How many readers would be sent it. Who reads two of the channels is counted in both: then it is "up to".
	 * @param {string} kind its class
	 */
	audience(kind) {
		const channels = this.#drill ? this.chosen : [...this.chosen, 'feed:all', `class:${kind}`];
		const counts = channels.map((channel) => this.#counts.get(channel) ?? 0).filter((count) => count > 0);
		const sum = counts.reduce((a, b) => a + b, 0);
		return `${counts.length > 1 ? 'up to ' : ''}${numeral(sum)} reader${sum === 1 ? '' : 's'}`;
	}

	/** Why a name cannot be chosen, or ''. @param {string} name */
	fault(name) {
		if (!isPlain(name))
			return `“${name}” is no channel’s name: small letters, digits, . _ -`;
		if (this.#drill !== isDrill(name))
			return this.#drill ? 'In exercise mode only exercise channels can be chosen.' : `“${name}” is for exercises: switch exercise mode on.`;
		return maySend(this.#patterns, name) ? '' : `Your key may not send to ${name}.`;
	}

	#add() {
		const name = this.#input.value.trim().toLowerCase();
		if (!name)
			return;
		const fault = this.fault(name);
		this.#complain(fault);
		if (fault)
			return;
		this.#input.value = '';
		this.#chosen.add(name);
		this.#draw();
		this.#changed();
	}

	/** @param {string} name */
	#toggle(name) {
		if (!this.#chosen.delete(name))
			this.#chosen.add(name);
		this.#complain('');
		this.#draw();
		this.#changed();
	}

	/** @returns {string[]} */
	#known() {
		const fits = (/** @type {string} */ name) => isPlain(name) && isDrill(name) === this.#drill && maySend(this.#patterns, name);
		const named = this.#patterns.filter((pattern) => !pattern.includes('*'));
		const read = [...this.#counts].filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]).map(([name]) => name);
		for (const name of [...named, ...(this.#drill ? [DRILL] : []), ...read].filter(fits))
			if (this.#shown.size < SUGGESTED)
				this.#shown.add(name);
		return [...new Set([...this.#shown, ...this.#chosen])].sort();
	}

	/** @param {string} name */
	#chip(name) {
		return el('button', { type: 'button', class: 'chip', 'data-channel': name, 'aria-pressed': 'false' },
			el('span', {}, name), ' ', el('span', { class: 'count' }), el('span', { class: 'unseen' }, ' readers'));
	}

	#draw() {
		const known = this.#known();
		const chips = new Map([...this.#list.querySelectorAll('button')].map((chip) => [chip.dataset.channel, chip]));
		const wanted = known.map((name) => chips.get(name) ?? this.#chip(name));
		/* A chip that has the keyboard stays in its place. */
		if (wanted.length !== this.#list.children.length || wanted.some((chip, i) => this.#list.children[i] !== chip)) {
			const focused = document.activeElement;
			this.#list.replaceChildren(...wanted);
			if (focused instanceof HTMLElement && this.#list.contains(focused))
				focused.focus();
		}
		for (const chip of wanted) {
			const name = chip.dataset.channel ?? '';
			chip.setAttribute('aria-pressed', String(this.#chosen.has(name)));
			const count = chip.querySelector('.count');
			const said = numeral(this.#counts.get(name) ?? 0);
			if (count && count.textContent !== said)
				count.textContent = said;
		}
		const more = [...this.#counts.keys()].filter((name) => !known.includes(name) && this.fault(name) === '');
		this.#names.replaceChildren(...more.slice(0, 50).map((name) => el('option', { value: name })));
	}
}
