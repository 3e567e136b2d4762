/**
 * story.js - from an item as newsrooms send it to what a reader is shown: plain values, no DOM.
 *
 * Everything that comes out is text to be set as text, a URL that was looked at, or a body of plain
 * values that an allow-list knows (markup.js). Nothing here trusts an item: any property may be
 * missing, of a wrong type, or made to break the page. draw.js draws what comes out.
 */
import { parseTime } from '../sdk/newswire.js';
import { isParagraph, markupOf } from './markup.js';

/** @typedef {import('../sdk/common.js').Post} Post */
/** @typedef {import('./markup.js').Markup} Markup */
/** @typedef {Record<string, any>} Item */

/**
 * @typedef {object} Picture
 * @property {string} src
 * @property {number} [width]
 * @property {number} [height]
 * @property {string} alt
 * @property {string} caption
 * @property {string} credit
 */

/**
 * @typedef {object} Author
 * @property {string} name
 * @property {string} initials
 * @property {string} role
 * @property {string} biography
 * @property {string} avatar URL, or ''
 */

/**
 * What the page draws. Texts are '' and lists empty where there is nothing to say.
 * @typedef {object} Story
 * @property {string} uri
 * @property {string} lang
 * @property {string} class
 * @property {string} version its number, as the item has it
 * @property {string} stamp names this version: its number, a space, when it was made, as the item has them
 * @property {Label[]} labels what stands above the headline
 * @property {string} headline a very long one is cut, and stands in full at the head of the body
 * @property {string} lede the summary, or the first paragraph of the text
 * @property {boolean} summarised the lede is a summary
 * @property {Markup[]} body what stands below the lede; a string is a paragraph
 * @property {number} minutes of reading; 0 is not shown
 * @property {string} by
 * @property {string} located
 * @property {string} source
 * @property {number} published milliseconds since 1970, or NaN
 * @property {number} changed the same, of this version
 * @property {number} expires the same
 * @property {{word: 'correction'|'updated', text: string}|null} correction
 * @property {Picture|null} picture
 * @property {Author[]} authors
 * @property {{href: string, minutes: number}|null} video
 */

/**
 * Words of the page's language (words.js), or of the item.
 * @typedef {{word: string}|{text: string}} Label
 */

/** @typedef {(html: string) => {body: any}} ParseHtml a document of untrusted HTML, never shown */

const WORDS_PER_MINUTE = 250;
const PICTURE_WIDTH = 1200; /* what the page can make use of, on a sharp screen */

const LONGEST_HEADLINE = 240; /* characters; what is longer is no headline */

const CLASS_LABELS = ['flash', 'bulletin', 'urgent'];
const TYPE_LABELS = ['video', 'audio', 'graphic', 'picture'];

/* Elements whose text is not prose. */
const SILENT = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'NOSCRIPT', 'IFRAME', 'OBJECT', 'SVG', 'MATH',
	'HEAD', 'TITLE', 'SELECT', 'TEXTAREA', 'BUTTON', 'AUDIO', 'VIDEO', 'CANVAS', 'FORM', 'FIGURE']);
const INLINE = new Set(['A', 'ABBR', 'B', 'BDI', 'BDO', 'CITE', 'CODE', 'DATA', 'DEL', 'DFN', 'EM',
	'FONT', 'I', 'INS', 'KBD', 'MARK', 'Q', 'RUBY', 'RB', 'RT', 'S', 'SAMP', 'SMALL', 'SPAN', 'STRONG',
	'SUB', 'SUP', 'TIME', 'TT', 'U', 'VAR', 'WBR', 'BIG', 'STRIKE']);
const TEXT_NODE = 3;
const ELEMENT_NODE = 1;
const DEEPEST = 1000;

/* -- small truths about untrusted values --------------------------------------------------- */

/** @param {unknown} value */
const list = (value) => (Array.isArray(value) ? value.filter((x) => x && typeof x === 'object') : []);

/** @param {unknown} value */
const text = (value) => (typeof value === 'string' ? value.replace(/\s+/g, ' ').trim() : '');

/**
 * A URL that may be loaded or linked to, or ''.
 * @param {unknown} value
 * @param {string[]} [schemes]
 */
export function safeUrl(value, schemes = ['http:', 'https:']) {
	if (typeof value !== 'string')
		return '';
	try {
		const url = new URL(value);
		return schemes.includes(url.protocol) ? url.href : '';
	} catch {
		return '';
	}
}

/** @param {unknown} value */
const imageUrl = (value) =>
	(/^data:image\//i.test(String(value)) ? safeUrl(value, ['data:']) : safeUrl(value));

/** @param {unknown} value */
const isImage = (value) => /^image\//i.test(text(value));

/** @param {unknown} value a positive, finite number, or undefined */
const size = (value) => (Number(value) > 0 && Number.isFinite(Number(value)) ? Number(value) : undefined);

/* -- prose --------------------------------------------------------------------------------- */

/**
 * The paragraphs of an HTML tree, as text. Line breaks inside one stay.
 * @param {any} root
 * @returns {string[]}
 */
export function paragraphsOf(root) {
	/** @type {string[]} */ const paragraphs = [];
	let current = '';
	const flush = () => {
		const lines = current.split('\n').map((line) => line.replace(/[^\S\n]+/g, ' ').trim());
		const paragraph = lines.join('\n').replace(/\n{2,}/g, '\n').trim();
		if (paragraph && paragraph !== '•')
			paragraphs.push(paragraph);
		current = '';
	};
	const walk = (/** @type {any} */ node, /** @type {number} */ depth) => {
		if (node.nodeType === TEXT_NODE) {
			current += String(node.nodeValue).replace(/\s+/g, ' ');
			return;
		}
		const name = String(node.nodeName).toUpperCase();
		if (node.nodeType !== ELEMENT_NODE || SILENT.has(name) || depth > DEEPEST)
			return;
		if (name === 'BR')
			current += '\n';
		const apart = !INLINE.has(name) && name !== 'BR';
		if (apart)
			flush();
		if (name === 'LI')
			current = '• ';
		for (const child of node.childNodes)
			walk(child, depth + 1);
		if (apart)
			flush();
	};
	walk(root, 0);
	flush();
	return paragraphs;
}

/**
 * The paragraphs of a text as items carry it: {value, contentType}.
 * @param {any} prose
 * @param {ParseHtml} parseHtml
 * @returns {string[]}
 */
function paragraphs(prose, parseHtml) {
	if (typeof prose?.value !== 'string')
		return [];
	const type = text(prose.contentType).toLowerCase();
	if (/html|xml/.test(type) || (!type && /^\s*<(p|div|h[1-6]|ul|ol|blockquote)\b/i.test(prose.value)))
		return paragraphsOf(parseHtml(prose.value).body);
	return prose.value.split(/\r?\n\s*\n/)
		.map((/** @type {string} */ part) => part.trim().replace(/[^\S\n]+/g, ' '))
		.filter(Boolean);
}

/** Does a text say that it is HTML? @param {any} prose */
const isHtml = (prose) => typeof prose?.value === 'string' &&
	/^(text\/html|application\/xhtml\+xml)\s*(;|$)/i.test(text(prose.contentType));

/**
 * The lede and what stands below it: a summary leads, else the first paragraph, which is not said again.
 * @param {string} summary
 * @param {any} main the body of the item
 * @param {string[]} prose its paragraphs as text
 * @param {boolean} headed is there a headline above?
 * @param {ParseHtml} parseHtml
 * @returns {{lede: string, body: Markup[]}}
 */
function ledeAndBody(summary, main, prose, headed, parseHtml) {
	/** @type {Markup[]} */ const body = isHtml(main) ? markupOf(parseHtml(main.value).body) : prose;
	if (summary)
		return { lede: summary, body };
	if (typeof body[0] === 'string' || isParagraph(body[0]))
		return { lede: prose[0] ?? '', body: body.slice(1) };
	return { lede: headed ? '' : prose[0] ?? '', body };
}

/**
 * How many words: those between spaces, and for writing without spaces, those a reader sees.
 * @param {string} prose
 * @param {string} [lang]
 */
export function countWords(prose, lang = '') {
	if (/^(zh|ja|th|lo|km|my)\b/i.test(lang) && 'Segmenter' in Intl) {
		const segments = new Intl.Segmenter(lang, { granularity: 'word' }).segment(prose);
		return [...segments].filter((segment) => segment.isWordLike).length;
	}
	return prose.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

/**
 * Whole minutes it takes to read so many words; half a minute counts as one.
 * @param {number} words
 */
export function readingTime(words) {
	return Math.round(words / WORDS_PER_MINUTE) || 0;
}

/* -- parts of an item ---------------------------------------------------------------------- */

/**
 * The one that has one of these roles, by their order; with '' in them, one that has no role.
 * @param {unknown} values
 * @param {string[]} roles
 */
function byRole(values, roles) {
	for (const role of roles)
		for (const value of list(values))
			if (text(value.role).toLowerCase() === role)
				return value;
	return undefined;
}

/** @param {unknown} values @param {string} role @param {ParseHtml} parseHtml */
const described = (values, role, parseHtml) => paragraphs(byRole(values, [role]), parseHtml).join(' ');

/**
 * The smallest image that is large enough, else the largest.
 * @param {unknown} renditions
 */
function bestImage(renditions) {
	const images = list(renditions)
		.filter((r) => imageUrl(r.href) && (isImage(r.contentType) || !text(r.contentType)))
		.sort((a, b) => (size(a.width) ?? 0) - (size(b.width) ?? 0));
	return images.find((r) => (size(r.width) ?? 0) >= PICTURE_WIDTH) ?? images.at(-1);
}

/**
 * @param {Item} picture
 * @param {ParseHtml} parseHtml
 * @param {boolean} own the item's own: what it says as a story is not said again below the picture
 * @returns {Picture|null}
 */
function pictureOf(picture, parseHtml, own) {
	const image = bestImage(picture?.renditions);
	if (!image)
		return null;
	const by = own ? '' : text(picture.by);
	const holder = text(picture.copyrightNotice) || text(picture.copyrightHolder);
	const caption = byRole(picture.descriptions, own ? ['caption'] : ['caption', '', 'main', 'summary']);
	return {
		src: imageUrl(image.href),
		width: size(image.width),
		height: size(image.height),
		alt: described(picture.descriptions, 'alt', parseHtml) ||
			text(byRole(picture.headlines, ['', 'main'])?.value),
		caption: paragraphs(caption, parseHtml).join(' '),
		credit: holder.includes(by) ? holder : [by, holder].filter(Boolean).join('/'),
	};
}

/** @param {string} name */
export function initialsOf(name) {
	const words = name.split(/[\s-]+/).filter((word) => /^\p{L}/u.test(word));
	const picked = words.length > 1 ? [words[0], words[words.length - 1]] : words;
	return picked.map((word) => [...word][0].toLocaleUpperCase()).join('');
}

/** @param {Item} author @param {ParseHtml} parseHtml @returns {Author} */
function authorOf(author, parseHtml) {
	const name = text(author.title) || text(byRole(author.headlines, ['', 'main', 'name'])?.value) ||
		text(author.by) || text(list(author.people)[0]?.name);
	const avatar = list(author.renditions).find((r) => text(r.name) === 'avatar' && imageUrl(r.href)) ??
		bestImage(author.renditions);
	return {
		name,
		initials: initialsOf(name),
		role: described(author.descriptions, 'jobtitle', parseHtml) ||
			described(author.descriptions, 'role', parseHtml),
		biography: described(author.descriptions, 'biography', parseHtml),
		avatar: avatar ? imageUrl(avatar.href) : '',
	};
}

/** @param {Item} item */
function videoOf(item) {
	const film = list(item.renditions).find((r) => /^video\//i.test(text(r.contentType)) && safeUrl(r.href));
	if (item.type !== 'video' || !film)
		return null;
	return { href: safeUrl(film.href), minutes: Math.round((size(film.duration) ?? 0) / 60) };
}

/** @param {Post} post @param {Item} item @returns {Label[]} */
function labelsOf(post, item) {
	const section = (Array.isArray(post.channels) ? post.channels : [])
		.find((channel) => typeof channel === 'string' && !channel.includes(':'));
	const genre = text(list(item.genres)[0]?.name);
	return [
		CLASS_LABELS.includes(post.class ?? '') && { word: String(post.class) },
		TYPE_LABELS.includes(item.type) && { word: String(item.type) },
		(post.action === 'update' || text(item.evolvedFrom)) && { word: 'update' },
		section && { text: section.charAt(0).toUpperCase() + section.slice(1).replace(/[._-]/g, ' ') },
		genre && !/^article/i.test(genre) && { text: genre },
	].filter((label) => typeof label === 'object');
}

/** @param {Post} post @param {Item} item @param {ParseHtml} parseHtml @returns {Story['correction']} */
function correctionOf(post, item, parseHtml) {
	const note = described(item.descriptions, 'correction', parseHtml);
	if (note)
		return { word: 'correction', text: note };
	return post.action === 'correct' ? { word: 'updated', text: '' } : null;
}

/**
 * The beginning of a text, at most so long, whole words where it has words.
 * @param {string} whole
 * @param {number} most
 */
export function beginningOf(whole, most) {
	if (whole.length <= most)
		return whole;
	const cut = whole.slice(0, most).replace(/[\uD800-\uDBFF]$/, '');
	const space = cut.lastIndexOf(' ');
	return `${cut.slice(0, space > most / 2 ? space : undefined).trimEnd()}…`;
}

/**
 * What to show of a post that has an item.
 * @param {Post} post
 * @param {ParseHtml} parseHtml
 * @returns {Story}
 */
export function storyOf(post, parseHtml) {
	const item = post.item ?? {};
	const associations = list(item.associations);
	const lang = /^[a-z]{2,3}(-[a-z0-9]{1,8})*$/i.test(text(item.language)) ? text(item.language) : '';

	const title = paragraphs(byRole(item.headlines, ['main', '', 'headline']) ?? list(item.headlines)[0],
		parseHtml).join(' ').replace(/\s+/g, ' ') ||
		(['event', 'planning'].includes(text(item.type)) ? text(item.title) : ''); // they have a name instead
	const headline = beginningOf(title, LONGEST_HEADLINE);
	const summary = paragraphs(byRole(item.descriptions, ['summary', 'main', '', 'lede', 'abstract']),
		parseHtml).join(' ');
	const main = byRole(item.bodies, ['main', '']) ?? list(item.bodies)[0];
	const prose = paragraphs(main, parseHtml);
	const words = size(main?.wordCount) ?? countWords(prose.join(' '), lang);

	const featured = associations.find((a) => text(a.rel) === 'featured') ??
		associations.find((a) => ['main', 'featuremedia'].includes(text(a.name))) ??
		associations.find((a) => a.type === 'picture' || a.type === 'graphic');
	const authors = associations.filter((a) => text(a.rel) === 'author').map((a) => authorOf(a, parseHtml));
	const { lede, body } = ledeAndBody(summary, main, prose, headline !== '', parseHtml);
	const changed = parseTime(item.versionCreated);
	const first = parseTime(item.firstCreated);

	return {
		uri: typeof item.uri === 'string' ? item.uri : '', /* letter by letter: it is a name */
		lang,
		class: text(post.class) || 'regular',
		version: text(item.version),
		stamp: `${text(item.version)} ${text(item.versionCreated)}`,
		labels: labelsOf(post, item),
		headline,
		lede,
		body: headline === title ? body : [title, ...body],
		summarised: summary !== '',
		minutes: readingTime(words),
		by: text(item.by),
		located: text(item.located),
		source: text(list(item.infoSources)[0]?.name),
		published: Number.isNaN(first) ? changed : first,
		changed,
		expires: parseTime(item.expires),
		correction: correctionOf(post, item, parseHtml),
		picture: (featured && pictureOf(featured, parseHtml, false)) ?? pictureOf(item, parseHtml, true),
		authors: authors.filter((author) => author.name),
		video: videoOf(item),
	};
}
