/**
 * river.js - a list of stories, newest first, that never moves under someone who reads.
 *
 * News goes in at the top only while nobody can be disturbed there; otherwise it waits until it is
 * asked for. What was withdrawn leaves at once, whatever the reader does. The list is a feed in the
 * sense of WAI-ARIA: focusable articles, walked by Page Down and Page Up, left by Control+End and
 * Control+Home.
 *
 * Ownership: the feed element, its articles and its listeners on the store, until close().
 */
import { drawNotice, drawStory, refreshTimes, tend } from './draw.js';
import { storyOf } from './story.js';
import { ENGLISH } from './words.js';

/** @typedef {import('../sdk/newswire.js').Following} Following */
/** @typedef {import('../sdk/store.js').Entry} Entry */
/** @typedef {import('./words.js').Words} Words */

/**
 * @typedef {object} Banks what a river runs between
 * @property {Words} [words]
 * @property {number} [level] of the headlines
 * @property {number} [most] stories shown; more are left out at the end
 * @property {() => void} [drawn] the list was brought up to date
 * @property {(article: HTMLElement) => void} [touched] an article was drawn
 * @property {() => HTMLElement|null} [before] what Control+Home goes to
 * @property {() => HTMLElement|null} [after] what Control+End goes to
 */

const DRAW_AFTER_MS = 16;
const DRAW_AFTER_MOST_MS = 500; /* a flood on a slow device: it has other things to do than to draw */
const TOP_SLACK = 8; /* pixels */
const SCROLL = { passive: true, capture: true }; /* of whatever scrolls around the list */

const parser = new DOMParser();

/** @param {import('../sdk/common.js').Post} post */
export const storyFrom = (post) => storyOf(post, (html) => parser.parseFromString(html, 'text/html'));

export class River {
	/** @type {Map<string, HTMLElement>} */ #articles;
	/** @type {Set<string>} uris to draw anew */ #changed = new Set();
	/* Came while the reader was busy. What is killed meanwhile stays in here, and out of the page. */
	/** @type {Set<string>} */ #waiting = new Set();
	#paused = false;
	#timer = 0;
	#pace = DRAW_AFTER_MS; /* until the next drawing: three times as long as the last one took */
	#begun; /* the store knows something: until then, what is in the feed stays */

	/**
	 * @param {HTMLElement} feed articles that are in it already stay until the store says what became of them
	 * @param {Following} news
	 * @param {Banks} [banks]
	 */
	constructor(feed, news, banks = {}) {
		this.feed = feed;
		this.news = news;
		this.words = banks.words ?? ENGLISH;
		this.most = banks.most ?? Infinity;
		this.banks = banks;
		this.#begun = news.store.size > 0;
		this.#articles = new Map([...feed.querySelectorAll('article')]
			.map((article) => [String(article.dataset.uri), article]));
		tend(feed);
		feed.addEventListener('keydown', this.#walk);
		news.store.addEventListener('change', this.#take);
		news.store.addEventListener('fill', this.#filled);
		addEventListener('scroll', this.#scrolled, SCROLL);
	}

	/** Stops following; what is drawn stays. */
	close() {
		clearTimeout(this.#timer);
		this.feed.removeEventListener('keydown', this.#walk);
		this.news.store.removeEventListener('change', this.#take);
		this.news.store.removeEventListener('fill', this.#filled);
		removeEventListener('scroll', this.#scrolled, SCROLL);
	}

	/** How many articles there are. */
	get size() {
		return this.#articles.size;
	}

	/** How many stories wait to be asked for. */
	get waiting() {
		return this.#waitingUris().length;
	}

	/** Are there stories that are not shown because there is no room for them? */
	get overflows() {
		return this.news.store.size - this.#waiting.size > this.most;
	}

	get paused() {
		return this.#paused;
	}

	/** Paused, everything new waits. */
	set paused(paused) {
		this.#paused = paused;
		this.draw();
	}

	/** @param {string} uri @returns {HTMLElement|undefined} */
	article(uri) {
		return this.#articles.get(uri);
	}

	/** Does an article of this story exist, or wait? @param {string} uri */
	has(uri) {
		return this.#articles.has(uri) || this.#waiting.has(uri);
	}

	/** Shows what waits. */
	reveal() {
		for (const uri of this.#waitingUris())
			this.#waiting.delete(uri);
		this.draw();
	}

	/** Takes the reader to a story. @param {string} uri */
	goTo(uri) {
		if (this.#waiting.has(uri))
			this.reveal();
		this.#articles.get(uri)?.focus({ preventScroll: true });
		this.#articles.get(uri)?.scrollIntoView({ block: 'center' });
	}

	/** Draws everything anew, in other words. @param {Words} words */
	speak(words) {
		this.words = words;
		for (const article of this.#articles.values())
			article.dataset.stamp = '';
		for (const uri of this.#articles.keys())
			this.#changed.add(uri);
		this.draw();
	}

	/** Tells the time again. */
	refresh() {
		refreshTimes(this.feed, this.words);
	}

	/** Is the beginning of the list where the reader looks, or still ahead? */
	get topInView() {
		return this.feed.getBoundingClientRect().top > -TOP_SLACK;
	}

	/** May news go in at the top? */
	get mayInsert() {
		return !this.#paused && this.topInView && !this.#busy();
	}

	/* Someone reads in the list: an open story in view, the keyboard in it, or text being selected. */
	#busy() {
		if (this.feed.querySelector(':focus-visible'))
			return true;
		const selection = getSelection();
		if (selection && !selection.isCollapsed && selection.anchorNode && this.#holds(selection.anchorNode))
			return true;
		return [...this.feed.querySelectorAll('details[open]')].some((details) => {
			const { top, bottom } = /** @type {Element} */ (details.closest('article')).getBoundingClientRect();
			return bottom > 0 && top < innerHeight;
		});
	}

	/* In a shadow tree a selection is said to be in the host. */
	/** @param {Node} node */
	#holds(node) {
		const root = this.feed.getRootNode();
		return this.feed.contains(node) || (root instanceof ShadowRoot && node.contains(root.host));
	}

	#waitingUris() {
		return [...this.#waiting].filter((uri) => this.news.store.get(uri)?.state === 'shown');
	}

	#take = (/** @type {any} */ { detail: { entry, change } }) => {
		this.#begun = true;
		this.#changed.add(entry.uri);
		if (change === 'added' && !this.mayInsert)
			this.#waiting.add(entry.uri);
		if (!entry.post)
			this.#takeBack(entry);
		this.#drawSoon();
	};

	/* At once, and alone: a hundred withdrawals are not a hundred drawings of the list. */
	/** @param {Entry} entry */
	#takeBack(entry) {
		const article = this.#articles.get(entry.uri);
		if (article && entry.listed)
			this.#drawEntry(entry);
		else if (article)
			this.#drop(entry.uri, article);
	}

	#filled = (/** @type {any} */ { detail: { added, updated, older } }) => {
		const first = this.#articles.size === 0;
		this.#begun = true;
		for (const entry of updated)
			this.#changed.add(entry.uri);
		for (const entry of added) {
			this.#changed.add(entry.uri); /* it may have come with the page, in another version */
			if (!older && !first && !this.#articles.has(entry.uri) && !this.mayInsert)
				this.#waiting.add(entry.uri);
		}
		this.draw();
	};

	#scrolled = () => {
		if (this.#waiting.size > 0 && this.mayInsert)
			this.#drawSoon();
	};

	#drawSoon() {
		if (!this.#timer)
			this.#timer = setTimeout(() => this.draw(), this.#pace);
	}

	/** @param {Entry} entry @returns {HTMLElement} */
	#drawEntry(entry) {
		const known = this.#articles.get(entry.uri);
		if (!this.#changed.delete(entry.uri) && known)
			return known;
		const story = entry.post && storyFrom(entry.post);
		if (known && story?.stamp === known.dataset.stamp)
			return known;
		const drawing = { article: known, words: this.words, level: this.banks.level };
		const article = story ? drawStory(story, drawing) : drawNotice(entry, drawing);
		this.#articles.set(entry.uri, article);
		this.banks.touched?.(article);
		return article;
	}

	/** @param {string} uri @param {HTMLElement} article */
	#drop(uri, article) {
		const { activeElement } = /** @type {Document|ShadowRoot} */ (this.feed.getRootNode());
		const next = article.nextElementSibling ?? article.previousElementSibling ?? this.feed;
		if (activeElement && article.contains(activeElement))
			/** @type {HTMLElement} */ (next).focus({ preventScroll: true });
		this.#articles.delete(uri);
		article.remove();
	}

	/** The entries to be seen, newest first. @returns {Entry[]} */
	#shown() {
		return [...this.news.store].filter((entry) => !this.#waiting.has(entry.uri)).slice(0, this.most);
	}

	/** Brings the list to what the store says, touching only what differs. */
	draw() {
		clearTimeout(this.#timer);
		this.#timer = 0;
		if (!this.#begun)
			return;
		const began = performance.now();
		if (this.mayInsert)
			for (const uri of this.#waitingUris())
				this.#waiting.delete(uri);

		const { feed } = this;
		feed.setAttribute('aria-busy', 'true');
		/* At the very top the browser would keep the old first story in place, and hide the new. */
		feed.style.overflowAnchor = this.topInView ? 'none' : '';
		const shown = this.#shown();
		const uris = new Set(shown.map((entry) => entry.uri));
		for (const [uri, article] of this.#articles)
			if (!uris.has(uri))
				this.#drop(uri, article);
		let spot = feed.firstElementChild;
		shown.forEach((entry, index) => {
			const article = this.#drawEntry(entry);
			if (article === spot)
				spot = spot.nextElementSibling;
			else
				feed.insertBefore(article, spot);
			article.setAttribute('aria-posinset', String(index + 1));
		});
		feed.hidden = this.#articles.size === 0; /* a feed has articles, or is none */
		feed.setAttribute('aria-busy', 'false');
		this.banks.drawn?.();
		this.#pace = Math.min(Math.max(3 * (performance.now() - began), DRAW_AFTER_MS), DRAW_AFTER_MOST_MS);
	}

	/* Page Down and Page Up walk the stories, Control+End and Control+Home leave them (APG, feed). */
	#walk = (/** @type {KeyboardEvent} */ event) => {
		const article = /** @type {Element} */ (event.target).closest('article');
		const step = { PageDown: article?.nextElementSibling, PageUp: article?.previousElementSibling };
		const leave = { Home: this.banks.before?.(), End: this.banks.after?.() };
		const to = /** @type {any} */ (event.ctrlKey ? leave : step)[event.key];
		if (!to)
			return;
		event.preventDefault();
		to.focus();
	};
}
