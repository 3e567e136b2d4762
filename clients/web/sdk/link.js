/**
 * link.js - a connection that comes back: dials, notices when it is dead, waits, dials again.
 *
 * It knows nothing of news. It speaks JSON messages over a way: something that makes a socket of
 * a WebSocket's shape (onmessage, onclose, close(), perhaps send()). There may be a second way,
 * for where the first does not get through.
 *
 * @module newswire/link
 */
import { NewswireError } from './common.js';
import { Backoff, REAL_CLOCK } from './waiting.js';

/** @typedef {import('./common.js').Clock} Clock */
/** @typedef {import('./common.js').Status} Status */

/**
 * How to begin a connection.
 * @typedef {object} Way
 * @property {'websocket'|'sse'|'post'} via
 * @property {() => any} dial makes a socket; may throw
 */

/**
 * Whose link it is.
 * @typedef {object} LinkOwner
 * @property {(message: any) => void} hello the connection stands, and is live after this
 * @property {(message: any) => void} hear any other message, but `bye`
 * @property {(status: Status) => void} changed
 * @property {(error: NewswireError) => void} complain
 */

const HELLO_WITHIN_MS = 10_000; /* a server that says nothing after the handshake is dead */
const CLOSE_AFTER_BYE_MS = 5_000;
const ANSWER_WITHIN_MS = 5_000; /* to a ping */
const STEADY_AFTER_MS = 10_000; /* a link that lived this long was a good one */
const SLEPT_MS = 1_000; /* two clocks that are closer than this tell the same time */
const LOOK_EVERY_MS = 5_000; /* a laptop that slept finds out so soon after it woke */
const MAX_WAIT_MS = 600_000; /* no server can send a reader away for longer */
const TRY_FIRST_AGAIN_MS = 600_000; /* on the second way, the first is tried this often */
const ENOUGH_FAILURES = 2; /* handshakes of the first way, before the second is tried */
const DEFAULT_TICK_S = 25;
const MAX_TICK_S = 300;
const MAX_MESSAGE = 16 << 20; /* characters; the protocol has 8 MiB */

/* The server has no room: come back, but not soon. */
const CROWDED_CODES = new Set([1013, 4029]);
const CROWDED_ATTEMPT = 5;

/**
 * Always true: a message reaches the owner only from the socket that is the link's now, after
 * that socket's hello; nothing that a server sends makes it throw, or dial without a wait.
 */
export class Link {
	/** @type {Way[]} */ #ways;
	/** @type {LinkOwner} */ #owner;
	/** @type {Set<number>} */ #fatal;
	/** @type {Clock} */ #clock;
	/** @type {Backoff} */ #backoff;
	/** @type {Status} */ #status = { state: 'idle', heard: null };
	/** @type {any} */ #socket = null;
	/** @type {any} */ #probe = null;
	/** @type {any} */ #retryTimer = null;
	/** @type {any} */ #lookTimer = null;
	#way = 0;
	#failures = 0; /* of the first way, in a row */
	#greeted = false;
	#tickMs = 0; /* 0: there are none */
	#lookDue = 0;
	#deadAt = Infinity; /* by the clock … */
	#deadAtWall = Infinity; /* … and by the wall's */
	#liveSince = 0;
	#tryFirstAt = Infinity;
	/** @type {number|null} */ #byeMs = null;

	/**
	 * @param {Way[]} ways the best first, at most two
	 * @param {LinkOwner} owner
	 * @param {{fatal: number[], clock?: Clock, random?: () => number}} options
	 *        `fatal`: close codes after which there is no coming back
	 */
	constructor(ways, owner, { fatal, clock = REAL_CLOCK, random }) {
		this.#ways = ways;
		this.#owner = owner;
		this.#fatal = new Set(fatal);
		this.#clock = clock;
		this.#backoff = new Backoff({ random });
	}

	get status() {
		return this.#status;
	}

	/** Milliseconds between two signs of life; 0: there are none, or not known yet. */
	get tickMs() {
		return this.#tickMs;
	}

	/** Begins. */
	open() {
		if (this.#status.state === 'idle')
			this.#dial();
	}

	/** Ends for good. */
	close() {
		this.#end({ state: 'closed', heard: this.#status.heard });
	}

	/** Begins anew at once: what it asks for has changed. */
	redial() {
		if (this.#status.state === 'closed')
			return;
		this.#hangUp();
		this.#dial();
	}

	/**
	 * @param {object} message
	 * @returns {boolean} whether it is on its way; over some ways nothing can be said
	 */
	send(message) {
		return this.sendText(JSON.stringify(message));
	}

	/**
	 * @param {string} text of a message
	 * @returns {boolean} as of send()
	 */
	sendText(text) {
		if (this.#status.state !== 'live' || !this.#socket?.send)
			return false;
		try {
			this.#socket.send(text);
			return true;
		} catch {
			return false; /* it is closing: onclose follows */
		}
	}

	/** Somebody looks, or something woke up: is it still alive? Does not wait for the next attempt. */
	check() {
		if (this.#status.state === 'waiting')
			this.#dialNow();
		else if (this.#status.state !== 'live')
			return;
		else if (this.#left() <= 0)
			this.#revive('silent');
		else if (this.send({ type: 'ping' }))
			this.#expectWithin(Math.min(this.#left(), ANSWER_WITHIN_MS));
	}

	/** The network is back. */
	online() {
		if (this.#status.state !== 'waiting')
			return;
		this.#backoff.reset();
		this.#dialNow();
	}

	/** The network is gone. Some systems say so and mean only the Internet, so attempts go on. */
	offline() {
		if (this.#socket)
			this.#lost(0, 'offline');
	}

	/** Lets go of everything until wake(). */
	sleep() {
		if (this.#status.state === 'idle' || this.#status.state === 'closed')
			return;
		this.#hangUp();
		this.#become({ state: 'waiting', heard: this.#status.heard, reason: 'asleep' });
	}

	/** The end of sleep(). */
	wake() {
		this.online();
	}

	/* The one place where the state changes. */
	/** @param {Status} status */
	#become(status) {
		this.#status = status;
		this.#owner.changed(status);
	}

	#dialNow() {
		this.#clock.clearTimeout(this.#retryTimer);
		this.#dial();
	}

	#dial() {
		this.#way = this.#ways.length > 1 && this.#failures >= ENOUGH_FAILURES ? 1 : 0;
		this.#greeted = false;
		const { via } = this.#ways[this.#way];
		this.#socket = this.#begin(this.#way);
		const socket = this.#socket;
		this.#become({ state: 'connecting', heard: this.#status.heard, via });
		if (this.#status.state !== 'connecting' || this.#socket !== socket)
			return; /* a listener has changed its mind */
		if (!socket) {
			this.#lost(0, 'blocked');
			return;
		}
		this.#listen(socket);
		this.#expectWithin(HELLO_WITHIN_MS);
	}

	/**
	 * @param {number} way
	 * @returns {any} null: it could not even begin
	 */
	#begin(way) {
		try {
			return this.#ways[way].dial();
		} catch (cause) {
			this.#complain('A connection could not be begun.', 'blocked', cause);
			return null;
		}
	}

	/** @param {any} socket */
	#listen(socket) {
		socket.onmessage = (/** @type {any} */ event) => this.#hear(event.data);
		socket.onclose = (/** @type {any} */ event) => this.#lost(event.code, event.reason);
		/* Some close right behind it, some long after, with a code of their own making. */
		socket.onerror = () => this.#lost(1006, 'broken');
	}

	/** @param {number} ms the link is dead when nothing is heard for this long */
	#expectWithin(ms) {
		this.#deadAt = this.#clock.now() + ms;
		this.#deadAtWall = this.#wall() + ms;
		const due = this.#clock.now() + Math.min(ms, LOOK_EVERY_MS);
		if (this.#lookTimer === null || due < this.#lookDue)
			this.#lookAt(due);
	}

	/* Time goes by on two clocks: the one may stand still while a laptop sleeps, the other be set. */
	#wall() {
		return this.#clock.wall?.() ?? this.#clock.now();
	}

	#left() {
		return Math.min(this.#deadAt - this.#clock.now(), this.#deadAtWall - this.#wall());
	}

	/** @param {number} due */
	#lookAt(due) {
		this.#clock.clearTimeout(this.#lookTimer);
		this.#lookDue = due;
		this.#lookTimer = this.#clock.setTimeout(() => this.#look(), Math.max(0, due - this.#clock.now()));
	}

	#look() {
		this.#lookTimer = null;
		const left = this.#left();
		if (left <= 0) {
			/* Who was asleep has nothing to wait for; who was not, waits as for any other loss. */
			const slept = this.#deadAt - this.#clock.now() > SLEPT_MS;
			return slept ? this.#revive('silent') : this.#lost(0, 'silent');
		}
		if (this.#clock.now() >= this.#tryFirstAt)
			this.#tryFirst();
		this.#lookAt(this.#clock.now() + Math.min(left, LOOK_EVERY_MS));
	}

	/** @param {string} reason */
	#revive(reason) {
		this.#lost(0, reason);
		if (this.#status.state === 'waiting')
			this.#dialNow();
	}

	/* Beside the second way, which goes on until the first has said hello. */
	#tryFirst() {
		this.#tryFirstAt = this.#clock.now() + TRY_FIRST_AGAIN_MS;
		this.#drop(this.#probe);
		const socket = this.#begin(0);
		this.#probe = socket;
		if (!socket)
			return;
		socket.onerror = () => {};
		socket.onclose = () => (this.#probe = null);
		socket.onmessage = (/** @type {any} */ event) => {
			this.#probe = null;
			this.#hangUp();
			this.#way = 0;
			this.#greeted = false;
			this.#socket = socket;
			this.#listen(socket);
			this.#expectWithin(HELLO_WITHIN_MS);
			this.#hear(event.data);
		};
	}

	/** @param {unknown} data */
	#hear(data) {
		if (typeof data === 'string' && data.length > MAX_MESSAGE) {
			this.#complain('A message is too long to be read.', 'too_big');
			return;
		}
		let message;
		try {
			message = JSON.parse(String(data));
		} catch (cause) {
			this.#complain('A message is not JSON.', 'bad_message', cause);
			return;
		}
		if (typeof message?.type !== 'string')
			this.#complain('A message says not what it is.', 'bad_message');
		else
			this.#take(message);
	}

	/** @param {any} message */
	#take(message) {
		this.#status.heard = new Date();
		if (this.#greeted)
			this.#expectTick();
		switch (message.type) {
		case 'hello':
			return this.#greeted ? undefined : this.#welcome(message);
		case 'bye':
			this.#byeMs = Number.isFinite(message.retry_ms) ? Math.min(MAX_WAIT_MS, Math.max(0, message.retry_ms)) : null;
			return this.#expectWithin(CLOSE_AFTER_BYE_MS);
		default:
			/* Before its hello a server may say only what is wrong. */
			if (this.#greeted || message.type === 'error')
				this.#owner.hear(message);
		}
	}

	/** @param {any} hello */
	#welcome(hello) {
		const { via } = this.#ways[this.#way];
		this.#greeted = true;
		const tick = Number(hello.tick ?? DEFAULT_TICK_S);
		this.#tickMs = via === 'post' ? 0 : 1000 * Math.min(MAX_TICK_S, tick >= 1 ? tick : DEFAULT_TICK_S);
		this.#liveSince = this.#clock.now();
		this.#expectTick();
		if (this.#way === 0)
			this.#failures = 0;
		this.#tryFirstAt = this.#way === 0 ? Infinity : this.#liveSince + TRY_FIRST_AGAIN_MS;
		const socket = this.#socket;
		this.#owner.hello(hello);
		if (this.#socket === socket)
			this.#become({ state: 'live', heard: this.#status.heard, via });
	}

	/* Two ticks missed, and some grace. */
	#expectTick() {
		this.#expectWithin(this.#tickMs ? 2.5 * this.#tickMs : Infinity);
	}

	/**
	 * @param {string} words
	 * @param {string} code
	 * @param {unknown} [cause]
	 */
	#complain(words, code, cause) {
		this.#owner.complain(new NewswireError(words, { code, cause }));
	}

	/** @param {any} socket */
	#drop(socket) {
		if (!socket)
			return;
		socket.onmessage = socket.onclose = null;
		socket.onerror = () => {};
		try {
			socket.close();
		} catch {
			/* it never opened */
		}
	}

	/* Lets go of the socket at once: a close handshake over a dead link would never end. */
	#hangUp() {
		const socket = this.#socket;
		this.#socket = null;
		this.#clock.clearTimeout(this.#lookTimer);
		this.#clock.clearTimeout(this.#retryTimer);
		this.#lookTimer = null;
		this.#deadAt = this.#deadAtWall = this.#tryFirstAt = Infinity;
		this.#drop(socket);
		this.#drop(this.#probe);
		this.#probe = null;
	}

	/* What the end of this connection says about the ways. One that hangs has been tried enough. */
	/** @param {string} reason */
	#judge(reason) {
		if (this.#way === 1)
			this.#failures = ENOUGH_FAILURES - 1;
		else if (!this.#greeted && reason !== 'offline')
			this.#failures += reason === 'silent' ? ENOUGH_FAILURES : 1;
	}

	/**
	 * @param {number} code
	 * @param {string} reason
	 */
	#lost(code, reason) {
		const { state, heard } = this.#status;
		if (state === 'live' && this.#clock.now() - this.#liveSince >= STEADY_AFTER_MS)
			this.#backoff.reset();
		this.#judge(reason);
		this.#hangUp();
		if (this.#fatal.has(code)) {
			this.#owner.complain(new NewswireError(`The server closed for good (${reason || code}).`,
				{ code: `close_${code}`, fatal: true }));
			this.#end({ state: 'closed', heard, code, reason });
			return;
		}
		if (CROWDED_CODES.has(code))
			this.#backoff.atLeast(CROWDED_ATTEMPT);
		const retry = this.#nextWait();
		this.#retryTimer = this.#clock.setTimeout(() => this.#dial(), retry);
		this.#become({ state: 'waiting', heard, retry, code, reason });
	}

	/* What bye said, but a server that says nothing but bye is not obeyed for ever. */
	#nextWait() {
		const first = this.#backoff.attempt === 0;
		const own = this.#backoff.next();
		const said = this.#byeMs;
		this.#byeMs = null;
		return said === null ? own : first ? said : Math.max(said, own);
	}

	/** @param {Status} status */
	#end(status) {
		if (this.#status.state === 'closed')
			return;
		this.#hangUp();
		this.#become(status);
	}
}
