/**
 * page.js - the reader page: joins the SDK's stories, the river of articles and the reader's hands.
 */
import { follow } from '../sdk/newswire.js';
import { River, storyFrom } from '../story/river.js';
import { Saying } from '../story/saying.js';
import { clockTime, counted } from '../story/words.js';
import { Alerts } from './alerts.js';
import { Banner } from './banner.js';

/** @typedef {import('../sdk/store.js').Entry} Entry */

const PAGE_SIZE = 20;
const KEEP = 200; /* stories in the page of someone who leaves it open for days */
const TELL_AFTER_MS = 1000; /* a reconnect that is quicker is nobody's business */
const REFRESH_MS = 30_000;

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);
const feed = byId('feed');

/** @param {number} n */
const newStories = (n) => counted({ one: '{n} new story', other: '{n} new stories' }, n);

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

const river = new River(feed, news, {
	drawn: showCounts,
	before: () => byId('pause'),
	after: () => (byId('more').hidden ? null : byId('more')),
});

byId('older')?.remove(); /* the link of the page without a script; the button does more */
/* What the page said to machines when it came holds until one of its stories is taken back. */
const told = document.querySelector('script[type="application/ld+json"]');
const served = [...feed.children].map((article) => String(article.dataset.uri));

const saying = new Saying(byId('said'), newStories);

function showCounts() {
	if (told?.isConnected && served.some((uri) => news.store.get(uri)?.state !== 'shown'))
		told.remove();
	const count = river.waiting;
	byId('fresh').hidden = count === 0;
	byId('fresh').textContent = newStories(count);
	document.title = (count ? `(${count}) ` : '') + 'Newswire';
	byId('more').hidden = !news.hasOlder;
	const empty = river.size === 0 && count === 0;
	byId('empty').hidden = !empty;
	if (empty)
		byId('empty').textContent = 'No news yet. It appears here the moment it is published.';
}

/* -- breaking news ------------------------------------------------------------------------- */

/** @param {string} uri */
const goTo = (uri) => river.goTo(uri);
const banner = new Banner(
	{ box: byId('banner'), text: byId('banner-text'), close: byId('banner-close') }, goTo);
const alerts = new Alerts({
	button: byId('alerts'), box: byId('asking'), text: byId('asking-text'), yes: byId('asking-yes'), no: byId('asking-no'),
}, goTo, (words) => saying.say(words));

/* By how much the server's clock is behind ours, at most: what is read late is not from now. */
let behind = Infinity;

/**
 * When a post took its place on the wire, by our clock; what came ahead did so now.
 * @param {import('../sdk/common.js').Post} post
 */
function publishedAt(post) {
	const now = Date.now();
	const at = Number(/:(\d+)-/.exec(post.cursor ?? '')?.[1] ?? now);
	behind = Math.min(behind, now - at);
	return at + behind;
}

/** @param {Entry} entry */
function breaks(entry) {
	const { post } = entry;
	if (!post)
		return;
	const from = publishedAt(post);
	const story = storyFrom(post);
	if (post.class === 'flash')
		banner.offer(story, from);
	alerts.offer(story, from);
}

function settle() {
	if (banner.uri && news.store.get(banner.uri)?.post?.class !== 'flash')
		banner.withdraw();
}

news.store.addEventListener('change', (/** @type {any} */ { detail: { entry, change } }) => {
	breaks(entry);
	settle();
	if (change === 'added')
		saying.count();
	if (!entry.post)
		alerts.withdraw(entry.uri);
	if ((change === 'killed' || change === 'withheld') && river.article(entry.uri))
		saying.say(change === 'killed' ? 'A story was withdrawn' : 'A story was withheld');
});

let filled = false;

news.store.addEventListener('fill', (/** @type {any} */ { detail: { added, updated, older } }) => {
	settle();
	alerts.keepOnly((uri) => Boolean(news.store.get(uri)?.post));
	/* After a gap; what was there when the page came is no news. */
	for (const { post } of filled && !older ? [...added, ...updated].reverse() : []) {
		const story = post && storyFrom(post);
		if (story)
			alerts.offer(story, story.changed);
	}
	filled = true;
	const flash = added.find((/** @type {Entry} */ entry) => entry.post?.class === 'flash');
	if (!flash || older)
		return;
	const story = storyFrom(flash.post);
	banner.offer(story, story.changed);
});

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

/** @param {Date|null} heard */
function showWaiting(heard) {
	const since = heard ? ` last update ${clockTime(heard)}` : '';
	if (!navigator.onLine)
		showLink('offline', `Offline…${since}`);
	else
		showLink('waiting', since ? `Reconnecting…${since}` : 'Connecting…');
}

news.addEventListener('status', (/** @type {any} */ { detail: { state, heard } }) => {
	if (state === 'live')
		showLink('live', 'Live');
	else if (state === 'closed')
		showLink('closed', 'Disconnected. Reload the page.');
	else if (!linkTimer)
		linkTimer = setTimeout(() => showWaiting(heard), TELL_AFTER_MS);
});

news.addEventListener('error', (/** @type {any} */ event) => {
	if (river.size > 0)
		return;
	feed.setAttribute('aria-busy', 'false');
	byId('empty').hidden = false;
	byId('empty').textContent = event.detail.fatal
		? `This selection cannot be shown: ${event.detail.message}`
		: 'The news cannot be reached right now. Trying again…';
});

/* -- the reader's hands -------------------------------------------------------------------- */

byId('fresh').addEventListener('click', () => {
	river.reveal();
	scrollTo({ top: 0 });
	feed.firstElementChild?.focus({ preventScroll: true });
});

byId('pause').hidden = false;
byId('pause').addEventListener('click', () => {
	river.paused = !river.paused;
	byId('pause').textContent = river.paused ? 'Resume' : 'Pause';
	saying.say(river.paused ? 'Paused. Withdrawals still take effect.' : 'Live again');
});

byId('more').addEventListener('click', async () => {
	const more = byId('more');
	more.disabled = true;
	feed.setAttribute('aria-busy', 'true');
	try {
		const [entry] = await news.older();
		river.article(entry?.uri)?.focus({ preventScroll: true });
		more.textContent = 'Show more';
	} catch {
		more.textContent = 'That did not work. Try again';
	} finally {
		more.disabled = false;
		feed.setAttribute('aria-busy', 'false');
		showCounts();
	}
});

/* -- time passes --------------------------------------------------------------------------- */

function tell() {
	byId('today').textContent = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full' }).format(new Date());
	river.refresh();
}

tell();
setInterval(() => {
	tell();
	if (river.mayInsert && news.store.size > 1.5 * KEEP) {
		news.trim(KEEP);
		river.draw();
	}
}, REFRESH_MS);
document.addEventListener('visibilitychange', () => document.hidden || tell());
addEventListener('beforeprint', tell);

if (channels.length > 0)
	byId('sections').textContent = channels.join(' · ');
