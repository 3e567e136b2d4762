/**
 * form.js - the fields of a story: what stands in them, what is wrong with them, and where that is said.
 */
import { el } from '../story/draw.js';
import { directionOf } from '../story/words.js';
import { Channels } from './channels.js';
import { Editor } from './editor.js';
import { CLASSES } from './item.js';
import { fromLocal, inFull, now, span, toLocal } from './times.js';

/** @typedef {import('./item.js').Values} Values */
/** @typedef {'none'|'loading'|'shown'|'broken'} PictureState */

const TEXTS = /** @type {const} */ (['headline', 'summary', 'correction', 'language', 'place', 'author', 'role', 'picture', 'alt', 'caption', 'credit']);
const LANGUAGES = ['ar', 'bn', 'da', 'de', 'el', 'en', 'en-GB', 'en-US', 'es', 'et', 'fa', 'fi', 'fr', 'he', 'hi', 'hu', 'id', 'it', 'ja', 'ko', 'lt', 'lv', 'nb', 'nl', 'pl',
	'pt', 'ro', 'ru', 'sv', 'sw', 'th', 'tr', 'uk', 'ur', 'vi', 'zh'];
const LEAST_ROWS = 2;
const MOST_ROWS = 12;
/** @type {Record<string, string>} */
const RIGHT_OF_CLASS = { flash: 'flash' };

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

/** @param {string} address */
function isWebAddress(address) {
	try {
		return ['http:', 'https:'].includes(new URL(address).protocol);
	} catch {
		return false;
	}
}

export class Form {
	#changed;
	/** @type {import('./server.js').Key|null} */ #key = null;
	#drill = false;
	/** @type {PictureState} */ #picture = 'none';

	/** @param {() => void} changed */
	constructor(changed) {
		this.#changed = changed;
		this.editor = new Editor({ box: $('body'), tools: $('tools'), row: $('link-row'), changed: () => this.#touch('body') });
		this.channels = new Channels({ list: $('channel-list'), input: $('channel-more'), add: $('channel-add'), names: $('channel-names'),
			changed: () => this.#touch('channels'), complain: (fault) => this.fault('channels', fault) });
		$('languages').append(...LANGUAGES.map((tag) => el('option', { value: tag }, new Intl.DisplayNames('en', { type: 'language' }).of(tag))));
		$('fields').addEventListener('input', (/** @type {Event} */ event) => {
			const name = /** @type {HTMLElement} */ (event.target).closest('[data-field]')?.getAttribute('data-field') ?? '';
			if (name !== 'body' && /** @type {HTMLElement} */ (event.target).id !== 'channel-more')
				this.#touch(name);
		});
	}

	/** @param {string} name */
	#touch(name) {
		this.fault(name, '');
		if (name === 'language')
			this.#speak();
		if (name === 'picture')
			this.#look();
		if (name === 'embargo')
			this.sayTime();
		this.#grow();
		this.#changed();
	}

	/** @param {import('./server.js').Key} key @param {boolean} drill */
	allow(key, drill) {
		this.#key = key;
		this.#drill = drill;
		const meant = Object.values(key.urgency);
		const chosen = $('class').value || 'regular';
		$('class').replaceChildren(...CLASSES.map((name) => {
			const right = RIGHT_OF_CLASS[name];
			const lacks = (right && !key.may.includes(right)) || !meant.includes(name);
			return el('option', { value: name, disabled: lacks }, lacks ? `${name} (your key may not)` : name);
		}));
		$('class').value = chosen;
		const embargo = key.may.includes('embargo');
		$('embargo').disabled = !embargo;
		this.channels.allow(key.channels, drill);
		this.sayTime();
	}

	/** @returns {Values} */
	get values() {
		const texts = Object.fromEntries(TEXTS.map((name) => [name, $(name).value.trim()]));
		const time = $('embargo').value;
		return /** @type {Values} */ ({ ...texts, headline: texts.headline.replace(/\s+/g, ' '), body: this.editor.html, channels: this.channels.chosen, class: $('class').value, embargo: time ? fromLocal(time) : '' });
	}

	set values(values) {
		for (const name of TEXTS)
			$(name).value = values[name] ?? '';
		this.editor.html = values.body;
		this.channels.chosen = values.channels;
		$('class').value = values.class;
		$('embargo').value = toLocal(values.embargo);
		$('picture-part').open = values.picture !== '';
		this.clear();
		this.#speak();
		this.#look();
		this.sayTime();
		this.#grow();
	}

	/** @param {boolean} locked */
	lock(locked) {
		$('fields').disabled = locked;
		this.editor.lock(locked);
	}

	/** Texts are as high as what stands in them. */
	#grow() {
		for (const area of $('fields').querySelectorAll('textarea')) {
			if (area.scrollHeight <= area.clientHeight && area.rows > LEAST_ROWS)
				area.rows = LEAST_ROWS;
			while (area.scrollHeight > area.clientHeight && area.rows < MOST_ROWS)
				area.rows++;
		}
	}

	#speak() {
		const lang = $('language').value.trim();
		for (const name of ['headline', 'summary', 'body']) {
			$(name).lang = lang;
			$(name).dir = directionOf(lang) || 'auto';
		}
	}

	/* -- faults ------------------------------------------------------------------------------ */

	/** Says what is wrong with a field; '': nothing. @param {string} name @param {string} fault */
	fault(name, fault) {
		const field = $('fields').querySelector(`[data-field="${CSS.escape(name)}"]`);
		if (!field)
			return;
		const input = name === 'channels' ? $('channel-more') : $(name);
		let error = field.querySelector('.error');
		if (!error && !fault)
			return;
		if (!error) {
			error = el('p', { class: 'error', id: `${name}-error` });
			field.append(error);
		}
		error.textContent = fault;
		error.hidden = !fault;
		input.setAttribute('aria-invalid', String(Boolean(fault)));
		if (fault)
			input.setAttribute('aria-describedby', error.id);
		else
			input.removeAttribute('aria-describedby');
		if (fault && $('picture-part').contains(field))
			$('picture-part').open = true;
	}

	clear() {
		for (const field of $('fields').querySelectorAll('[data-field]'))
			this.fault(field.dataset.field, '');
	}

	/** To the first field with a fault. */
	focusFault() { $('fields').querySelector('[aria-invalid="true"]')?.focus(); }

	/**
	 * What is wrong, as far as it can be known here, by field.
	 * @param {Values} values @param {import('./item.js').Base} base
	 * @returns {Map<string, string>}
	 */
	check(values, base) {
		/** @type {Map<string, string>} */ const faults = new Map();
		const say = (/** @type {boolean} */ wrong, /** @type {string} */ name, /** @type {string} */ fault) => wrong && faults.set(name, fault);
		say(!values.headline && !values.summary && !values.body && !values.picture, 'headline', 'There is nothing to show yet: a headline, a summary or a text.');
		say(base.out && !values.correction, 'correction', 'Say what is corrected: readers who saw the earlier version are told.');
		say(values.channels.length === 0, 'channels', 'Choose at least one channel.');
		for (const channel of values.channels)
			say(this.channels.fault(channel) !== '', 'channels', this.channels.fault(channel));
		say($('class').selectedOptions[0]?.disabled === true, 'class', `Your key may not send a ${values.class}.`);
		say(values.language !== '' && !/^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.test(values.language), 'language', 'A language tag: en, sv, pt-BR …');
		say(values.embargo !== '' && Date.parse(values.embargo) <= now().getTime(), 'embargo', 'An embargo ends in the future. To send it now, empty this.');
		say($('embargo').validity.badInput, 'embargo', 'This is no time.');
		say(values.picture !== '' && !isWebAddress(values.picture), 'picture', 'An address that begins with https:// or http://');
		say(this.#picture === 'broken', 'picture', 'There is no picture at this address.');
		say(values.picture !== '' && !values.alt, 'alt', 'Say what the picture shows: it is read to who cannot see it.');
		say(!values.picture && (values.alt + values.caption + values.credit) !== '', 'picture', 'These words are about a picture that is not there.');
		return faults;
	}

	/* -- what is said beside them -------------------------------------------------------------- */

	/** The embargo, spelled out; it shrinks, so it is said anew each second. */
	sayTime() {
		const time = $('embargo').value ? fromLocal($('embargo').value) : '';
		const at = new Date(time);
		const left = at.getTime() - now().getTime();
		const said = this.#key && !this.#key.may.includes('embargo') ? 'Your key may not send under embargo.' :
			!time ? '' : left > 0 ? `${inFull(at)}: in ${span(left)}` : `${inFull(at)}: that is over`;
		if ($('embargo-said').textContent !== said)
			$('embargo-said').textContent = said;
	}

	/** Shows the picture, or says that there is none. */
	#look() {
		const address = $('picture').value.trim();
		const tell = (/** @type {PictureState} */ state, /** @type {string} */ said) => {
			this.#picture = state;
			$('picture-said').textContent = said;
		};
		$('thumb').replaceChildren();
		if (!address || !isWebAddress(address)) {
			tell('none', '');
			return;
		}
		const image = /** @type {HTMLImageElement} */ (el('img', { alt: '', referrerpolicy: 'no-referrer' }));
		const isMine = () => $('picture').value.trim() === address;
		image.addEventListener('load', () => isMine() && tell('shown', `${image.naturalWidth} × ${image.naturalHeight}`));
		image.addEventListener('error', () => {
			if (!isMine())
				return;
			$('thumb').replaceChildren();
			tell('broken', 'There is no picture at this address.');
		});
		tell('loading', 'Looking for the picture …');
		image.src = address;
		$('thumb').append(image);
	}
}
