/**
 * markup.js - from a tree of untrusted HTML to plain values: the elements and addresses that a body
 * may have, and nothing else. The server has cleaned the HTML by its own list; this is the second.
 */

/**
 * Text, or an element. Attributes are safe to set as they are.
 * @typedef {string|{tag: string, attributes: Record<string, string>, children: Markup[]}} Markup
 */

const TEXT_NODE = 3;
const ELEMENT_NODE = 1;
const DEEPEST = 100;

/* As what an element is shown. What is not here is left out, but not what it holds. */
/** @type {Record<string, string>} */
const SHOWN = { STRIKE: 's' };
for (const tag of ['p', 'div', 'br', 'hr', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'dl', 'dt', 'dd', 'blockquote', 'pre',
	'figure', 'figcaption', 'img', 'a', 'em', 'strong', 'i', 'b', 'u', 's', 'sub', 'sup', 'small', 'mark', 'cite', 'q',
	'abbr', 'code', 'ins', 'del', 'table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td'])
	SHOWN[tag.toUpperCase()] = tag;

/* What goes with all that it holds. */
const GONE = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'NOSCRIPT', 'IFRAME', 'OBJECT', 'EMBED', 'SVG', 'MATH', 'HEAD', 'TITLE',
	'SELECT', 'TEXTAREA', 'BUTTON', 'INPUT', 'AUDIO', 'VIDEO', 'CANVAS', 'FORM']);

const BLOCKS = new Set(['p', 'div', 'hr', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'dl', 'blockquote', 'pre', 'figure', 'table']);

/**
 * A web address, or ''.
 * @param {unknown} value
 * @param {string[]} schemes
 */
function address(value, schemes) {
	try {
		const url = new URL(String(value));
		return schemes.includes(url.protocol) ? url.href : '';
	} catch {
		return '';
	}
}

/** @param {any} node @param {string} name */
const attribute = (node, name) => String(node.getAttribute?.(name) ?? '');

/**
 * The attributes that an element is shown with, or null if it is not.
 * @param {any} node
 * @param {string} tag
 * @returns {Record<string, string>|null}
 */
function attributesOf(node, tag) {
	/** @type {Record<string, string>} */ const set = {};
	const lang = attribute(node, 'lang');
	const dir = attribute(node, 'dir');
	if (/^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.test(lang))
		set.lang = lang;
	if (/^(ltr|rtl|auto)$/.test(dir))
		set.dir = dir;
	for (const name of tag === 'td' || tag === 'th' ? ['colspan', 'rowspan'] : tag === 'ol' ? ['start'] : [])
		if (/^\d{1,3}$/.test(attribute(node, name)))
			set[name] = attribute(node, name);
	if (tag === 'a') {
		set.href = address(attribute(node, 'href'), ['http:', 'https:', 'mailto:']);
		set.rel = 'noopener noreferrer nofollow';
		set.target = '_blank';
		return set.href ? set : null;
	}
	if (tag === 'img') {
		set.src = address(attribute(node, 'src'), ['http:', 'https:']);
		set.alt = attribute(node, 'alt');
		return set.src ? set : null;
	}
	return set;
}

/**
 * What is shown of a node: text and elements, side by side.
 * @param {any} node
 * @param {number} depth
 * @returns {Markup[]}
 */
function shown(node, depth) {
	if (node.nodeType === TEXT_NODE)
		return [String(node.nodeValue)];
	const name = String(node.nodeName).toUpperCase();
	if (node.nodeType !== ELEMENT_NODE || GONE.has(name) || depth > DEEPEST)
		return [];
	const children = [...node.childNodes].flatMap((child) => shown(child, depth + 1));
	const tag = SHOWN[name];
	const attributes = tag ? attributesOf(node, tag) : null;
	return tag && attributes ? [{ tag, attributes, children }] : children;
}

/** @param {Markup} markup @returns {boolean} */
function isNothing(markup) {
	if (typeof markup === 'string')
		return !/\S/.test(markup);
	return !['img', 'hr'].includes(markup.tag) && markup.children.every(isNothing);
}

/**
 * The blocks of a tree, in order; text and inline elements between them become paragraphs, empty ones go.
 * @param {any} root
 * @returns {Markup[]}
 */
export function markupOf(root) {
	/** @type {Markup[]} */ const blocks = [];
	/** @type {Markup[]|null} */ let loose = null;
	for (const one of [...root.childNodes].flatMap((child) => shown(child, 0))) {
		if (typeof one !== 'string' && BLOCKS.has(one.tag)) {
			loose = null;
			blocks.push(one);
		} else if (loose) {
			loose.push(one);
		} else {
			loose = [one];
			blocks.push({ tag: 'p', attributes: {}, children: loose });
		}
	}
	return blocks.filter((block) => !isNothing(block));
}

/** Is it a paragraph, such as can lead a story? @param {Markup|undefined} markup */
export const isParagraph = (markup) => typeof markup === 'object' && markup.tag === 'p';
