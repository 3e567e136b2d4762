/**
 * news-feed.js - <news-feed>: live news on any site, in two lines.
 *
 *     <script type="module" src="https://news.example/sdk/news-feed.js"></script>
 *     <news-feed channels="world" limit="5"><a href="https://news.example/">News</a></news-feed>
 *
 * Attributes, properties, methods, events, custom properties and parts: docs/element.md. Needs of a
 * site's Content-Security-Policy that script-src and connect-src name the server, and img-src whoever
 * has the pictures. What is inside stays until there is news, and where there is no JavaScript.
 */
import paperCss from '../story/paper.css';
import storyCss from '../story/story.css';
import { el } from '../story/draw.js';
import { River, storyFrom } from '../story/river.js';
import { Saying } from '../story/saying.js';
import { safeUrl } from '../story/story.js';
import { clockTime, counted, fill } from '../story/words.js';
import elementCss from './element.css';
import { share } from './sharing.js';
import { wordsOf } from './words.js';

/** @typedef {import('../sdk/newswire.js').Following} Following */
/** @typedef {import('../sdk/store.js').Entry} Entry */
/** @typedef {import('./words.js').FeedWords} FeedWords */

/* What is asked of the server; a change of one of these begins anew. */
const ASKING = ['src', 'channels', 'classes', 'languages', 'types', 'view', 'limit'];
const LOOKING = ['lang', 'dir', 'theme', 'label', 'heading', 'story-link', 'more', 'paused'];

const LIMIT = 10;
const PAGE = 20;
const MOST = 100;
const KEEP = 500;
const TELL_AFTER_MS = 1000;
const REFRESH_MS = 30_000;

/* A rem is the page's business, and its root may have any size. */
const UNIT = '--news-unit';
const css = [paperCss, storyCss, elementCss].join('\n').replace(/([\d.]+)rem\b/g, `calc($1 * var(${UNIT}, 16px))`);

/** Can a length be handed down as it is where it was set? */
const scales = (() => {
	try {
		CSS.registerProperty({ name: UNIT, syntax: '<length>', inherits: true, initialValue: '16px' });
		return true;
	} catch {
		return false;
	}
})();

/** @type {CSSStyleSheet|undefined} one for all elements */ let sheet;

/** Gives a shadow tree its style, also where the page's policy forbids <style>. @param {ShadowRoot} root */
function dress(root) {
	if (!('adoptedStyleSheets' in root)) {
		/** @type {ShadowRoot} */ (root).append(el('style', {}, css));
		return;
	}
	if (!sheet) {
		sheet = new CSSStyleSheet();
		sheet.replaceSync(css);
	}
	root.adoptedStyleSheets = [sheet];
}

/** @param {string|null} value */
const listed = (value) => (value ?? '').split(/[\s,]+/).filter(Boolean);

/** The server that this script is from. */
const HOME = new URL('../', import.meta.url).href;

/** Makes every piece of a story a part that a site can style. @param {HTMLElement} article */
function nameParts(article) {
	article.setAttribute('part', article.className);
	for (const piece of article.querySelectorAll('[class]'))
		piece.setAttribute('part', piece.className);
	for (const [name, selector] of [['image', '.picture img'], ['time', 'time'], ['link', 'a']])
		for (const piece of article.querySelectorAll(selector))
			piece.setAttribute('part', name);
}

export class NewsFeed extends HTMLElement {
	static observedAttributes = [...ASKING, ...LOOKING];

	/** @type {Record<string, any>} */ #parts;
	/** @type {{news: Following, release: () => void}|null} */ #shared = null;
	/** @type {River|null} */ #river = null;
	/** @type {Saying} */ #saying;
	/** @type {AbortController|null} ends what listens */ #abort = null;
	/** @type {FeedWords} */ #words = wordsOf('en');
	/** @type {Partial<FeedWords>|undefined} */ #ownWords;
	#linkTimer = 0;
	#reopening = false;
	/** @type {{state: string, heard: Date|null}} */ #link = { state: 'idle', heard: null };

	constructor() {
		super();
		const root = this.attachShadow({ mode: 'open' });
		dress(root);
		const button = (/** @type {string} */ name, /** @type {() => void} */ press) => {
			const made = el('button', { type: 'button', class: name, part: `button ${name}` });
			made.addEventListener('click', press);
			return made;
		};
		this.#parts = {
			alert: el('p', { class: 'unseen', role: 'alert' }),
			said: el('p', { class: 'unseen', role: 'status' }),
			status: el('p', { class: 'status', part: 'status', role: 'status' }),
			pause: button('pause', () => { this.paused = !this.paused; }),
			fresh: button('fresh', () => this.showNew()),
			slot: el('slot'),
			feed: el('div', { class: 'feed', part: 'feed', role: 'feed', tabindex: -1, 'aria-busy': 'true' }),
			empty: el('p', { class: 'empty', part: 'empty', hidden: true }),
			more: button('older', () => { this.older().catch(() => {}); }),
		};
		const { alert, said, status, pause, fresh, slot, feed, empty, more } = this.#parts;
		this.#parts.root = el('div', { class: `root paper${scales ? ' scales' : ''}`, part: 'root' },
			alert, said, el('div', { class: 'bar', part: 'bar' }, status, pause), fresh, slot, feed, empty, more);
		fresh.hidden = more.hidden = true;
		this.#saying = new Saying(said, (n) => counted(this.#words.newStories, n, this.#words));
		root.append(this.#parts.root);
	}

	/* -- what a site may ask and say ------------------------------------------------------- */

	/** The stories that are shown, newest first: posts as the server sent them. */
	get stories() {
		const { news } = this.#shared ?? {};
		return [...news?.store ?? []].filter((entry) => entry.post && this.#river?.article(entry.uri)).map((entry) => entry.post);
	}

	/** `idle`, `connecting`, `live`, `waiting` or `closed`. */
	get state() {
		return this.#link.state;
	}

	/** How many new stories wait to be shown. */
	get waiting() {
		return this.#river?.waiting ?? 0;
	}

	/** Words of the site's own, put over the built-in ones; docs/element.md lists them. */
	get words() {
		return this.#ownWords;
	}

	set words(words) {
		this.#ownWords = words;
		this.#look();
	}

	get paused() {
		return this.hasAttribute('paused');
	}

	set paused(paused) {
		this.toggleAttribute('paused', Boolean(paused));
	}

	pause() {
		this.paused = true;
	}

	resume() {
		this.paused = false;
	}

	/** Shows the new stories that wait, and takes the reader to them. */
	showNew() {
		this.#river?.reveal();
		this.#parts.feed.firstElementChild?.focus({ preventScroll: true });
		this.scrollIntoView({ block: 'start' });
	}

	/** Shows one more page of older stories. */
	async older() {
		const { more, feed } = this.#parts;
		const river = this.#river;
		if (!river)
			return;
		const last = feed.lastElementChild;
		more.disabled = true;
		feed.setAttribute('aria-busy', 'true');
		try {
			if (!river.overflows)
				await river.news.older();
			river.most += this.#limit;
			river.draw();
			more.textContent = this.#words.more;
			/** @type {HTMLElement|null} */ (last?.nextElementSibling)?.focus({ preventScroll: true });
		} catch (error) {
			more.textContent = this.#words.failed;
			throw error;
		} finally {
			more.disabled = false;
			feed.setAttribute('aria-busy', 'false');
		}
	}

	/* -- life ------------------------------------------------------------------------------ */

	connectedCallback() {
		for (const name of ASKING.concat(['theme', 'label', 'paused', 'words']))
			this.#upgrade(name);
		this.#look();
		this.#open();
	}

	disconnectedCallback() {
		this.#close();
	}

	/** @param {string} name @param {string|null} before @param {string|null} now */
	attributeChangedCallback(name, before, now) {
		if (!this.isConnected || before === now)
			return;
		if (name === 'paused')
			this.#setPaused();
		else if (LOOKING.includes(name))
			this.#look();
		else if (!this.#reopening) {
			/* Several attributes that change together are one change. */
			this.#reopening = true;
			queueMicrotask(() => {
				this.#reopening = false;
				if (this.isConnected)
					this.#reopen();
			});
		}
	}

	/* A property that was set before this script came hides ours. */
	/** @param {string} name */
	#upgrade(name) {
		if (!Object.hasOwn(this, name))
			return;
		const /** @type {any} */ self = this;
		const value = self[name];
		delete self[name];
		self[name] = value;
	}

	get #limit() {
		const limit = Number.parseInt(this.getAttribute('limit') ?? '', 10);
		return limit > 0 ? Math.min(limit, MOST) : LIMIT;
	}

	#asking() {
		return {
			url: new URL(this.getAttribute('src') || HOME, document.baseURI).href,
			channels: listed(this.getAttribute('channels')),
			class: listed(this.getAttribute('classes')),
			lang: listed(this.getAttribute('languages')),
			types: listed(this.getAttribute('types')),
			view: /** @type {'full'|'brief'} */ (this.getAttribute('view') === 'full' ? 'full' : 'brief'),
			limit: Math.max(this.#limit, PAGE), /* so that a short list and a longer one can share */
			keep: KEEP,
			ahead: true,
		};
	}

	#open() {
		let shared;
		try {
			shared = share(this.#asking());
		} catch (error) {
			this.#refuse(error); /* `src` is no address */
			return;
		}
		this.#shared = shared;
		const { news } = shared;
		const { feed, more, pause } = this.#parts;
		const abort = new AbortController();
		const { signal } = abort;
		this.#abort = abort;
		this.#river = new River(feed, news, {
			words: this.#words,
			level: this.#level,
			most: this.#limit,
			drawn: () => this.#showCounts(),
			touched: (article) => this.#finish(article),
			before: () => pause,
			after: () => (more.hidden ? null : more),
		});
		news.addEventListener('status', (/** @type {any} */ { detail }) => this.#showLink(detail), { signal });
		news.addEventListener('error', (/** @type {any} */ { detail }) => this.#complain(detail), { signal });
		news.store.addEventListener('change', (/** @type {any} */ { detail }) => this.#hear(detail), { signal });
		const refresh = setInterval(() => this.#river?.refresh(), REFRESH_MS);
		signal.addEventListener('abort', () => clearInterval(refresh));
		feed.addEventListener('click', (/** @type {Event} */ event) => this.#follow(event), { signal });
		document.addEventListener('visibilitychange', () => document.hidden || this.#river?.refresh(), { signal });
		this.#river.paused = this.paused;
		this.#showLink(news.wire.status);
	}

	#close() {
		this.#abort?.abort();
		this.#abort = null;
		clearTimeout(this.#linkTimer);
		this.#linkTimer = 0;
		this.#saying.close();
		this.#river?.close();
		this.#river = null;
		this.#shared?.release();
		this.#shared = null;
		this.#link = { state: 'idle', heard: null };
	}

	#reopen() {
		const { feed, empty, more, fresh } = this.#parts;
		this.#close();
		feed.replaceChildren();
		empty.hidden = more.hidden = fresh.hidden = true;
		this.#open();
	}

	/* -- how it looks ---------------------------------------------------------------------- */

	get #level() {
		const level = Number(this.getAttribute('heading'));
		return Number.isInteger(level) && level >= 1 && level <= 6 ? level : 3;
	}

	/* Words, direction, theme, and whatever else the attributes say. */
	#look() {
		const around = /** @type {HTMLElement|null} */ (this.closest('[lang]'));
		const lang = this.lang || around?.lang || navigator.language;
		const words = wordsOf(lang, this.#ownWords);
		this.#words = words;
		const { root, feed, pause, more } = this.#parts;
		const theme = this.getAttribute('theme');
		root.lang = words.lang;
		root.dir = /^(ltr|rtl)$/i.test(this.dir) ? this.dir : words.dir;
		root.classList.toggle('is-light', theme === 'light');
		root.classList.toggle('is-dark', theme === 'dark');
		feed.setAttribute('aria-label', this.getAttribute('label') || words.label);
		pause.textContent = this.paused ? words.resume : words.pause;
		more.textContent = words.more;
		this.#showLink(this.#link);
		if (!this.#river)
			return;
		this.#river.banks.level = this.#level;
		this.#river.speak(words);
	}

	#setPaused() {
		this.#parts.pause.textContent = this.paused ? this.#words.resume : this.#words.pause;
		if (!this.#river)
			return;
		this.#river.paused = this.paused;
		this.#saying.say(this.paused ? this.#words.paused : this.#words.live);
	}

	/** A story was drawn: its parts get names, and its headline a link. @param {HTMLElement} article */
	#finish(article) {
		const template = this.getAttribute('story-link');
		const title = article.querySelector('.headline, .statement');
		if (template && title) {
			const address = new URL(template.replaceAll('{uri}', encodeURIComponent(String(article.dataset.uri))), document.baseURI).href;
			if (safeUrl(address)) {
				const link = el('a', { href: address });
				link.append(...title.childNodes);
				title.append(link);
			}
		}
		nameParts(article);
	}

	#showCounts() {
		const { fresh, empty, more, slot } = this.#parts;
		const river = this.#river;
		if (!river)
			return;
		const count = river.waiting;
		fresh.hidden = count === 0;
		fresh.textContent = counted(this.#words.newStories, count, this.#words);
		slot.hidden = true;
		empty.hidden = river.size > 0 || count > 0;
		empty.textContent = this.#words.empty;
		more.hidden = !this.hasAttribute('more') || !(river.overflows || river.news.hasOlder);
	}

	/** @param {{state: string, heard: Date|null}} link */
	#showLink(link) {
		const changed = link.state !== this.#link.state;
		this.#link = { state: link.state, heard: link.heard };
		if (changed)
			this.#tell('news-status', { state: link.state });
		if (link.state === 'live' || link.state === 'closed')
			this.#writeLink();
		else /* a reconnect that is quick is nobody's business */
			this.#linkTimer ||= setTimeout(() => this.#writeLink(), TELL_AFTER_MS);
	}

	#writeLink() {
		clearTimeout(this.#linkTimer);
		this.#linkTimer = 0;
		const { status } = this.#parts;
		const { state, heard } = this.#link;
		const words = this.#words;
		const lost = navigator.onLine ? words.reconnecting : words.offline;
		const said = state === 'live' ? words.live :
			state === 'closed' ? words.closed :
				heard ? fill(lost, { time: clockTime(heard, words) }) : words.connecting;
		status.dataset.state = state === 'idle' || state === 'connecting' ? 'waiting' : state;
		if (status.textContent !== said)
			status.textContent = said;
	}

	/* -- what happens ---------------------------------------------------------------------- */

	/** @param {{entry: Entry, change: string}} detail */
	#hear({ entry, change }) {
		const words = this.#words;
		const { alert } = this.#parts;
		if (change === 'added')
			this.#saying.count();
		if (change === 'added' && entry.post?.class === 'flash') {
			const { headline, lede } = storyFrom(entry.post);
			alert.textContent = `${words.flash}: ${headline || lede}`;
		}
		if (!entry.post) {
			alert.textContent = '';
			if (change === 'killed' && this.#river?.article(entry.uri))
				this.#saying.say(words.saidWithdrawn);
			this.#tell('news-withdrawn', { uri: entry.uri, state: entry.state });
			return;
		}
		this.#tell('news-story', { uri: entry.uri, change, post: entry.post });
	}

	/** @param {any} error */
	#complain(error) {
		this.#tell('news-error', { error });
		if (error?.fatal)
			this.#refuse(error);
	}

	/** What is inside stays: it is all that a reader gets. @param {unknown} _error */
	#refuse(_error) {
		const { feed, empty } = this.#parts;
		feed.setAttribute('aria-busy', 'false');
		empty.hidden = false;
		empty.textContent = this.#words.refused;
	}

	/** A headline's link was followed. @param {Event} event */
	#follow(event) {
		const target = /** @type {Element} */ (event.target);
		const link = target.closest(':is(.headline, .statement) a');
		const uri = /** @type {HTMLElement|null} */ (target.closest('article'))?.dataset.uri;
		if (link && uri && !this.#tell('news-open', { uri }, true))
			event.preventDefault();
	}

	/** @param {string} type @param {object} detail @param {boolean} [cancelable] @returns {boolean} false: it was prevented */
	#tell(type, detail, cancelable = false) {
		return this.dispatchEvent(new CustomEvent(type, { detail, cancelable, bubbles: true, composed: true }));
	}
}

/* Attributes with a property of the same name. */
for (const name of [...ASKING, 'theme', 'label', 'heading'])
	Object.defineProperty(NewsFeed.prototype, name, {
		get() { return this.getAttribute(name) ?? ''; },
		set(value) { this.setAttribute(name, Array.isArray(value) ? value.join(',') : String(value)); },
		configurable: true,
		enumerable: true,
	});

/* Twice the same script, or two servers' scripts, on one page: the first one serves. */
if (!customElements.get('news-feed'))
	customElements.define('news-feed', NewsFeed);
