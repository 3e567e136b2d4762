/**
 * dialogs.js - what is asked before a deed that cannot be taken back. Esc always means no.
 */
import { el } from '../story/draw.js';

const UNDO_S = 5;

/**
 * Shows a dialog until it is answered.
 * @template T
 * @param {string} title
 * @param {(done: (answer: T|null) => void) => (Node|false)[]} content
 * @returns {Promise<T|null>} null: no
 */
function ask(title, content) {
	return new Promise((resolve) => {
		const before = /** @type {HTMLElement|null} */ (document.activeElement);
		const dialog = /** @type {HTMLDialogElement} */ (el('dialog', { class: 'dialog', 'aria-labelledby': 'dialog-title' }));
		let answer = /** @type {T|null} */ (null);
		const done = (/** @type {T|null} */ given) => {
			answer = given;
			dialog.close();
		};
		dialog.append(el('h2', { id: 'dialog-title' }, title), ...content(done).filter((node) => node !== false));
		dialog.addEventListener('close', () => {
			dialog.remove();
			before?.focus();
			resolve(answer);
		});
		document.body.append(dialog);
		dialog.showModal();
	});
}

/** A field with a label. @param {string} id @param {string} label @param {HTMLElement} input */
function field(id, label, input) {
	input.id = id;
	return el('div', { class: 'field' }, el('label', { for: id }, label), input, el('p', { class: 'error', id: `${id}-error`, hidden: true }));
}

/** @param {HTMLElement} input @param {string} fault */
function complain(input, fault) {
	const error = /** @type {HTMLElement} */ (input.parentElement?.querySelector('.error'));
	error.textContent = fault;
	error.hidden = !fault;
	input.toggleAttribute('aria-invalid', false);
	if (fault) {
		input.setAttribute('aria-invalid', 'true');
		input.setAttribute('aria-describedby', error.id);
		input.focus();
	}
}

/** @param {string} said @param {() => void} no */
const noButton = (said, no) => {
	const button = el('button', { type: 'button' }, said);
	button.addEventListener('click', no);
	return button;
};

/**
 * A flash: its word must be typed, below the live audience; then it waits a few seconds in which it can be undone.
 * @param {string} headline
 * @param {() => string} audience "1,234 readers of world, sport", as it is now
 * @returns {Promise<boolean>} true once the time to undo it is over
 */
export async function confirmFlash(headline, audience) {
	let timer = /** @type {ReturnType<typeof setInterval>|undefined} */ (undefined);
	const sure = await ask('Send a flash', (done) => {
		const word = /** @type {HTMLInputElement} */ (el('input', { autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false' }));
		const who = el('strong', { id: 'flash-audience' }, audience());
		const form = el('form', { novalidate: true },
			el('p', {}, 'Type FLASH to send to ', who, '.'),
			field('flash-word', 'Type FLASH', word),
			el('div', { class: 'deed' }, el('button', { class: 'primary danger', type: 'submit' }, 'Send the flash'), noButton('Cancel (Esc)', () => done(null))));
		const count = el('strong', { id: 'flash-count' });
		const wait = el('div', { class: 'undo', hidden: true }, el('p', { role: 'alert' }, 'The flash goes out in ', count, '. Nothing has been sent yet.'),
			el('progress', { max: UNDO_S, value: 0, 'aria-label': 'Time to undo' }), el('div', { class: 'deed' }, noButton('Undo (Esc)', () => done(null))));
		timer = setInterval(() => { who.textContent = audience(); }, 500);
		form.addEventListener('submit', (/** @type {Event} */ event) => {
			event.preventDefault();
			if (word.value.trim().toUpperCase() !== 'FLASH') {
				complain(word, 'Type the word FLASH, or press Esc.');
				return;
			}
			clearInterval(timer);
			form.hidden = true;
			wait.hidden = false;
			wait.querySelector('button')?.focus();
			timer = countDown(UNDO_S, (left) => {
				count.textContent = `${left} s`;
				wait.querySelector('progress').value = UNDO_S - left;
				if (left <= 0)
					done(true);
			});
		});
		return [el('p', { class: 'quoted', dir: 'auto' }, headline), form, wait];
	});
	clearInterval(timer);
	return sure === true;
}

/** @param {number} seconds @param {(left: number) => void} tell */
function countDown(seconds, tell) {
	const end = performance.now() + seconds * 1000;
	tell(seconds);
	return setInterval(() => tell(Math.max(0, Math.ceil((end - performance.now()) / 1000))), 200);
}

/**
 * A kill: for good, with what readers are told.
 * @param {string} headline
 * @param {string} reached
 * @returns {Promise<{notice: string}|null>}
 */
export function confirmKill(headline, reached) {
	return ask('Kill a story', (done) => {
		const reason = /** @type {HTMLTextAreaElement} */ (el('textarea', { rows: 2, dir: 'auto', maxlength: 400 }));
		const word = /** @type {HTMLInputElement} */ (el('input', { autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false' }));
		const form = el('form', { novalidate: true },
			field('kill-reason', 'Reason, as readers are told it', reason),
			field('kill-word', 'Type KILL', word),
			el('div', { class: 'deed' }, el('button', { class: 'primary danger', type: 'submit' }, 'Kill it'), noButton('Cancel (Esc)', () => done(null))));
		form.addEventListener('submit', (/** @type {Event} */ event) => {
			event.preventDefault();
			complain(reason, reason.value.trim() ? '' : 'Say why: readers see this in place of the story. Repeat nothing that was wrong.');
			if (!reason.value.trim())
				return;
			complain(word, word.value.trim().toUpperCase() === 'KILL' ? '' : 'Type the word KILL, or press Esc.');
			if (word.value.trim().toUpperCase() === 'KILL')
				done({ notice: reason.value.trim() });
		});
		return [el('p', { class: 'quoted', dir: 'auto' }, headline),
			el('p', {}, `The text is taken away everywhere, for good. This cannot be undone. ${reached}`), form];
	});
}

/**
 * Holds a story back until it is released.
 * @param {string} headline
 * @returns {Promise<{notice: string}|null>}
 */
export function confirmHold(headline) {
	return ask('Hold a story back', (done) => {
		const reason = /** @type {HTMLTextAreaElement} */ (el('textarea', { rows: 2, dir: 'auto', maxlength: 400 }));
		const form = el('form', { novalidate: true }, field('hold-reason', 'What readers are told (may be empty)', reason),
			el('div', { class: 'deed' }, el('button', { class: 'primary', type: 'submit' }, 'Hold it back'), noButton('Cancel (Esc)', () => done(null))));
		form.addEventListener('submit', (/** @type {Event} */ event) => {
			event.preventDefault();
			done({ notice: reason.value.trim() });
		});
		return [el('p', { class: 'quoted', dir: 'auto' }, headline),
			el('p', {}, 'Readers no longer see it, until it is released. The server deletes its text; a copy for the release stays in this tab.'), form];
	});
}

/**
 * A question with one deed.
 * @param {string} title @param {string} text @param {string} deed
 * @returns {Promise<boolean>}
 */
export async function confirmDeed(title, text, deed) {
	return await ask(title, (done) => {
		const form = el('form', {}, el('div', { class: 'deed' }, el('button', { class: 'primary', type: 'submit' }, deed), noButton('Cancel (Esc)', () => done(null))));
		form.addEventListener('submit', (/** @type {Event} */ event) => {
			event.preventDefault();
			done(true);
		});
		return [el('p', { dir: 'auto' }, text), form];
	}) === true;
}
