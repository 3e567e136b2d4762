/**
 * shared.js - one connection for all tabs: one leads and holds it, the others listen to what it hears.
 *
 * Who leads  has the Web Lock of the group: same server, same subscription. The browser gives it to
 *            the next in the queue when a tab closes, crashes, or lets go since it is put to sleep.
 * What it says  on a BroadcastChannel: each piece of news with the place before it and after it.
 * Who follows  takes news if it stands at or behind the place before it, drops what it has, and knows
 *            by any other that it has missed something. Then it opens a stream of its own, from its own
 *            place, until it has caught up with the leader. So no tab depends on another for being right.
 * Who is silent  is asked, and if it does not answer, its lock is taken away.
 *
 * @module newswire/shared
 */
import { streamAddress } from './address.js';
import { NewswireError } from './common.js';
import { compareCursors } from './cursor.js';
import { Stream } from './stream.js';
import { REAL_CLOCK } from './waiting.js';

/** @typedef {import('./common.js').Link} Options */
/** @typedef {import('./common.js').Status} Status */
/** @typedef {import('./common.js').Subscription} Subscription */
/** @typedef {import('./stream.js').News} News */
/** @typedef {import('./stream.js').Reader} Reader */

const TICK_MS = 25_000; /* as long as the leader has not said another */
const ANSWER_WITHIN_MS = 1_500; /* then the news comes from a stream of its own … */
const HELLO_WITHIN_MS = 10_000; /* a link gives a handshake so long */
const DEPOSE_AFTER_MS = 6_000; /* … and after this the leader is taken for dead */
const SPREAD_MS = 2_000;
const BEHIND_SPREAD_MS = 300;
const REFUSED = 4000;
const KINDS = new Set(['news', 'status', 'error']); /* of what a leader says */

/**
 * What a group is called.
 * @param {Options} options
 * @param {Subscription} want
 */
function groupOf(options, want) {
	const sorted = (/** @type {string[]|undefined} */ list) => list && [...new Set(list)].sort();
	const { channels, class: classes, lang, types, view, readers } = want;
	return `newswire:1:${streamAddress(options, {
		channels: sorted(channels), class: sorted(classes), lang: sorted(lang), types: sorted(types), view, readers,
	})}`;
}

/**
 * @param {Options} options
 * @returns {boolean} whether tabs can share here
 */
export function canShare({ share, locks = globalThis.navigator?.locks, BroadcastChannel: Channel = globalThis.BroadcastChannel }) {
	const isPage = globalThis.document !== undefined;
	if (!(share ?? isPage) || !locks || !Channel)
		return false;
	try {
		new Channel('newswire').close();
		return true;
	} catch {
		return false; /* where storage is forbidden, channels may be, too */
	}
}

/**
 * @param {string|undefined} mine
 * @param {string|undefined} place
 * @returns {boolean} mine is that place, or behind it in the same history
 */
function reaches(mine, place) {
	const order = compareCursors(mine, place);
	return mine === place || (order !== null && order >= 0);
}

/**
 * Always true: `#stream` is there if this tab leads, or has lost the thread; there is a `#channel`
 * if and only if it takes part.
 */
export class Shared {
	/** @type {Options} */ #options;
	/** @type {Subscription} */ #want;
	/** @type {Reader} */ #reader;
	/** @type {import('./common.js').Clock} */ #clock;
	/** @type {() => number} */ #random;
	/** @type {Status} */ #status = { state: 'idle', heard: null };
	/** @type {any} */ #channel = null;
	/** @type {AbortController|null} */ #place = null; /* in the queue for the lock, or holding it */
	/** @type {(() => void)|null} */ #release = null;
	/** @type {Stream|null} */ #stream = null;
	#leads = false;
	/** @type {string|undefined} */ #head; /* where the leader stands, as far as it has said */
	/** @type {Status|null} */ #led = null; /* how the leader is; null: not known, or silent */
	#tickMs = TICK_MS;
	/** @type {Set<any>} */ #timers = new Set();
	/** @type {any} */ #behindTimer = null;
	/** @type {{resolve: Function, reject: Function}[]} */ #asked = [];
	/** @type {{want: Subscription, place: string|undefined}|null} */ #before = null;
	/** @type {NewswireError|null} */ #refusal = null;

	/**
	 * @param {Options} options
	 * @param {Subscription} want
	 * @param {Reader} reader
	 */
	constructor(options, want, reader) {
		this.#options = options;
		this.#want = want;
		this.#reader = reader;
		this.#clock = options.clock ?? REAL_CLOCK;
		this.#random = options.random ?? Math.random;
		groupOf(options, want); /* what makes no address is said at once */
	}

	get status() { return this.#status; }

	open() {
		if (this.#status.state === 'idle')
			this.#join();
	}

	close() {
		this.#end({ state: 'closed', heard: this.#status.heard });
	}

	online() {
		this.#stream?.online();
	}

	offline() {
		this.#stream?.offline();
	}

	check() {
		if (this.#stream)
			this.#stream.check();
		else if (this.#channel)
			this.#ask();
	}

	/* A tab that does not run must not lead, nor wait for its turn to. */
	sleep() {
		if (!this.#channel)
			return;
		this.#leave();
		this.#show({ state: 'waiting', heard: this.#status.heard, reason: 'asleep' });
	}

	wake() {
		if (!this.#channel && this.#status.state === 'waiting')
			this.#join();
	}

	/**
	 * Goes over to the group of another subscription; back, if the server refuses it.
	 * @param {Subscription} want
	 * @param {string} [since]
	 * @returns {Promise<string|undefined>}
	 */
	subscribe(want, since) {
		this.#before ??= { want: this.#want, place: this.#reader.place() };
		const answer = new Promise((resolve, reject) => {
			this.#asked.push({ resolve, reject });
		});
		this.#leave();
		this.#want = want;
		if (since)
			this.#reader.moved(since);
		if (this.#status.state !== 'idle')
			this.#join();
		return answer;
	}

	/* -- taking part ---------------------------------------------------------------------- */

	#join() {
		const group = groupOf(this.#options, this.#want);
		const Channel = this.#options.BroadcastChannel ?? globalThis.BroadcastChannel;
		this.#channel = new Channel(group);
		this.#channel.onmessage = (/** @type {any} */ event) => this.#hear(event.data);
		this.#show({ state: 'connecting', heard: this.#status.heard });
		if (!this.#channel)
			return; /* a listener has closed it */
		this.#queue(group, false);
		this.#ask();
	}

	/**
	 * @param {string} group
	 * @param {boolean} steal
	 */
	#queue(group, steal) {
		const locks = this.#options.locks ?? globalThis.navigator.locks;
		const place = new AbortController();
		this.#place?.abort();
		this.#place = place;
		locks.request(group, steal ? { steal } : { signal: place.signal }, () => this.#lead(place))
			.catch((/** @type {any} */ error) => {
				if (this.#place === place)
					error?.name === 'AbortError' ? this.#deposed(group) : this.#leadAlone();
			});
	}

	/** @param {AbortController} place */
	#lead(place) {
		if (this.#place !== place)
			return undefined; /* it has left meanwhile */
		this.#leads = true;
		this.#head = undefined;
		this.#led = null;
		this.#forgetTimers();
		return new Promise((resolve) => {
			this.#release = () => resolve(undefined);
			this.#begin();
		});
	}

	/* What it had of its own to catch up is the connection of all from now on. */
	#begin() {
		const stream = this.#stream;
		if (!stream)
			return this.#openStream();
		this.#tell(stream.status);
		this.#show(stream.status);
	}

	/* Somebody took the lock away, since this tab was silent for long. */
	/** @param {string} group */
	#deposed(group) {
		this.#leads = false;
		this.#release = null;
		this.#queue(group, false);
		this.#ask();
	}

	/* There are no locks to be had here after all. */
	#leadAlone() {
		this.#leads = true;
		this.#forgetTimers();
		this.#begin();
	}

	#leave() {
		this.#place?.abort();
		this.#place = null;
		this.#release?.();
		this.#release = null;
		this.#leads = false;
		this.#head = undefined;
		this.#led = null;
		this.#forgetTimers();
		this.#closeStream();
		this.#channel?.close();
		this.#channel = null;
	}

	/** @param {Status} status */
	#end(status) {
		if (this.#status.state === 'closed')
			return;
		this.#leave();
		this.#settle((asked) =>
			asked.reject(this.#refusal ?? new NewswireError('The wire is closed.', { code: 'closed' })));
		this.#show(status);
	}

	/* -- a stream of its own -------------------------------------------------------------- */

	#openStream() {
		const { place, moved } = this.#reader;
		const isMine = () => stream === this.#stream;
		/** @type {Stream} */
		const stream = new Stream(this.#options, this.#want, {
			place,
			moved,
			take: (news) => isMine() && this.#took(news),
			changed: (status) => isMine() && this.#changed(status),
			complain: (error) => isMine() && this.#complain(error),
		});
		this.#stream = stream;
		stream.open();
	}

	#closeStream() {
		const stream = this.#stream;
		this.#stream = null;
		stream?.close();
	}

	/** @param {News} news */
	#took(news) {
		this.#status.heard = new Date();
		const prev = this.#reader.place();
		this.#reader.take(news);
		if (this.#leads)
			this.#post({ kind: 'news', news, prev, place: this.#reader.place() });
		else
			this.#rejoin();
	}

	/** @param {Status} status */
	#changed(status) {
		if (status.state === 'closed')
			return this.#refused(status);
		if (this.#leads)
			this.#tell(status);
		else if (status.state === 'live')
			this.#stream?.ask();
		this.#show(status);
		if (!this.#leads)
			this.#rejoin();
	}

	/** @param {NewswireError} error */
	#complain(error) {
		if (this.#leads) {
			const { message, code, status, fatal } = error;
			this.#post({ kind: 'error', error: { message, code, status, fatal }, place: this.#reader.place() });
		}
		this.#heardError(error);
	}

	/* The server wants no such subscription: a new one is given up for the one before. */
	/** @param {Status} status */
	#refused(status) {
		if (this.#leads)
			this.#tell(status);
		const before = this.#before;
		if (!before || status.code !== REFUSED)
			return this.#end(status);
		this.#leave();
		this.#want = before.want;
		if (before.place)
			this.#reader.moved(before.place);
		this.#settle((asked) => asked.reject(this.#refusal));
		this.#join();
	}

	/** @param {NewswireError} error */
	#heardError(error) {
		if (!this.#before)
			this.#reader.complain(error);
		else if (!error.fatal)
			this.#refusal = error;
	}

	/* -- among tabs ----------------------------------------------------------------------- */

	/** @param {object} message */
	#post(message) {
		this.#channel?.postMessage(message);
	}

	/** @param {Status} status */
	#tell(status) {
		this.#post({ kind: 'status', status, tick: this.#stream?.tickMs, place: this.#reader.place() });
	}

	/* Whoever asks misses something. A hidden tab's timers may be late by a minute, so it looks now. */
	#answer() {
		const stream = this.#stream;
		if (!stream)
			return;
		this.#tell(stream.status);
		stream.check();
	}

	/* Is there a leader? */
	#ask() {
		this.#forgetTimers();
		this.#post({ kind: 'who' });
		this.#after(ANSWER_WITHIN_MS, () => {
			this.#led = null;
			if (!this.#stream)
				this.#openStream();
		});
		this.#after(DEPOSE_AFTER_MS + this.#random() * SPREAD_MS, () =>
			this.#queue(groupOf(this.#options, this.#want), true));
	}

	/** @param {any} message */
	#hear(message) {
		if (message?.kind === 'who') {
			if (this.#leads)
				this.#answer();
			return;
		}
		if (this.#leads || !this.#channel || !KINDS.has(message?.kind))
			return; /* for a moment there may be two who lead: the lock decides, and both are right */
		this.#forgetTimers();
		this.#tickMs = message.tick || this.#tickMs;
		this.#after(this.#patience(message.status), () => this.#ask());
		this.#head = message.place;
		switch (message.kind) {
		case 'news':
			this.#status.heard = new Date();
			this.#follow(message.news, message.prev);
			break;
		case 'status':
			this.#ledBy(message.status);
			break;
		case 'error':
			this.#heardError(new NewswireError(message.error.message, message.error));
		}
		this.#rejoin();
	}

	/* How long the leader may say nothing: two ticks and some grace, or until its attempt is over. */
	/** @param {Status} [status] */
	#patience(status) {
		if (!status || status.state === 'live')
			return 2.5 * this.#tickMs;
		return (status.retry ?? HELLO_WITHIN_MS) + ANSWER_WITHIN_MS;
	}

	/** @param {Status} status */
	#ledBy(status) {
		this.#led = status;
		if (status.state === 'closed')
			return this.#refused(status);
		if (this.#head && this.#reader.place() === undefined)
			this.#reader.take({ type: 'tick', cursor: this.#head });
		if (this.#head && !reaches(this.#reader.place(), this.#head))
			this.#fallBehind();
		else if (!this.#stream)
			this.#show(status);
	}

	/**
	 * @param {any} news
	 * @param {string|undefined} prev where the leader stood before it
	 */
	#follow(news, prev) {
		const mine = this.#reader.place();
		if (news.cursor === undefined)
			return this.#stream ? undefined : this.#reader.take(news);
		if (mine !== undefined && reaches(mine, news.cursor))
			return; /* it has it */
		if (news.type === 'gap' || mine === undefined || (prev !== undefined && reaches(mine, prev)))
			this.#reader.take(news);
		else
			this.#fallBehind();
	}

	/* Something was missed. What is on its way from the leader before it may mend that yet. */
	#fallBehind() {
		if (this.#stream || this.#behindTimer !== null)
			return;
		this.#behindTimer = this.#clock.setTimeout(() => {
			this.#behindTimer = null;
			if (!this.#leads && !this.#stream && this.#channel && !reaches(this.#reader.place(), this.#head))
				this.#openStream();
		}, this.#random() * BEHIND_SPREAD_MS);
	}

	/* As soon as the leader's news goes on where this tab stands, its own stream is not needed. */
	#rejoin() {
		if (this.#leads || !this.#stream || this.#led?.state !== 'live' || this.#head === undefined)
			return;
		if (!reaches(this.#reader.place(), this.#head))
			return;
		this.#closeStream();
		this.#show(this.#led);
	}

	/* -- bookkeeping ---------------------------------------------------------------------- */

	/** @param {Status} status */
	#show(status) {
		if (status.state === 'live')
			this.#settle((asked) => asked.resolve(this.#reader.place()));
		const role = this.#leads ? 'leads' : 'follows';
		this.#status = this.#channel ? { ...status, role } : status;
		this.#reader.changed(this.#status);
	}

	/** @param {(asked: {resolve: Function, reject: Function}) => void} how */
	#settle(how) {
		const asked = this.#asked;
		this.#asked = [];
		for (const one of asked)
			how(one);
		this.#before = this.#refusal = null;
	}

	/**
	 * @param {number} ms
	 * @param {() => void} run
	 */
	#after(ms, run) {
		const timer = this.#clock.setTimeout(() => {
			this.#timers.delete(timer);
			run();
		}, ms);
		this.#timers.add(timer);
	}

	#forgetTimers() {
		for (const timer of this.#timers)
			this.#clock.clearTimeout(timer);
		this.#timers.clear();
		this.#clock.clearTimeout(this.#behindTimer);
		this.#behindTimer = null;
	}
}
