/**
 * editor.js - where a body is written: plain paragraphs with a little form, by buttons and by keyboard.
 *
 * What is pasted or dropped comes in simplified (prose.js). The browser's own editing makes the rest; whatever it makes,
 * readEditor() takes only what the allow-list knows.
 */
import { el } from '../story/draw.js';
import { fillEditor, paragraphsOfText, readEditor, simplified, writeHtml } from './prose.js';

/* name, what it says, keys, command, its argument */
const TOOLS = [
	['Bold', 'B', 'Ctrl+B', 'bold'], ['Italic', 'I', 'Ctrl+I', 'italic'], ['Link', 'Link', 'Ctrl+K', 'link'],
	['Subhead', 'Subhead', '', 'formatBlock', 'h3'], ['Quote', 'Quote', '', 'formatBlock', 'blockquote'],
	['List', 'List', '', 'insertUnorderedList'], ['Numbered list', 'Numbered', '', 'insertOrderedList'],
];
const SCHEMES = ['http:', 'https:', 'mailto:'];

/** @param {string} command @param {string} [value] */
const run = (command, value) => document.execCommand(command, false, value);

export class Editor {
	#box;
	#row;
	#address;
	#tools;
	/** @type {Range|null} */ #selected = null;
	#changed;

	/** @param {{box: HTMLElement, tools: HTMLElement, row: HTMLElement, changed: () => void}} parts */
	constructor({ box, tools, row, changed }) {
		this.#box = box;
		this.#row = row;
		this.#tools = tools;
		this.#changed = changed;
		this.#address = /** @type {HTMLInputElement} */ (row.querySelector('input'));
		run('defaultParagraphSeparator', 'p');
		tools.append(...TOOLS.map(([name, said, keys, command, value], i) => el('button', { type: 'button', class: `tool tool-${command}`, tabindex: i === 0 ? 0 : -1,
			'aria-label': name, title: keys ? `${name} (${keys})` : name, 'data-command': command, 'data-value': value }, said)));
		this.#listen();
		this.html = '';
	}

	get html() { return readEditor(this.#box); }
	set html(html) { fillEditor(this.#box, html); }

	/** @param {boolean} locked */
	lock(locked) {
		this.#box.setAttribute('contenteditable', String(!locked));
		this.#box.setAttribute('aria-disabled', String(locked));
	}

	#listen() {
		this.#box.addEventListener('paste', (event) => this.#take(event, event.clipboardData));
		this.#box.addEventListener('drop', (event) => this.#take(event, event.dataTransfer));
		this.#box.addEventListener('input', () => {
			if (!this.#box.firstElementChild)
				run('formatBlock', 'p');
			this.#changed();
		});
		this.#box.addEventListener('keydown', (event) => {
			if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') {
				event.preventDefault();
				this.#askLink();
			}
		});
		/* The selection must stay where it is. */
		this.#tools.addEventListener('mousedown', (event) => event.preventDefault());
		this.#tools.addEventListener('click', (event) => {
			const button = /** @type {Element} */ (event.target).closest('button');
			if (button)
				this.#use(button.dataset.command ?? '', button.dataset.value);
		});
		this.#tools.addEventListener('keydown', (event) => this.#walk(event));
		document.addEventListener('selectionchange', () => this.#show());
		this.#row.querySelector('#link-set')?.addEventListener('click', () => this.#setLink());
		this.#row.querySelector('#link-drop')?.addEventListener('click', () => this.#endLink());
		this.#row.addEventListener('keydown', (event) => {
			if (event.key === 'Enter' || event.key === 'Escape') {
				event.preventDefault();
				event.stopPropagation();
				event.key === 'Enter' ? this.#setLink() : this.#endLink();
			}
		});
	}

	/** One stop for the tab key, arrows inside: as toolbars are. @param {KeyboardEvent} event */
	#walk(event) {
		const buttons = [...this.#tools.querySelectorAll('button')];
		const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
		const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (event.target));
		if (!step || at < 0)
			return;
		event.preventDefault();
		const next = buttons[(at + step + buttons.length) % buttons.length];
		buttons.forEach((button) => { button.tabIndex = button === next ? 0 : -1; });
		next.focus();
	}

	/** @param {Event} event @param {DataTransfer|null} data */
	#take(event, data) {
		event.preventDefault();
		if (!data || this.#box.getAttribute('contenteditable') !== 'true')
			return;
		const html = data.getData('text/html');
		const blocks = html ? simplified(html) : [];
		const all = blocks.length > 0 ? blocks : paragraphsOfText(data.getData('text/plain'));
		const only = all[0];
		if (all.length === 0)
			return;
		/* One paragraph goes into the line; its own words, escaped by our own hand. By the browser's command, so that it can be undone. */
		run('insertHTML', writeHtml(all.length === 1 && typeof only === 'object' && only.tag === 'p' ? only.children : all));
		this.#changed();
	}

	/** @param {string} command @param {string} [value] */
	#use(command, value) {
		if (command === 'link') {
			this.#askLink();
			return;
		}
		this.#box.focus();
		const block = document.queryCommandValue('formatBlock').toLowerCase();
		const inside = value === 'blockquote' ? this.#isInQuote() : block === value;
		if (command === 'formatBlock' && inside)
			run(value === 'blockquote' ? 'outdent' : 'formatBlock', 'p');
		else
			run(command, value);
		this.#changed();
		this.#show();
	}

	#isInQuote() {
		const { anchorNode } = document.getSelection() ?? {};
		const element = anchorNode instanceof Element ? anchorNode : anchorNode?.parentElement;
		return Boolean(element && this.#box.contains(element) && element.closest('blockquote'));
	}

	/** Which of them hold where the cursor is. */
	#show() {
		const selection = document.getSelection();
		if (!selection?.anchorNode || !this.#box.contains(selection.anchorNode))
			return;
		for (const button of this.#tools.querySelectorAll('button')) {
			const { command = '', value } = button.dataset;
			const on = command === 'formatBlock' ? (value === 'blockquote' ? this.#isInQuote() : document.queryCommandValue('formatBlock').toLowerCase() === value) :
				command !== 'link' && document.queryCommandState(command);
			button.setAttribute('aria-pressed', String(on));
		}
	}

	#askLink() {
		const selection = document.getSelection();
		if (!selection || selection.rangeCount === 0 || !this.#box.contains(selection.anchorNode))
			return;
		this.#selected = selection.getRangeAt(0).cloneRange();
		const { anchorNode } = selection;
		const around = (anchorNode instanceof Element ? anchorNode : anchorNode?.parentElement)?.closest('a');
		this.#address.value = around?.getAttribute('href') ?? '';
		this.#row.hidden = false;
		this.#address.focus();
	}

	#setLink() {
		const address = this.#address.value.trim();
		const full = /^[a-z][a-z0-9+.-]*:/i.test(address) || !address ? address : `https://${address}`;
		let url = '';
		try {
			url = SCHEMES.includes(new URL(full).protocol) ? new URL(full).href : '';
		} catch { /* no address takes the link away */ }
		if (full && !url) {
			this.#address.setAttribute('aria-invalid', 'true');
			return;
		}
		const range = this.#selected;
		this.#endLink();
		if (!url)
			run('unlink');
		else if (range?.collapsed)
			run('insertHTML', writeHtml([{ tag: 'a', attributes: { href: url }, children: [url] }]));
		else
			run('createLink', url);
		this.#changed();
	}

	#endLink() {
		this.#row.hidden = true;
		this.#address.removeAttribute('aria-invalid');
		this.#box.focus();
		if (this.#selected) {
			const selection = document.getSelection();
			selection?.removeAllRanges();
			selection?.addRange(this.#selected);
		}
		this.#selected = null;
	}
}
