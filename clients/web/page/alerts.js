/**
 * alerts.js - breaking news as notifications of the system, for readers who asked for them.
 *
 * Permission is asked for on a click only, after it was said what it is for. One notification per
 * story: a correction replaces it, a withdrawal closes it, and only a flash sounds again. Works as
 * long as the page is open, also in the background, without a service worker. Of several tabs, one
 * speaks.
 */

/** @typedef {import('../story/story.js').Story} Story */

const KEY = 'newswire.alerts';
const KEPT = 50;

const OFFER = 'Breaking news can reach you while you do something else: a notification for each flash and bulletin, ' +
	'as long as this page is open in a tab. It is replaced when the story is corrected, and closed when it is withdrawn. ' +
	'Nothing else is sent.';
const REFUSED = 'Your browser blocks notifications from this page. Allow them in the settings of this site, and try again.';

/** Storage may be forbidden; then the choice holds for this visit. */
/** @param {boolean} on */
function remember(on) {
	try {
		localStorage.setItem(KEY, on ? 'on' : 'off');
	} catch {
		/* not kept */
	}
}

function remembered() {
	try {
		return localStorage.getItem(KEY) === 'on';
	} catch {
		return false;
	}
}

export class Alerts {
	/** @type {Map<string, Notification>} open ones, oldest first */ #open = new Map();
	#on = false;
	#speaks = false; /* of all tabs, this one */
	/** @type {(() => void)|null} */ #yield = null;

	/**
	 * @param {{button: HTMLElement, box: HTMLElement, text: HTMLElement, yes: HTMLElement, no: HTMLElement}} parts
	 * @param {(uri: string) => void} onOpen the reader wants to see the story
	 * @param {(words: string) => void} say
	 */
	constructor(parts, onOpen, say) {
		this.parts = parts;
		this.onOpen = onOpen;
		this.say = say;
		if (!globalThis.Notification)
			return; /* the button stays hidden */
		parts.button.hidden = false;
		parts.button.addEventListener('click', () => this.#press());
		parts.yes.addEventListener('click', () => this.#ask());
		parts.no.addEventListener('click', () => this.#fold());
		parts.box.addEventListener('keydown', (event) => event.key === 'Escape' && this.#fold());
		this.#turn(remembered() && Notification.permission === 'granted');
	}

	/**
	 * A story came, or changed.
	 * @param {Story} story
	 */
	offer(story) {
		const known = this.#open.has(story.uri);
		const breaking = story.class === 'flash' || story.class === 'bulletin';
		if (!this.#on || !this.#speaks || (!known && (!breaking || document.hasFocus())))
			return;
		if (known && !breaking)
			this.withdraw(story.uri);
		else
			this.#notify(story);
	}

	/** The story is not to be seen any more. @param {string} uri */
	withdraw(uri) {
		this.#open.get(uri)?.close();
		this.#open.delete(uri);
	}

	/** @param {Story} story */
	#notify(story) {
		const { uri, headline, lede, lang } = story;
		const flash = story.class === 'flash';
		const options = {
			tag: uri,
			renotify: flash,
			silent: !flash,
			lang,
			dir: /** @type {'auto'} */ ('auto'),
			body: headline ? lede : '',
			icon: new URL('favicon.svg', document.baseURI).href,
		};
		let shown;
		try {
			shown = new Notification(`${flash ? 'Flash: ' : ''}${headline || lede}`, options);
		} catch {
			this.#turn(false); /* where only a service worker may (Chrome on Android) */
			this.parts.button.hidden = true;
			return;
		}
		this.#open.delete(uri);
		this.#open.set(uri, shown);
		shown.onclick = () => {
			focus();
			this.onOpen(uri);
			shown.close();
		};
		shown.onclose = () => this.#open.get(uri) === shown && this.#open.delete(uri);
		if (this.#open.size > KEPT)
			this.withdraw([...this.#open.keys()][0]);
	}

	#press() {
		if (this.#on) {
			this.#turn(false);
			remember(false);
			this.say('Alerts are off.');
		} else if (this.parts.box.hidden) {
			this.#unfold(Notification.permission === 'denied' ? REFUSED : OFFER);
		} else {
			this.#fold();
		}
	}

	async #ask() {
		if (await Notification.requestPermission() !== 'granted')
			return this.#unfold(REFUSED);
		this.#fold();
		this.#turn(true);
		remember(true);
		this.say('Alerts are on.');
	}

	/** @param {string} words */
	#unfold(words) {
		const { box, text, yes, button } = this.parts;
		text.textContent = words;
		yes.hidden = words === REFUSED;
		box.hidden = false;
		button.setAttribute('aria-expanded', 'true');
		(yes.hidden ? this.parts.no : yes).focus({ preventScroll: true });
	}

	#fold() {
		this.parts.box.hidden = true;
		this.parts.button.setAttribute('aria-expanded', 'false');
		this.parts.button.focus({ preventScroll: true });
	}

	/** @param {boolean} on */
	#turn(on) {
		this.#on = on;
		this.parts.button.textContent = on ? 'Alerts on' : 'Alerts';
		this.#yield?.();
		this.#yield = null;
		if (!on) {
			this.#speaks = false;
			for (const uri of [...this.#open.keys()])
				this.withdraw(uri);
			return;
		}
		/* Held until this tab ends, or turns them off. */
		const held = new Promise((/** @type {(value?: undefined) => void} */ done) => { this.#yield = done; });
		navigator.locks.request(KEY, () => {
			this.#speaks = this.#on;
			return held;
		});
	}
}
