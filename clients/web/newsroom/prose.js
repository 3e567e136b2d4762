/**
 * prose.js - the body of a story between the editor and the item: simple HTML, out of whatever was typed or pasted.
 *
 * An editor's tree and an item's HTML pass story/markup.js's allow-list; what is pasted is made simpler still: paragraphs,
 * subheads, lists, quotes, bold, italic, links. HTML is read in an inert document, and built into the page node by node.
 */
import { el } from '../story/draw.js';
import { markupOf } from '../story/markup.js';

/** @typedef {import('../story/markup.js').Markup} Markup */

const VOID = ['br', 'hr', 'img'];
const KEPT = ['href', 'src', 'alt', 'lang', 'dir', 'start', 'colspan', 'rowspan'];
/* What pasted elements become; what is not here leaves its text. */
/** @type {Record<string, string>} */
const PASTED = { p: 'p', div: 'p', pre: 'p', h3: 'h3', h4: 'h3', h5: 'h3', h6: 'h3', ul: 'ul', ol: 'ol', li: 'li', blockquote: 'blockquote',
	strong: 'strong', b: 'strong', em: 'em', i: 'em', a: 'a', br: 'br' };
const BLOCKS = ['p', 'h3', 'ul', 'ol', 'blockquote'];

/** A document of untrusted HTML, never shown. @param {string} html */
export const parseHtml = (html) => new DOMParser().parseFromString(html, 'text/html');

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

/** @param {Markup} markup @returns {string} */
function htmlOf(markup) {
	if (typeof markup === 'string')
		return escaped(markup.replaceAll('\u00a0', ' '));
	const { tag, attributes, children } = markup;
	const set = Object.entries(attributes).filter(([name, value]) => KEPT.includes(name) && (value || name === 'alt'));
	const open = `<${tag}${set.map(([name, value]) => ` ${name}="${escaped(value)}"`).join('')}>`;
	return VOID.includes(tag) ? open : `${open}${children.map(htmlOf).join('')}</${tag}>`;
}

/** @param {Markup[]} blocks */
export const writeHtml = (blocks) => blocks.map(htmlOf).join('\n');

/** The HTML of what stands in an editor, or '' if that is nothing. @param {Element} editor */
export const readEditor = (editor) => writeHtml(markupOf(editor));

/** @param {Markup} markup @returns {Node|string} */
function nodeOf(markup) {
	if (typeof markup === 'string')
		return markup;
	const kept = Object.fromEntries(Object.entries(markup.attributes).filter(([name]) => KEPT.includes(name)));
	return el(markup.tag, markup.tag === 'img' ? { ...kept, referrerpolicy: 'no-referrer' } : kept, ...markup.children.map(nodeOf));
}

/** Puts HTML into an editor. @param {Element} editor @param {string} html */
export function fillEditor(editor, html) {
	const blocks = html ? markupOf(parseHtml(html).body) : [];
	editor.replaceChildren(...(blocks.length > 0 ? blocks.map(nodeOf) : [el('p', {}, el('br'))]));
}

/* -- what is pasted -------------------------------------------------------------------------- */

/** @param {string} style @param {RegExp} pattern */
const says = (style, pattern) => pattern.test(style);

/** Word processors say by style what they mean; here it becomes elements. @param {Document} document */
function meanStyles(document) {
	for (const node of document.querySelectorAll('[style], [class]')) {
		const style = (node.getAttribute('style') ?? '').toLowerCase();
		const listed = /mso-list:\s*l/.test(style) || /MsoListParagraph/.test(node.getAttribute('class') ?? '');
		/* Google Docs wraps all in <b style="font-weight:normal"> */
		if (/^(B|STRONG)$/.test(node.tagName) && says(style, /font-weight:\s*(normal|[1-4]00)/))
			node.replaceWith(...node.childNodes);
		else if (listed && node.tagName === 'P')
			meanItem(node);
		else if (/^(SPAN|FONT)$/.test(node.tagName))
			meanSpan(node, style);
	}
}

/** @param {Element} node @param {string} style */
function meanSpan(node, style) {
	if (says(style, /mso-list:\s*ignore|display:\s*none|mso-hide:\s*all/)) {
		node.remove();
		return;
	}
	const { ownerDocument } = node;
	for (const [tag, pattern] of /** @type {[string, RegExp][]} */ ([['strong', /font-weight:\s*(bold|[6-9]00)/], ['em', /font-style:\s*italic/]]))
		if (says(style, pattern)) {
			const wrap = ownerDocument.createElement(tag);
			wrap.append(...node.childNodes);
			node.append(wrap);
		}
}

/** Word's lists are paragraphs with a bullet in front. @param {Element} paragraph */
function meanItem(paragraph) {
	const { ownerDocument, previousElementSibling: before } = paragraph;
	for (const mark of paragraph.querySelectorAll('span'))
		if (/mso-list:\s*ignore/i.test(mark.getAttribute('style') ?? ''))
			mark.remove();
	const numbered = /^\s*\d+[.)]\s/.test(paragraph.textContent ?? '');
	const list = before?.hasAttribute('data-pasted') ? before : ownerDocument.createElement(numbered ? 'ol' : 'ul');
	const item = ownerDocument.createElement('li');
	item.append(...paragraph.childNodes);
	const first = ownerDocument.createTreeWalker(item, 4).nextNode();
	if (first)
		first.nodeValue = String(first.nodeValue).replace(/^\s*([·•o§▪-]|\d+[.)])\s+/, '');
	list.setAttribute('data-pasted', '');
	list.append(item);
	if (list !== before)
		paragraph.before(list);
	paragraph.remove();
}

/** Only what this editor makes. @param {Markup} markup @param {boolean} inside of a block @returns {Markup[]} */
function simple(markup, inside) {
	if (typeof markup === 'string')
		return [markup.replace(/\s+/g, ' ')];
	const tag = PASTED[markup.tag];
	const isBlock = BLOCKS.includes(tag);
	const flat = inside && ['p', 'h3'].includes(tag); // a paragraph in a list's item or a heading
	const children = markup.children.flatMap((child) => simple(child, inside || ['p', 'h3', 'li'].includes(tag)));
	if (!tag || flat)
		return isBlock && flat ? [...children, ' '] : children;
	return [{ tag, attributes: tag === 'a' ? { href: markup.attributes.href } : {}, children }];
}

/** Without white space at both ends. @param {Markup[]} children @returns {Markup[]} */
function trimmed(children) {
	return children.map((child, i) => {
		if (typeof child !== 'string')
			return child;
		const start = i === 0 ? child.trimStart() : child;
		return i === children.length - 1 ? start.trimEnd() : start;
	}).filter((child) => child !== '');
}

/** What is left of an empty list or of white space between the items of one. @param {Markup[]} blocks @returns {Markup[]} */
function tidy(blocks) {
	return blocks.map((block) => {
		if (typeof block === 'string' || !['ul', 'ol'].includes(block.tag))
			return block;
		const items = block.children.filter((child) => typeof child !== 'string' || child.trim())
			.map((child) => (typeof child !== 'string' && child.tag === 'li' ? child : { tag: 'li', attributes: {}, children: [child] }));
		return { ...block, children: items.map((one) => (typeof one === 'string' ? one : { ...one, children: trimmed(one.children) })) };
	}).map((block) => (typeof block === 'string' || ['ul', 'ol'].includes(block.tag) ? block : { ...block, children: trimmed(block.children) })).filter((block) => typeof block === 'string' ? block.trim() : hasText(block));
}

/** @param {Markup} markup @returns {boolean} */
const hasText = (markup) => (typeof markup === 'string' ? markup.trim() !== '' : markup.children.some(hasText));

/**
 * Pasted HTML as the editor's own.
 * @param {string} html
 * @returns {Markup[]}
 */
export function simplified(html) {
	const document = parseHtml(html);
	meanStyles(document);
	for (const heading of document.querySelectorAll('h1, h2')) {
		const small = document.createElement('h3');
		small.append(...heading.childNodes);
		heading.replaceWith(small);
	}
	return tidy(markupOf(document.body).flatMap((block) => simple(block, false)));
}

/** Pasted plain text: an empty line parts paragraphs; where there is none, each line is one. @param {string} text */
export function paragraphsOfText(text) {
	const parts = /\n\s*\n/.test(text.trim()) ? text.split(/\r?\n\s*\n/) : text.split(/\r?\n/);
	return parts.map((part) => part.trim()).filter(Boolean)
		.map((part) => ({ tag: 'p', attributes: {}, children: [part.replace(/\s+/g, ' ')] }));
}
