/**
 * draw.js - how one story looks: the article that reader page, <news-feed> and composer all show.
 *
 * Whatever comes from an item is set as text or as an attribute that was made safe in story.js;
 * nothing is ever parsed as HTML into the page: a body is built element by element from markup.js.
 * Nothing here keeps state or listens: what a drawn story does by itself is <details>, and broken
 * pictures are the business of tend(), once for all that is drawn into one place. So an article
 * that the server wrote is as good as one that was drawn here. Both are (parts in [] only where
 * there is something to say; an attribute [lang] too; the look is story.css):
 *
 *   <article class="story is-CLASS[ has-picture]" id="ID" tabindex="0" data-uri="URI" data-stamp="STAMP"
 *            aria-posinset="N" aria-setsize="-1" aria-labelledby="ID-title"[ lang="LANG" dir="ltr|rtl"]>
 *     <p class="kicker" lang="en">
 *       [<span class="label label-flash">Flash</span>]…  class flash|bulletin|urgent, type video|audio|graphic|picture, update
 *       [<span class="label" dir="auto">World</span>]…   section, genre
 *       [<time datetime="2026-01-10T08:12:04.000Z" title="in full">5 min ago</time>]
 *     </p>
 *     <div class="head">
 *       <h2 class="headline" dir="auto" id="ID-title">…</h2>    without a headline: <p class="statement[ quotation]" dir="auto" id="ID-title">LEDE</p>
 *       [<p class="notice correction"><strong lang="en">Correction</strong> <span dir="auto">NOTE</span></p>]
 *       [<p class="lede" dir="auto">…</p>]                      a summary here, a first paragraph after the byline
 *       [<p class="byline" lang="en"><span class="by">By <bdi>NAME</bdi></span><span><bdi>PLACE</bdi></span><span><bdi>SOURCE</bdi></span><span>3 min read</span></p>]
 *     </div>
 *     [<figure class="picture"><img src alt [width height] loading="lazy" decoding="async" referrerpolicy="no-referrer">
 *       [<figcaption>[<span class="caption" dir="auto">…</span> ][<span class="credit" dir="auto">…</span>]</figcaption>]</figure>]
 *     [<p class="watch" lang="en"><a href target="_blank" rel="noopener noreferrer">Watch (21 min)</a></p>]
 *     [<details class="more">
 *       <summary class="read" aria-describedby="ID-title" lang="en"><span class="closed">Read more</span><span class="opened">Read less</span></summary>
 *       <div class="body">BLOCKS AUTHORS</div></details>]
 *   </article>
 *
 *   a plain paragraph of BLOCKS: <p class="plain" dir="auto">…</p>; any other block has dir="auto" unless it has its own
 *   each of AUTHORS: <aside class="author" aria-label="About the author"><span class="avatar" aria-hidden="true">IM[<img src alt="" width="56" height="56"
 *     loading="lazy" decoding="async" referrerpolicy="no-referrer">]</span><div><p class="author-name" dir="auto">…</p>[<p class="author-role" dir="auto">…</p>]
 *     [<p class="author-biography" dir="auto">…</p>]</div></aside>
 */
import { ENGLISH, ago, clockTime, directionOf, fill, fullTime, numeral } from './words.js';

/** @typedef {import('./story.js').Story} Story */
/** @typedef {import('./story.js').Author} Author */
/** @typedef {import('./story.js').Picture} Picture */
/** @typedef {import('./words.js').Words} Words */

/**
 * @typedef {object} Drawing
 * @property {HTMLElement} [article] to draw into; otherwise a new one is made
 * @property {Words} [words] of the page
 * @property {number} [level] of the headline: 2 is h2
 */

let lastId = 0;

/**
 * An element. Falsy children are left out, so that `condition && el(…)` reads well.
 * @param {string} tag
 * @param {Record<string, string|number|boolean|undefined>} [attributes] undefined and false: not set
 * @param {...(Node|string|false|null|undefined|0)} children strings become text
 * @returns {any}
 */
export function el(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes))
		if (value !== undefined && value !== false)
			element.setAttribute(name, value === true ? '' : String(value));
	for (const child of children)
		if (child)
			element.append(child);
	return element;
}

/** Text whose direction follows its own first strong letter. */
/** @param {string} tag @param {string} className @param {string} content @param {object} [more] */
const prose = (tag, className, content, more) => el(tag, { class: className, dir: 'auto', ...more }, content);

const PICTURE = { loading: 'lazy', decoding: 'async', referrerpolicy: 'no-referrer' };

/* -- time ---------------------------------------------------------------------------------- */

/** A time that refreshTimes() keeps current. @param {number} then @param {Words} words */
function timeOf(then, words) {
	if (Number.isNaN(then))
		return null;
	return el('time', { datetime: new Date(then).toISOString(), title: fullTime(then, words) },
		ago(then, Date.now(), words));
}

/**
 * Brings every relative time under an element up to now.
 * @param {ParentNode} root
 * @param {Words} [words]
 */
export function refreshTimes(root, words = ENGLISH) {
	for (const time of root.querySelectorAll('time')) {
		const then = Date.parse(time.dateTime);
		if (Number.isNaN(then))
			continue;
		const said = ago(then, Date.now(), words);
		if (time.textContent !== said)
			time.textContent = said;
	}
}

/* -- parts of a story ---------------------------------------------------------------------- */

/**
 * A part of a body, element by element.
 * @param {import('./markup.js').Markup} markup
 * @returns {Node|string}
 */
function markupNode(markup) {
	if (typeof markup === 'string')
		return markup;
	const { tag, attributes, children } = markup;
	return tag === 'img' ? el('img', { ...attributes, ...PICTURE }) : el(tag, attributes, ...children.map(markupNode));
}

/** @param {import('./markup.js').Markup} block a string is a paragraph */
function blockOf(block) {
	if (typeof block === 'string')
		return prose('p', 'plain', block);
	const node = /** @type {Element} */ (markupNode(block));
	if (!node.hasAttribute('dir'))
		node.setAttribute('dir', 'auto');
	return node;
}

/** @param {Picture} picture */
function figureOf({ src, alt, width, height, caption, credit }) {
	return el('figure', { class: 'picture' },
		el('img', { src, alt, width, height, ...PICTURE }),
		(caption || credit) && el('figcaption', {},
			caption && prose('span', 'caption', caption),
			caption && credit && ' ',
			credit && prose('span', 'credit', credit)));
}

/** @param {Author} author @param {Words} words */
function authorCard(author, words) {
	/* The initials lie below the portrait, and are there when it does not load. */
	return el('aside', { class: 'author', 'aria-label': words.author },
		el('span', { class: 'avatar', 'aria-hidden': 'true' },
			author.initials,
			author.avatar && el('img', { src: author.avatar, alt: '', width: 56, height: 56, ...PICTURE })),
		el('div', {},
			prose('p', 'author-name', author.name),
			author.role && prose('p', 'author-role', author.role),
			author.biography && prose('p', 'author-biography', author.biography)));
}

/** @param {import('./story.js').Label} label @param {Words} words */
function labelOf(label, words) {
	return 'word' in label
		? el('span', { class: `label label-${label.word}` }, /** @type {any} */ (words)[label.word])
		: prose('span', 'label', label.text);
}

/** @param {Story} story @param {Words} words */
function bylineOf(story, words) {
	const [before, after] = words.by.split('{name}');
	const parts = [
		story.by && el('span', { class: 'by' }, before, el('bdi', {}, story.by), after),
		story.located && el('span', {}, el('bdi', {}, story.located)),
		story.source && el('span', {}, el('bdi', {}, story.source)),
		story.minutes > 0 && el('span', {}, fill(words.reading, { n: numeral(story.minutes, words) })),
	].filter(Boolean);
	return parts.length > 0 && el('p', { class: 'byline', lang: words.lang }, ...parts);
}

/** @param {Story} story @param {Words} words */
function correctionNote(story, words) {
	if (!story.correction)
		return null;
	const { word, text } = story.correction;
	const at = text || Number.isNaN(story.changed) ? '' : ` ${clockTime(story.changed, words)}`;
	return el('p', { class: 'notice correction' },
		el('strong', { lang: words.lang }, words[word] + at),
		text && ' ',
		text && prose('span', '', text));
}

/** @param {Story} story @param {Words} words */
function watchLine({ video }, words) {
	if (!video)
		return null;
	const said = video.minutes ? fill(words.watchFor, { n: numeral(video.minutes, words) }) : words.watch;
	return el('p', { class: 'watch', lang: words.lang },
		el('a', { href: video.href, target: '_blank', rel: 'noopener noreferrer' }, said));
}

/** What opens below the story. @param {Story} story @param {Words} words @param {string} id @param {boolean} open */
function moreOf(story, words, id, open) {
	if (story.body.length + story.authors.length === 0)
		return null;
	return el('details', { class: 'more', open },
		el('summary', { class: 'read', 'aria-describedby': `${id}-title`, lang: words.lang },
			el('span', { class: 'closed' }, words.readMore),
			el('span', { class: 'opened' }, words.readLess)),
		el('div', { class: 'body' },
			...story.body.map(blockOf),
			...story.authors.map((author) => authorCard(author, words))));
}

/** The headline, or what stands in its place. @param {Story} story @param {string} id @param {number} level */
function titleOf(story, id, level) {
	if (story.headline)
		return prose(`h${level}`, 'headline', story.headline, { id: `${id}-title` });
	const quoted = /^["'«»„“”‘’「]/.test(story.lede);
	return prose('p', quoted ? 'statement quotation' : 'statement', story.lede, { id: `${id}-title` });
}

/* -- articles ------------------------------------------------------------------------------ */

function newArticle() {
	return el('article', { id: `story-${++lastId}`, tabindex: 0, 'aria-setsize': -1 });
}

/**
 * Sets a language and its direction, or takes them away.
 * @param {HTMLElement} article
 * @param {string} lang
 */
function speak(article, lang) {
	for (const [name, value] of [['lang', lang], ['dir', directionOf(lang)]])
		if (value)
			article.setAttribute(name, value);
		else
			article.removeAttribute(name);
}

/**
 * Draws a story; one that is open stays open, and keeps the focus.
 * @param {Story} story
 * @param {Drawing} [drawing]
 * @returns {HTMLElement} the article
 */
export function drawStory(story, { article = newArticle(), words = ENGLISH, level = 2 } = {}) {
	const { id } = article;
	const focused = hasFocusInside(article);
	/* A summary stands above the byline; the first paragraph of the text below it. */
	const lede = story.headline && story.lede && prose('p', 'lede', story.lede);
	const byline = bylineOf(story, words);
	const parts = [
		el('p', { class: 'kicker', lang: words.lang },
			...story.labels.map((label) => labelOf(label, words)),
			timeOf(story.published, words)),
		el('div', { class: 'head' },
			titleOf(story, id, level),
			correctionNote(story, words),
			...(story.summarised ? [lede, byline] : [byline, lede]).filter(Boolean)),
		story.picture && figureOf(story.picture),
		watchLine(story, words),
		moreOf(story, words, id, isOpen(article)),
	];
	article.className = `story is-${/^[a-z]+$/.test(story.class) ? story.class : 'regular'}`;
	article.classList.toggle('has-picture', Boolean(story.picture));
	article.dataset.uri = story.uri;
	article.dataset.stamp = story.stamp;
	article.setAttribute('aria-labelledby', `${id}-title`);
	speak(article, story.lang);
	article.replaceChildren(...parts.filter((part) => part !== null));
	if (focused)
		(article.querySelector('summary') ?? article).focus({ preventScroll: true });
	return article;
}

/**
 * Draws a neutral notice in the place of a story. Nothing of the story stays.
 * @param {{uri: string, state: string, notice?: unknown}} entry `killed` or `withheld`
 * @param {Drawing} [drawing]
 * @returns {HTMLElement} the article
 */
export function drawNotice(entry, { article = newArticle(), words = ENGLISH } = {}) {
	const killed = entry.state === 'killed';
	const focused = hasFocusInside(article);
	const own = killed ? words.withdrawnNotice : words.withheldNotice;
	const said = typeof entry.notice === 'string' && entry.notice.trim();
	article.className = 'story is-withdrawn';
	article.dataset.uri = entry.uri;
	article.dataset.stamp = '';
	article.setAttribute('aria-labelledby', `${article.id}-title`);
	speak(article, '');
	article.replaceChildren(
		el('p', { class: 'kicker', lang: words.lang },
			el('span', { class: 'label' }, killed ? words.withdrawn : words.withheld)),
		el('div', { class: 'head' },
			prose('p', 'notice withdrawal', said || own, { id: `${article.id}-title`, lang: said ? undefined : words.lang })));
	if (focused)
		article.focus({ preventScroll: true });
	return article;
}

/** Has something in it the keyboard, in whatever tree it is? @param {HTMLElement} article */
function hasFocusInside(article) {
	const { activeElement } = /** @type {Document|ShadowRoot} */ (article.getRootNode());
	return Boolean(activeElement && activeElement !== article && article.contains(activeElement));
}

/** Is its body open? @param {Element} article */
export function isOpen(article) {
	return article.querySelector('details')?.open === true;
}

/* -- pictures that do not load ------------------------------------------------------------- */

/** Takes a picture away that cannot be shown, with what stands around it. @param {HTMLImageElement} image */
function withoutPicture(image) {
	const figure = image.closest('figure');
	if (figure?.classList.contains('picture'))
		figure.closest('.story')?.classList.remove('has-picture');
	(figure ?? image).remove();
}

/**
 * Looks after what is drawn below an element, now and later: a picture that does not load goes.
 * @param {Element|ShadowRoot} root
 */
export function tend(root) {
	/* This event does not bubble. */
	root.addEventListener('error', (event) => {
		if (event.target instanceof HTMLImageElement)
			withoutPicture(event.target);
	}, true);
	/* What failed before anybody listened fails again. */
	for (const image of root.querySelectorAll('img'))
		if (image.complete && image.naturalWidth === 0)
			image.src = String(image.getAttribute('src'));
}
