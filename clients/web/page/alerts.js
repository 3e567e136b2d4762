/**
 * alerts.js - breaking news as notifications of the system, for readers who asked for them.
 *
 * Permission is asked for on a click only, after it was said what it is for. One notification per
 * story: a correction replaces it, a withdrawal closes it, and only a flash sounds again. Works as
 * long as the page is open, also in the background, without a service worker; a page that goes takes
 * its notifications along, since nobody could withdraw them any more.
 *
 * Of several tabs, the one that has the Web Lock speaks, and tells the others of what. What they do not
 * hear told soon, since that tab reads other channels, hangs, or is gone, they say themselves, one after
 * the other. Each withdraws what it has shown.
 */
import { compareVersions } from '../sdk/cursor.js';
import { REAL_CLOCK, pause } from '../sdk/waiting.js';
import { FLASH_MS } from './banner.js';

/** @typedef {import('../story/story.js').Story} Story */
/** @typedef {{version: string, changed: number}} Version as of Story */

const KEY = 'newswire.alerts';
const KEPT = 50;
const TOLD_WITHIN_MS = 2_000;
const HEARD_WITHIN_MS = 100;

const OFFER = 'Breaking news can reach you while you do something else: a notification for each flash and bulletin, ' +
	'as long as this page is open in a tab. It is replaced when the story is corrected, and closed when it is withdrawn. ' +
	'Nothing else is sent.';
const REFUSED = 'Your browser blocks notifications from this page. Allow them in the settings of this site, and try again.';

/* Storage may be forbidden; then the choice holds for this visit. */
let chosen = false;

/** @param {boolean} on */
function remember(on) {
	chosen = on;
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
		return chosen;
	}
}

/** Where storage is forbidden, channels may be, too. */
function channel() {
	try {
		return new BroadcastChannel(KEY);
	} catch {
		return null;
	}
}

/** @param {number} from */
const isFresh = (from) => Date.now() - from < FLASH_MS;

/** @param {Story} story */
const breaking = (story) => story.class === 'flash' || story.class === 'bulletin';

/**
 * Does one version come after another?
 * @param {Version} one
 * @param {Version} other
 */
function isLater(one, other) {
	const order = compareVersions(one.version, other.version);
	return order > 0 || (order === 0 && one.changed > other.changed);
}

/**
 * Sets the newest of a map that is kept small.
 * @template T
 * @param {Map<string, T>} map oldest first
 * @param {string} uri
 * @param {T} value
 */
function keep(map, uri, value) {
	map.delete(uri);
	map.set(uri, value);
	if (map.size > KEPT)
		map.delete([...map.keys()][0]);
}

export class Alerts {
	/** @type {Map<string, Notification>} open ones, oldest first */ #open = new Map();
	/** @type {Map<string, {story: Story, from: number}>} another tab is to tell of these */ #untold = new Map();
	/** @type {Map<string, Version>} what another tab has told of */ #told = new Map();
	/** @type {BroadcastChannel|null} */ #others;
	/** @type {AbortController|null} as long as they are on */ #turnedOn = null;
	#speaks = false; /* of all tabs, this one */

	/**
	 * @param {{button: HTMLElement, box: HTMLElement, text: HTMLElement, yes: HTMLElement, no: HTMLElement}} parts
	 * @param {(uri: string) => void} onOpen the reader wants to see the story
	 * @param {(words: string) => void} say
	 */
	constructor(parts, onOpen, say) {
		this.parts = parts;
		this.onOpen = onOpen;
		this.say = say;
		this.#others = channel();
		if (!globalThis.Notification)
			return; /* the button stays hidden */
		parts.button.hidden = false;
		parts.button.addEventListener('click', () => this.#press());
		parts.yes.addEventListener('click', () => this.#ask());
		parts.no.addEventListener('click', () => this.#fold());
		parts.box.addEventListener('keydown', (event) => event.key === 'Escape' && this.#fold());
		this.#others?.addEventListener('message', ({ data }) => this.#hear(data));
		addEventListener('storage', ({ key }) => key === KEY && this.#recall());
		/* Who does not run must not speak, and could withdraw nothing. */
		addEventListener('pagehide', () => this.#turn(false));
		addEventListener('pageshow', ({ persisted }) => persisted && this.#recall());
		document.addEventListener('freeze', () => this.#turn(false));
		document.addEventListener('resume', () => this.#recall());
		this.#recall();
	}

	/**
	 * A story came, or changed.
	 * @param {Story} story
	 * @param {number} from when, in milliseconds since 1970
	 */
	offer(story, from) {
		const { uri } = story;
		const told = this.#told.get(uri);
		const known = this.#open.has(uri);
		if (!this.#turnedOn || (told && !isLater(story, told)) || (!known && !isFresh(from)))
			return;
		this.#untold.delete(uri);
		if (this.#speaks || known)
			this.#speak(story, from);
		else if (breaking(story))
			this.#wait(story, from, this.#turnedOn.signal);
	}

	/** The story is not to be seen any more. @param {string} uri */
	withdraw(uri) {
		this.#untold.delete(uri);
		this.#told.delete(uri);
		this.#open.get(uri)?.close();
		this.#open.delete(uri);
	}

	/** Withdraws what is not to be seen any more. @param {(uri: string) => boolean} isSeen */
	keepOnly(isSeen) {
		for (const uri of [...this.#open.keys(), ...this.#untold.keys()])
			if (!isSeen(uri))
				this.withdraw(uri);
	}

	/* One tab at a time, and the next when it has heard of this one. */
	/**
	 * @param {Story} story
	 * @param {number} from
	 * @param {AbortSignal} signal
	 */
	async #wait(story, from, signal) {
		const { uri } = story;
		const isUntold = () => this.#untold.get(uri)?.story === story;
		keep(this.#untold, uri, { story, from });
		await pause(TOLD_WITHIN_MS, REAL_CLOCK, signal);
		if (!isUntold())
			return;
		await navigator.locks.request(`${KEY}.late`, async () => {
			if (!isUntold())
				return;
			this.#speak(story, from);
			await pause(HEARD_WITHIN_MS, REAL_CLOCK, signal);
		});
	}

	/**
	 * @param {Story} story
	 * @param {number} from
	 */
	#speak(story, from) {
		const { uri, version, changed } = story;
		const known = this.#open.has(uri);
		const fresh = isFresh(from);
		this.#untold.delete(uri);
		if (!breaking(story))
			return known ? this.withdraw(uri) : undefined;
		if (!known && !fresh)
			return; /* the machine has slept */
		if (known || !document.hasFocus())
			this.#notify(story, story.class === 'flash' && fresh);
		if (this.#turnedOn)
			this.#others?.postMessage({ uri, version, changed });
	}

	/* Another tab has shown a story, or the reader sees it there. A notification of ours that was replaced is closed by the browser. */
	/** @param {Version & {uri: string}} told */
	#hear({ uri, ...heard }) {
		const untold = this.#untold.get(uri)?.story;
		const told = this.#told.get(uri);
		if (untold && !isLater(untold, heard))
			this.#untold.delete(uri);
		if (!told || isLater(heard, told))
			keep(this.#told, uri, heard);
	}

	/**
	 * @param {Story} story
	 * @param {boolean} aloud
	 */
	#notify(story, aloud) {
		const { uri, headline, lede, lang } = story;
		const options = {
			tag: uri,
			renotify: aloud,
			silent: !aloud,
			lang,
			dir: /** @type {'auto'} */ ('auto'),
			body: headline ? lede : '',
			icon: new URL('favicon.svg', document.baseURI).href,
		};
		let shown;
		try {
			shown = new Notification(`${story.class === 'flash' ? 'Flash: ' : ''}${headline || lede}`, options);
		} catch {
			this.#turn(false); /* where only a service worker may (Chrome on Android) */
			this.parts.button.hidden = true;
			return;
		}
		if (!this.#open.has(uri) && this.#open.size === KEPT)
			this.withdraw([...this.#open.keys()][0]);
		keep(this.#open, uri, shown);
		shown.onclick = () => {
			focus();
			this.onOpen(uri);
			shown.close();
		};
		shown.onclose = () => this.#open.get(uri) === shown && this.#open.delete(uri);
	}

	#press() {
		if (this.#turnedOn) {
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

	/* What was chosen holds for all tabs, and for the next visit. */
	#recall() {
		this.#turn(remembered() && Notification.permission === 'granted');
	}

	/** @param {boolean} on */
	#turn(on) {
		if (on === Boolean(this.#turnedOn))
			return;
		this.#turnedOn?.abort();
		this.#turnedOn = on ? new AbortController() : null;
		this.parts.button.textContent = on ? 'Alerts on' : 'Alerts';
		if (this.#turnedOn)
			this.#queue(this.#turnedOn.signal);
		else
			this.keepOnly(() => false);
	}

	/* For the word: it is held until this tab ends, or turns them off. */
	/** @param {AbortSignal} signal */
	#queue(signal) {
		const speak = () => new Promise((/** @type {(value?: undefined) => void} */ done) => {
			if (signal.aborted)
				return done();
			signal.addEventListener('abort', () => {
				this.#speaks = false;
				done();
			});
			this.#speaks = true;
			for (const { story, from } of [...this.#untold.values()])
				this.#speak(story, from);
		});
		navigator.locks.request(KEY, { signal }, speak).catch(speak); /* where locks are forbidden, each tab speaks */
	}
}
