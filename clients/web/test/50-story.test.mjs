/* From items, good and hostile, to what a reader is shown. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { beginningOf, countWords, initialsOf, paragraphsOf, readingTime, safeUrl, storyOf } from '../story/story.js';
import { ENGLISH, ago, counted, directionOf } from '../story/words.js';

/* A tree as DOMParser makes it: strings are text, arrays are [name, ...children]. */
function node(tree) {
	if (typeof tree === 'string')
		return { nodeType: 3, nodeName: '#text', nodeValue: tree, childNodes: [] };
	const [name, ...children] = tree;
	return { nodeType: 1, nodeName: name.toUpperCase(), childNodes: children.map(node) };
}

/* Enough of a parser for paragraphs; the real one is tested in the browser. */
const parseHtml = (html) => ({
	body: node(['body', ...html.split(/<\/?p>/).filter(Boolean).map((text) => ['p', text])]),
});

const show = (item, more = {}) => storyOf({ type: 'post', action: 'publish', class: 'regular', item: { uri: 'urn:a', ...item }, ...more }, parseHtml);

test('reading time is words by 250, rounded at half a minute', () => {
	assert.deepEqual([0, 124, 125, 374, 375, 1000].map(readingTime), [0, 0, 1, 1, 2, 4]);
	assert.equal(readingTime(NaN), 0);
});

test('a uri is a name, letter by letter', () => {
	for (const uri of ['urn:a ', ' urn:a', 'urn:a  b', 'urn:a\u00a0b'])
		assert.equal(show({ uri }).uri, uri);
	assert.equal(show({ uri: 5 }).uri, '');
});

test('words are counted as readers count them', () => {
	assert.equal(countWords('Two boats – make four crossings.'), 5);
	assert.equal(countWords(' \n '), 0);
	assert.ok(countWords('議会は夜間フェリーを承認した。', 'ja') > 3);
});

test('the newsroom\'s word count is taken, else the text is counted', () => {
	const value = 'word '.repeat(300);
	assert.equal(show({ bodies: [{ value, wordCount: 1000 }] }).minutes, 4);
	assert.equal(show({ bodies: [{ value }] }).minutes, 1);
	assert.equal(show({ bodies: [{ value, wordCount: 'many' }] }).minutes, 1);
	assert.equal(show({ headlines: [{ value: 'Only this' }] }).minutes, 0);
});

test('a tree becomes paragraphs: blocks part, inline joins, breaks stay', () => {
	assert.deepEqual(paragraphsOf(node(['body',
		['p', 'One ', ['b', 'bold'], '\n  word'],
		['div', 'loose', ['p', 'inner'], 'after'],
		['p', 'line', ['br'], 'break'],
		['ul', ['li', 'first'], ['li', ['p', 'second']]],
		['p', '  '],
	])), ['One bold word', 'loose', 'inner', 'after', 'line\nbreak', '• first', 'second']);
});

test('what is not prose leaves no text', () => {
	assert.deepEqual(paragraphsOf(node(['body', ['script', 'alert(1)'], ['style', 'p{}'], ['p', 'Text'],
		['iframe', 'x'], ['svg', ['text', 'y']], ['textarea', 'z']])), ['Text']);
});

test('plain text is split at empty lines, and markup in it is only text', () => {
	const story = show({ headlines: [{ value: 'H' }], bodies: [{ contentType: 'text/plain', value: 'One\nline.\r\n\r\n<b>Two</b>\n \nThree' }] });
	assert.deepEqual([story.lede, ...story.body], ['One\nline.', '<b>Two</b>', 'Three']);
});

test('a summary is the lede, and the body stays whole; else its first paragraph leads', () => {
	const bodies = [{ contentType: 'text/html', value: '<p>First.</p><p>Second.</p>' }];
	const summed = show({ bodies, descriptions: [{ role: 'summary', value: 'In short.' }] });
	const p = (text) => ({ tag: 'p', attributes: {}, children: [text] });
	assert.deepEqual([summed.lede, summed.body], ['In short.', [p('First.'), p('Second.')]]);
	const plain = show({ bodies });
	assert.deepEqual([plain.lede, plain.body], ['First.', [p('Second.')]]);
});

test('a correction has its note, and a silent one still says that it is one', () => {
	const note = 'An earlier version gave the vote as 7 to 2.';
	const item = { descriptions: [{ role: 'correction', value: note }] };
	assert.deepEqual(show(item, { action: 'correct' }).correction, { word: 'correction', text: note });
	assert.equal(show(item, { action: 'correct' }).lede, '');
	assert.deepEqual(show({}, { action: 'correct' }).correction, { word: 'updated', text: '' });
	assert.equal(show({}).correction, null);
});

test('caption and credit belong to the picture, and nobody is credited twice', () => {
	const renditions = [
		{ href: 'https://i.example/s.jpg', contentType: 'image/jpeg', width: 320 },
		{ href: 'https://i.example/l.jpg', contentType: 'image/jpeg', width: 4000, height: 3000 },
		{ href: 'https://i.example/m.jpg', contentType: 'image/jpeg', width: 1280, height: 853 },
	];
	const descriptions = [{ role: 'alt', value: 'A ferry.' }, { role: 'caption', value: 'A ferry leaves.' }];
	const picture = (more) => show({ associations: [{ rel: 'featured', type: 'picture', renditions, descriptions, ...more }] }).picture;
	assert.deepEqual(picture({ by: 'Tomas Reef', copyrightNotice: 'Tomas Reef/Example Wire' }), {
		src: 'https://i.example/m.jpg', width: 1280, height: 853,
		alt: 'A ferry.', caption: 'A ferry leaves.', credit: 'Tomas Reef/Example Wire',
	});
	assert.equal(picture({ by: 'Tomas Reef', copyrightHolder: 'Desk' })?.credit, 'Tomas Reef/Desk');
	assert.equal(picture({ renditions: [{ href: 'javascript:alert(1)', contentType: 'image/png' }] }), null);
});

test('an author has a face, or initials', () => {
	const author = (more) => show({ associations: [{ rel: 'author', type: 'component', title: 'Ilse van Marrow', ...more }] }).authors[0];
	const full = author({
		descriptions: [{ role: 'jobtitle', value: 'Reporter' }, { role: 'biography', value: 'Covers ports.' }],
		renditions: [{ name: 'avatar', href: 'https://i.example/im.png', contentType: 'image/png' }],
	});
	assert.deepEqual(full, { name: 'Ilse van Marrow', initials: 'IM', role: 'Reporter', biography: 'Covers ports.', avatar: 'https://i.example/im.png' });
	assert.equal(author({}).avatar, '');
	assert.equal(initialsOf('Олена Пристань'), 'ОП');
	assert.equal(initialsOf('Staff'), 'S');
	assert.equal(initialsOf('<script>'), '');
});

test('a video says so, has its poster and can be watched', () => {
	const story = show({ type: 'video', renditions: [
		{ name: 'mp4', href: 'https://v.example/a.mp4', contentType: 'video/mp4', duration: 1264.5 },
		{ name: 'poster', href: 'https://v.example/a.jpg', contentType: 'image/jpeg', width: 1280, height: 720 },
	], by: 'Video desk', descriptions: [{ role: 'summary', value: 'A film.' }] }, { channels: ['culture', 'feed:all'], class: 'flash' });
	assert.deepEqual(story.labels, [{ word: 'flash' }, { word: 'video' }, { text: 'Culture' }]);
	assert.deepEqual(story.video, { href: 'https://v.example/a.mp4', minutes: 21 });
	assert.equal(story.picture?.src, 'https://v.example/a.jpg');
	assert.deepEqual([story.picture.caption, story.picture.credit], ['', ''], 'the lede and the byline say it already');
});

test('only web addresses are links or pictures', () => {
	for (const bad of ['javascript:alert(1)', ' javascript:alert(1)', 'data:text/html,x', 'vbscript:x', '//x', 'x.png', '', null, {}])
		assert.equal(safeUrl(bad), '', String(bad));
	assert.equal(safeUrl('https://a.example/x y'), 'https://a.example/x%20y');
});

test('no shape of an item can break the page', () => {
	const odd = [null, 0, 'x', [], [null], [1], {}, [[]], [{ value: 7, role: {} }], true, [{ rel: 'featured', renditions: 5 }]];
	for (const value of odd)
		for (const key of ['headlines', 'bodies', 'descriptions', 'associations', 'renditions', 'genres', 'by', 'language', 'type',
			'versionCreated', 'firstCreated', 'infoSources', 'located', 'expires', 'evolvedFrom'])
			assert.equal(typeof show({ [key]: value }).headline, 'string', `${key}: ${JSON.stringify(value)}`);
	assert.equal(show({ language: 'en"><script>' }).lang, '');
	assert.equal(storyOf({ type: 'post', action: 'publish' }, parseHtml).uri, '');
});

test('time is told as people tell it', () => {
	const now = Date.parse('2026-01-10T12:00:00Z');
	const minutes = (n) => ago(now - n * 60_000, now);
	assert.deepEqual([-3, 0, 1, 59, 60, 23 * 60 + 59].map(minutes),
		['now', 'now', '1 min ago', '59 min ago', '1 hr ago', '23 hr ago']);
	assert.equal(ago(Date.parse('2026-01-02T12:00:00Z'), now), '2 January');
	assert.equal(ago(Date.parse('2025-12-30T12:00:00Z'), now), '30 December 2025');
});

test('time and numbers are told in the language of the page', () => {
	const now = Date.parse('2026-01-10T12:00:00Z');
	assert.equal(ago(now - 5 * 60_000, now, { ...ENGLISH, locale: 'uk' }), '5 хв тому');
	assert.equal(counted({ one: '{n} story', other: '{n} stories' }, 1), '1 story');
	assert.equal(counted({ one: '{n} story', other: '{n} stories' }, 2000), '2,000 stories');
	assert.deepEqual(['ar', 'he-IL', 'en', 'uk', ''].map(directionOf), ['rtl', 'rtl', 'ltr', 'ltr', '']);
});

test('a headline of ten thousand characters is cut, and loses nothing', () => {
	const long = 'Nineteen ferries '.repeat(600).trim();
	const story = show({ headlines: [{ value: long }], bodies: [{ value: 'And a body.' }] });
	assert.ok(story.headline.length <= 241 && story.headline.endsWith('ferries…'), story.headline);
	assert.equal(story.body[0], long);
	assert.equal(beginningOf('short', 10), 'short');
	assert.equal(beginningOf('𝒳'.repeat(10), 9), `${'𝒳'.repeat(4)}…`, 'no half a character');
});

test('a stamp names one version of a story', () => {
	assert.equal(show({ version: '3', versionCreated: '2026-01-10T08:12:04Z' }).stamp, '3 2026-01-10T08:12:04Z');
});
