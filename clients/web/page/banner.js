/**
 * banner.js - the one breaking-news banner: the newest flash, until dismissed, expired or killed.
 */

/** How long a flash is breaking news. */
export const FLASH_MS = 10 * 60_000;

export class Banner {
	/** @type {string|null} */ #uri = null;
	/** @type {Set<string>} */ #dismissed = new Set();
	#until = 0;
	#timer = 0;

	/**
	 * @param {{box: HTMLElement, text: HTMLElement, close: HTMLElement}} parts `text` is the
	 *        alert region: it is in the page, and empty, before there is any news
	 * @param {(uri: string) => void} onOpen the reader wants to see the story
	 */
	constructor(parts, onOpen) {
		this.parts = parts;
		this.onOpen = onOpen;
		parts.close.addEventListener('click', () => {
			if (this.#uri)
				this.#dismissed.add(this.#uri);
			this.#hide();
		});
		/* A tab that slept has slept over its timers. */
		document.addEventListener('visibilitychange', () => {
			if (this.#uri && Date.now() >= this.#until)
				this.#hide();
		});
	}

	/** The uri of the story it shows, or null. */
	get uri() {
		return this.#uri;
	}

	/**
	 * A flash arrived or changed.
	 * @param {import('../story/story.js').Story} story
	 * @param {number} from when it became breaking news, in milliseconds since 1970
	 */
	offer(story, from) {
		const until = Math.min(from + FLASH_MS, Number.isNaN(story.expires) ? Infinity : story.expires);
		if (story.uri === this.#uri)
			this.#show(story);
		else if (until > Date.now() && !this.#dismissed.has(story.uri)) {
			this.#show(story);
			this.#until = until;
			clearTimeout(this.#timer);
			this.#timer = setTimeout(() => this.#hide(), until - Date.now());
		}
	}

	/** The story is not to be seen any more, or is no flash any more. */
	withdraw() {
		if (this.#uri)
			this.#hide();
	}

	/** @param {import('../story/story.js').Story} story */
	#show(story) {
		const { box, text, close } = this.parts;
		const label = document.createElement('strong');
		label.textContent = 'Flash';
		const open = document.createElement('button');
		open.type = 'button';
		open.dir = 'auto';
		open.lang = story.lang;
		open.textContent = story.headline || story.lede;
		open.addEventListener('click', () => this.onOpen(story.uri));
		this.#uri = story.uri;
		text.replaceChildren(label, ' ', open);
		close.hidden = false;
		box.classList.add('is-open');
		this.#makeRoom();
	}

	#hide() {
		const { box, text, close } = this.parts;
		clearTimeout(this.#timer);
		this.#uri = null;
		text.replaceChildren();
		close.hidden = true;
		box.classList.remove('is-open');
		this.#makeRoom();
	}

	/* Below the last story, so that all of the page can be scrolled clear of the banner. */
	#makeRoom() {
		const height = this.#uri ? this.parts.box.offsetHeight : 0;
		document.documentElement.style.setProperty('--banner-height', `${height}px`);
	}
}
