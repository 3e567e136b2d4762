/**
 * saying.js - a polite live region: what those who hear the page are told, and not too often.
 */

const TOGETHER_MS = 1000; /* one announcement for stories that come together */

export class Saying {
	#timer = 0;
	#news = 0;
	#also = ''; /* said while stories are being counted: it is said with them, not lost */

	/**
	 * @param {HTMLElement} region role="status"; in the page, and empty, before there is any news
	 * @param {(n: number) => string} newStories
	 */
	constructor(region, newStories) {
		this.region = region;
		this.newStories = newStories;
	}

	/** @param {string} words */
	say(words) {
		this.region.textContent = words;
		if (this.#timer)
			this.#also = words;
	}

	/** A story came. */
	count() {
		this.#news++;
		if (this.#timer)
			return;
		this.say(''); /* so that the same words are said again */
		this.#timer = setTimeout(() => {
			this.region.textContent = [this.#also, this.newStories(this.#news)].filter(Boolean).join('. ');
			this.#timer = this.#news = 0;
			this.#also = '';
		}, TOGETHER_MS);
	}

	/** Says nothing more. */
	close() {
		clearTimeout(this.#timer);
	}
}
