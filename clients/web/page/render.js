/**
 * render.js - draws stories and notices into articles.
 *
 * Whatever comes from an item is set as text or as an attribute that was made safe in story.js;
 * nothing is ever parsed as HTML into the page: a body is built element by element from markup.js.
 */
import { ago, clockTime } from './story.js';

/** @typedef {import('./story.js').Story} Story */
/** @typedef {import('./story.js').Author} Author */
/** @typedef {import('./story.js').Picture} Picture */
/** @typedef {import('../sdk/store.js').Entry} Entry */

let lastId = 0;

/**
 * An element. Falsy children are left out, so that `condition && el(…)` reads well.
 * @param {string} tag
 * @param {Record<string, string|number|boolean|undefined>} [attributes] undefined and false: not set
 * @param {...(Node|string|false|null|undefined|0)} children strings become text
 * @returns {any}
 */
function el(tag, attributes = {}, ...children) {
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

/**
 * A time that refreshTimes() keeps current.
 * @param {number} then
 * @param {string} [className]
 */
function timeOf(then, className) {
	if (Number.isNaN(then))
		return null;
	const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'short' }).format(then);
	const datetime = new Date(then).toISOString();
	return el('time', { class: className, datetime, title: exact }, ago(then, Date.now()));
}

/** Brings every relative time under an element up to now. @param {Element} root */
export function refreshTimes(root) {
	for (const time of root.querySelectorAll('time')) {
		const words = ago(Date.parse(time.dateTime), Date.now());
		if (time.textContent !== words)
			time.textContent = words;
	}
}

/** A new, empty article for the feed. */
export function newArticle() {
	return el('article', { id: `story-${++lastId}`, class: 'story', tabindex: 0, 'aria-setsize': -1 });
}

/**
 * A part of a body, element by element.
 * @param {import('./markup.js').Markup} markup
 * @returns {Node|string}
 */
function markupNode(markup) {
	if (typeof markup === 'string')
		return markup;
	const { tag, attributes, children } = markup;
	if (tag !== 'img')
		return el(tag, attributes, ...children.map(markupNode));
	const image = el('img', { ...attributes, loading: 'lazy', decoding: 'async', referrerpolicy: 'no-referrer' });
	image.addEventListener('error', () => (image.closest('.body figure') ?? image).remove());
	return image;
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
function figureOf(picture) {
	const image = el('img', {
		src: picture.src,
		alt: picture.alt,
		width: picture.width,
		height: picture.height,
		loading: 'lazy',
		decoding: 'async',
		referrerpolicy: 'no-referrer',
	});
	const caption = (picture.caption || picture.credit) && el('figcaption', {},
		picture.caption && prose('span', 'caption', picture.caption),
		picture.caption && picture.credit && ' ',
		picture.credit && prose('span', 'credit', picture.credit));
	const figure = el('figure', {}, image, caption);
	image.addEventListener('error', () => {
		figure.closest('.story')?.classList.remove('has-picture');
		figure.remove();
	});
	return figure;
}

/** @param {Author} author */
function authorCard(author) {
	const initials = el('span', { class: 'avatar', 'aria-hidden': 'true' }, author.initials);
	const avatar = author.avatar && el('img', {
		class: 'avatar',
		src: author.avatar,
		alt: '',
		width: 56,
		height: 56,
		referrerpolicy: 'no-referrer',
	});
	if (avatar)
		avatar.addEventListener('error', () => avatar.replaceWith(initials));
	return el('aside', { class: 'author', 'aria-label': 'About the author' },
		avatar || initials,
		el('div', {},
			prose('p', 'author-name', author.name),
			author.role && prose('p', 'author-role', author.role),
			author.biography && prose('p', 'author-biography', author.biography)));
}

/** @param {string} label */
function labelOf(label) {
	return prose('span', `label label-${label.toLowerCase().replace(/[^a-z]/g, '')}`, label);
}

/** @param {Story} story */
function bylineOf(story) {
	const parts = [
		story.by && prose('span', 'by', `By ${story.by}`),
		story.located && prose('span', '', story.located),
		story.source && prose('span', '', story.source),
		story.minutes > 0 && el('span', {}, `${story.minutes} min read`),
	].filter(Boolean);
	return parts.length > 0 && el('p', { class: 'byline' }, ...parts);
}

/** @param {Story} story */
function correctionNote(story) {
	if (!story.correction)
		return null;
	const at = Number.isNaN(story.changed) ? '' : ` ${clockTime(story.changed)}`;
	const { label, text } = story.correction;
	return el('p', { class: 'notice correction' },
		el('strong', {}, text ? label : label + at),
		text && ' ',
		text && prose('span', '', text));
}

/**
 * What opens below the lede, and the button that opens it.
 * @param {Story} story
 * @param {string} id
 * @param {boolean} open
 */
function bodyOf(story, id, open) {
	if (story.body.length + story.authors.length === 0)
		return { button: null, body: null };
	const body = el('div', { class: 'body', id: `${id}-body`, hidden: !open },
		...story.body.map(blockOf),
		...story.authors.map(authorCard));
	const button = el('button', {
		type: 'button',
		class: 'read',
		'aria-controls': `${id}-body`,
		'aria-expanded': String(open),
		'aria-describedby': `${id}-title`,
	}, open ? 'Read less' : 'Read more');
	button.addEventListener('click', () => {
		body.hidden = !body.hidden;
		button.setAttribute('aria-expanded', String(!body.hidden));
		button.textContent = body.hidden ? 'Read more' : 'Read less';
	});
	return { button, body };
}

/**
 * Draws a story into its article; one that is open stays open, and keeps the focus.
 * @param {HTMLElement} article
 * @param {Story} story
 */
export function drawStory(article, story) {
	const { id } = article;
	const open = isOpen(article);
	const focused = article.contains(document.activeElement) && document.activeElement !== article;
	const { button, body } = bodyOf(story, id, open);
	const quoted = /^["'«»„“”‘’「]/.test(story.lede);
	const title = story.headline
		? prose('h2', 'headline', story.headline, { id: `${id}-title` })
		: prose('p', quoted ? 'statement quotation' : 'statement', story.lede, { id: `${id}-title` });
	/* A summary stands above the byline; the first paragraph of the text below it. */
	const lede = story.headline && story.lede && prose('p', 'lede', story.lede);
	const byline = bylineOf(story);
	const length = story.video?.minutes ? ` (${story.video.minutes} min)` : '';

	article.className = `story is-${/^[a-z]+$/.test(story.class) ? story.class : 'regular'}`;
	article.classList.toggle('has-picture', Boolean(story.picture));
	article.setAttribute('aria-labelledby', `${id}-title`);
	if (story.lang)
		article.lang = story.lang;
	else
		article.removeAttribute('lang');
	article.replaceChildren(...[
		el('p', { class: 'kicker', lang: 'en' },
			timeOf(story.published),
			...story.labels.map(labelOf)),
		el('div', { class: 'head' },
			title,
			correctionNote(story),
			...(story.summarised ? [lede, byline] : [byline, lede]).filter(Boolean)),
		story.picture && figureOf(story.picture),
		(button || story.video) && el('div', { class: 'rest' },
			body,
			el('p', { class: 'actions', lang: 'en' },
				button,
				story.video && el('a', { href: story.video.href, target: '_blank', rel: 'noopener noreferrer' },
					`Watch${length}`))),
	].filter(Boolean));
	if (focused)
		(button ?? article).focus({ preventScroll: true });
}

/**
 * Is its body open?
 * @param {Element} article
 */
export function isOpen(article) {
	return article.querySelector('.read')?.getAttribute('aria-expanded') === 'true';
}

/**
 * Puts a neutral notice where a story was. Nothing of the story stays.
 * @param {HTMLElement} article
 * @param {Entry} entry killed or withheld
 */
export function drawNotice(article, entry) {
	const killed = entry.state === 'killed';
	const focused = article.contains(document.activeElement);
	const text = typeof entry.notice === 'string' && entry.notice.trim();
	article.className = 'story is-withdrawn';
	article.removeAttribute('lang');
	article.setAttribute('aria-labelledby', `${article.id}-title`);
	article.replaceChildren(
		el('p', { class: 'kicker' }, el('span', { class: 'label' }, killed ? 'Withdrawn' : 'Withheld')),
		el('div', { class: 'head' },
			prose('p', 'notice withdrawal', text || (killed
				? 'This story has been withdrawn.'
				: 'This story is temporarily withheld.'), { id: `${article.id}-title` })));
	if (focused)
		article.focus({ preventScroll: true });
}
