/**
 * page.js - the reader page: joins the SDK's stories, the drawing and the reader's hands.
 *
 * The rule it keeps: the page never moves under someone who reads. News goes in at the top only
 * while the top is in view and nobody is busy there; otherwise it waits behind a button. What was
 * withdrawn leaves at once, whatever the reader does.
 */
import { follow } from '../sdk/newswire.js';
import { Banner } from './banner.js';
import { drawNotice, drawStory, isOpen, refreshTimes, tend } from '../story/draw.js';
import { storyOf } from '../story/story.js';
import { clockTime } from '../story/words.js';

/** @typedef {import('../sdk/store.js').Entry} Entry */

const PAGE_SIZE = 20;
const KEEP = 200; /* stories in the page of someone who leaves it open for days */
const DRAW_AFTER_MS = 16;
const SAY_AFTER_MS = 1000; /* one announcement for stories that come together */
const TELL_AFTER_MS = 1000; /* a reconnect that is quicker is nobody's business */

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);
const feed = byId('feed');
const parser = new DOMParser();
/** @param {import('../sdk/common.js').Post} post */
const storyFrom = (post) => storyOf(post, (html) => parser.parseFromString(html, 'text/html'));

/** @param {number} count */
const newStories = (count) => `${count} new ${count === 1 ? 'story' : 'stories'}`;

/* -- what to show -------------------------------------------------------------------------- */

const query = new URLSearchParams(location.search);
/** @param {string} name */
const asked = (name) => (query.get(name) ?? '').split(',').map((part) => part.trim()).filter(Boolean);
const channels = asked('channels');

const news = follow({
	channels,
	class: asked('class'),
	lang: asked('lang'),
	types: asked('type'),
	ahead: true,
	limit: PAGE_SIZE,
});

/* -- the list ------------------------------------------------------------------------------ */

/* Those that came with the page stay until the feed says what became of them. */
/** @type {Map<string, HTMLElement>} */ const articles = new Map(
	[...feed.querySelectorAll(':scope > article')].map((article) => [article.dataset.uri, article]));
tend(feed);
/** @type {Set<string>} uris to draw anew */ const changed = new Set();
/* Came while the reader was busy. What is killed meanwhile stays in here, and out of the page. */
/** @type {Set<string>} */ const waiting = new Set();
let paused = false;
let drawTimer = 0;

const waitingStories = () =>
	[...waiting].filter((uri) => news.store.get(uri)?.state === 'shown');

const topInView = () => feed.getBoundingClientRect().top > -8;

/* Someone reads in the list: an open story in view, the keyboard in it, or text being selected. */
function busyReading() {
	if (feed.querySelector(':focus-visible'))
		return true;
	const selection = getSelection();
	if (selection && !selection.isCollapsed && feed.contains(selection.anchorNode))
		return true;
	return [...feed.children].some((article) => {
		const { top, bottom } = article.getBoundingClientRect();
		return bottom > 0 && top < innerHeight && isOpen(article);
	});
}

const mayInsert = () => !paused && topInView() && !busyReading();

function drawSoon() {
	if (!drawTimer)
		drawTimer = setTimeout(draw, DRAW_AFTER_MS);
}

/** @param {Entry} entry @returns {HTMLElement} */
function drawEntry(entry) {
	const known = articles.get(entry.uri);
	if (!changed.delete(entry.uri) && known)
		return known;
	const story = entry.post && storyFrom(entry.post);
	if (story && story.stamp === known?.dataset.stamp)
		return known;
	const article = story ? drawStory(story, { article: known }) : drawNotice(entry, { article: known });
	articles.set(entry.uri, article);
	return article;
}

/** @param {HTMLElement} article */
function dropArticle(article) {
	const next = article.nextElementSibling ?? article.previousElementSibling ?? feed;
	if (article.contains(document.activeElement))
		/** @type {HTMLElement} */ (next).focus({ preventScroll: true });
	article.remove();
}

/* Brings the list to what the store says, touching only what differs. */
function draw() {
	clearTimeout(drawTimer);
	drawTimer = 0;
	if (mayInsert())
		for (const uri of waitingStories())
			waiting.delete(uri);

	if (banner.uri && news.store.get(banner.uri)?.post?.class !== 'flash')
		banner.withdraw();
	feed.setAttribute('aria-busy', 'true');
	/* At the very top the browser would keep the old first story in place, and hide the new. */
	feed.style.overflowAnchor = topInView() ? 'none' : '';
	for (const [uri, article] of articles)
		if (!news.store.get(uri)?.listed) {
			articles.delete(uri);
			dropArticle(article);
		}
	let spot = feed.firstElementChild;
	let position = 0;
	for (const entry of news.store) {
		if (waiting.has(entry.uri))
			continue;
		const article = drawEntry(entry);
		if (article === spot)
			spot = spot.nextElementSibling;
		else
			feed.insertBefore(article, spot);
		article.setAttribute('aria-posinset', String(++position));
	}
	feed.setAttribute('aria-busy', 'false');
	showCounts();
}

function showCounts() {
	const count = waitingStories().length;
	byId('fresh').hidden = count === 0;
	byId('fresh').textContent = newStories(count);
	document.title = (count ? `(${count}) ` : '') + 'Newswire';
	byId('more').hidden = !news.hasOlder;
	const empty = articles.size === 0 && count === 0;
	byId('empty').hidden = !empty;
	if (empty)
		byId('empty').textContent = 'No news yet. It appears here the moment it is published.';
}

function revealWaiting() {
	for (const uri of waitingStories())
		waiting.delete(uri);
	draw();
}

/** @param {string} uri */
function goTo(uri) {
	if (waiting.has(uri))
		revealWaiting();
	articles.get(uri)?.focus({ preventScroll: true });
	articles.get(uri)?.scrollIntoView({ block: 'center' });
}

/* -- what happens to stories --------------------------------------------------------------- */

const banner = new Banner(
	{ box: byId('banner'), text: byId('banner-text'), close: byId('banner-close') }, goTo);

news.store.addEventListener('change', (/** @type {any} */ event) => {
	const { entry, change } = event.detail;
	changed.add(entry.uri);
	if (entry.post?.class === 'flash')
		banner.offer(storyFrom(entry.post), Date.now());

	switch (change) {
	case 'added':
		if (!mayInsert())
			waiting.add(entry.uri);
		announceNew();
		return drawSoon();
	case 'killed':
	case 'withheld':
		if (entry.listed && articles.has(entry.uri))
			say(change === 'killed' ? 'A story was withdrawn' : 'A story was withheld');
		return draw();
	case 'removed':
		return draw();
	default:
		return drawSoon();
	}
});

news.store.addEventListener('fill', (/** @type {any} */ event) => {
	const { added, updated, older } = event.detail;
	const first = articles.size === 0;
	for (const entry of updated)
		changed.add(entry.uri);
	for (const entry of added) {
		changed.add(entry.uri); /* it may have come with the page, in another version */
		if (!older && !first && !articles.has(entry.uri) && !mayInsert())
			waiting.add(entry.uri);
	}
	const flash = added.find((/** @type {Entry} */ entry) => entry.post?.class === 'flash');
	if (flash && !older) {
		const story = storyFrom(flash.post);
		banner.offer(story, story.changed);
	}
	draw();
});

/* -- what is said -------------------------------------------------------------------------- */

let sayTimer = 0;
let unannounced = 0;

/** @param {string} words for those who hear the page */
function say(words) {
	byId('said').textContent = words;
}

function announceNew() {
	unannounced++;
	if (sayTimer)
		return;
	say('');
	sayTimer = setTimeout(() => {
		say(newStories(unannounced));
		sayTimer = unannounced = 0;
	}, SAY_AFTER_MS);
}

/* -- the link ------------------------------------------------------------------------------ */

let linkTimer = 0;

/** @param {string} state @param {string} words */
function showLink(state, words) {
	clearTimeout(linkTimer);
	linkTimer = 0;
	byId('link').dataset.state = state;
	if (byId('link').textContent !== words)
		byId('link').textContent = words;
}

news.addEventListener('status', (/** @type {any} */ event) => {
	const { state, heard } = event.detail;
	if (state === 'live')
		showLink('live', 'Live');
	else if (state === 'closed')
		showLink('closed', 'Disconnected. Reload the page.');
	else if (!linkTimer)
		linkTimer = setTimeout(() => showLink('waiting', heard
			? `Reconnecting… last update ${clockTime(heard)}`
			: 'Connecting…'), TELL_AFTER_MS);
});

news.addEventListener('error', (/** @type {any} */ event) => {
	if (articles.size > 0)
		return;
	feed.setAttribute('aria-busy', 'false');
	byId('empty').hidden = false;
	byId('empty').textContent = event.detail.fatal
		? `This selection cannot be shown: ${event.detail.message}`
		: 'The news cannot be reached right now. Trying again…';
});

/* -- the reader's hands -------------------------------------------------------------------- */

byId('fresh').addEventListener('click', () => {
	revealWaiting();
	scrollTo({ top: 0 });
	feed.firstElementChild?.focus({ preventScroll: true });
});

byId('pause').addEventListener('click', () => {
	paused = !paused;
	byId('pause').textContent = paused ? 'Resume' : 'Pause';
	say(paused ? 'Paused. Withdrawals still take effect.' : 'Live again');
	draw();
});

byId('more').addEventListener('click', async () => {
	const more = byId('more');
	more.disabled = true;
	feed.setAttribute('aria-busy', 'true');
	try {
		const [entry] = await news.older();
		articles.get(entry?.uri)?.focus({ preventScroll: true });
		more.textContent = 'Show more';
	} catch {
		more.textContent = 'That did not work. Try again';
	} finally {
		more.disabled = false;
		feed.setAttribute('aria-busy', 'false');
		showCounts();
	}
});

/* Page Down and Page Up walk the stories, Control+End and Control+Home leave them (APG, feed). */
feed.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
	const article = /** @type {Element} */ (event.target).closest('article');
	const leave = event.ctrlKey && { End: byId('more').hidden ? null : byId('more'), Home: byId('pause') };
	const step = { PageDown: article?.nextElementSibling, PageUp: article?.previousElementSibling };
	const to = /** @type {any} */ (leave || step)[event.key];
	if (!to)
		return;
	event.preventDefault();
	to.focus();
});

addEventListener('scroll', () => {
	if (waiting.size > 0 && mayInsert())
		drawSoon();
}, { passive: true });

setInterval(() => {
	refreshTimes(feed);
	showToday();
	if (mayInsert() && news.store.size > 1.5 * KEEP) {
		news.trim(KEEP);
		draw();
	}
}, 30_000);

/* -- the masthead -------------------------------------------------------------------------- */

function showToday() {
	byId('today').textContent = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full' }).format(new Date());
}

showToday();
if (channels.length > 0)
	byId('sections').textContent = channels.join(' · ');
