/* The second allow-list: what of an untrusted tree the page may show. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { markupOf } from '../story/markup.js';

/* A tree as DOMParser makes it: strings are text, arrays are [name, {attributes}, ...children]. */
function node(tree) {
	if (typeof tree === 'string')
		return { nodeType: 3, nodeName: '#text', nodeValue: tree, childNodes: [] };
	const [name, attributes, ...children] = tree;
	return {
		nodeType: 1, nodeName: name.toUpperCase(), childNodes: children.map(node),
		getAttribute: (key) => attributes[key] ?? null,
	};
}

const show = (...trees) => markupOf(node(['body', {}, ...trees]));
const el = (tag, attributes, ...children) => ({ tag, attributes, children });

test('formatting stays, handlers, styles and unknown attributes do not', () => {
	assert.deepEqual(
		show(['p', { onclick: 'x', style: 'x', class: 'x', id: 'x' }, 'a ', ['b', {}, 'bold']], ['ol', { start: '3' }, ['li', {}, 'three']]),
		[el('p', {}, 'a ', el('b', {}, 'bold')), el('ol', { start: '3' }, el('li', {}, 'three'))]);
});

test('what runs or loads goes with all that it holds; what is unknown only leaves its text', () => {
	for (const name of ['script', 'style', 'svg', 'iframe', 'object', 'template', 'form'])
		assert.deepEqual(show(['p', {}, 'a', [name, {}, 'x']]), [el('p', {}, 'a')], name);
	assert.deepEqual(show(['my-card', {}, ['p', {}, 'a']]), [el('p', {}, 'a')]);
	assert.deepEqual(show(['constructor', {}, 'a']), [el('p', {}, 'a')]);
});

test('only addresses of the web are links and pictures', () => {
	for (const bad of ['javascript:x', ' java\nscript:x', 'data:text/html,x', '//a', '/a', '', 'vbscript:x'])
		assert.deepEqual(show(['p', {}, ['a', { href: bad }, 'a'], ['img', { src: bad }]]), [el('p', {}, 'a')], bad);
	assert.deepEqual(show(['img', { src: 'mailto:a@b' }]), []);
	const [block] = show(['p', {}, ['a', { href: 'https://a.example/', target: '_top', rel: 'opener' }, 'a']]);
	assert.deepEqual(block.children[0].attributes, { href: 'https://a.example/', rel: 'noopener noreferrer nofollow', target: '_blank' });
});

test('loose text becomes paragraphs, and empty blocks go', () => {
	assert.deepEqual(show('one ', ['i', {}, 'two'], ['p', {}, ' '], ['p', {}, 'three'], 'four'),
		[el('p', {}, 'one ', el('i', {}, 'two')), el('p', {}, 'three'), el('p', {}, 'four')]);
});

test('a tree without end is cut', () => {
	let tree = 'x';
	for (let i = 0; i < 500; i++)
		tree = ['div', {}, tree];
	assert.deepEqual(show(tree), []);
});
