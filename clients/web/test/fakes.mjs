/**
 * fakes.mjs - a clock that a test turns by hand, the server's end of a WebSocket, and the browser that
 * several tabs are in.
 */

/** Time that passes only in pass(). */
export class FakeClock {
	#now = 0;
	#slept = 0;
	#timers = new Map();
	#last = 0;

	now = () => this.#now;

	wall = () => this.#now + this.#slept;

	setTimeout = (run, ms) => {
		this.#timers.set(++this.#last, { at: this.#now + ms, run });
		return this.#last;
	};

	clearTimeout = (timer) => {
		this.#timers.delete(timer);
	};

	/** A laptop that is closed for so long: timers stand still, and the wall's clock does not. */
	sleep(ms) {
		this.#slept += ms;
	}

	/** Lets so many milliseconds go by, and runs what falls due, in order. */
	pass(ms) {
		const end = this.#now + ms;
		for (;;) {
			const [next] = [...this.#timers].sort((a, b) => a[1].at - b[1].at);
			if (!next || next[1].at > end)
				break;
			this.#timers.delete(next[0]);
			this.#now = next[1].at;
			next[1].run();
		}
		this.#now = end;
	}
}

/** A class of WebSockets whose other end is the test: `sockets.at(-1).say(…)`. */
export function fakeWebSockets() {
	const sockets = [];
	class FakeWebSocket {
		constructor(url, protocol) {
			this.url = new URL(url);
			this.protocol = protocol;
			this.sent = [];
			this.closed = false;
			sockets.push(this);
		}

		send(text) {
			this.sent.push(JSON.parse(text));
		}

		close() {
			this.closed = true;
		}

		/* -- the server's end -- */

		say(message) {
			this.onmessage?.({ data: JSON.stringify(message) });
		}

		hello(cursor, more = {}) {
			this.say({ type: 'hello', cursor, resumed: this.url.searchParams.has('since'), tick: 25, ...more });
		}

		end(code = 1006, reason = '') {
			this.onclose?.({ code, reason });
		}
	}
	return { WebSocket: FakeWebSocket, sockets };
}

/** What the tabs of one browser share: locks and channels. `tab()` has the options of one more tab. */
export class FakeBrowser {
	#held = new Map(); /* name -> {owner, depose} */
	#queues = new Map();
	#channels = new Set();

	tab() {
		const browser = this;
		const tab = { closed: false, locks: { request: (...args) => browser.#request(tab, ...args) } };
		tab.BroadcastChannel = class {
			constructor(name) {
				this.name = name;
				this.tab = tab;
				browser.#channels.add(this);
			}

			postMessage(message) {
				const copy = structuredClone(message);
				for (const other of browser.#channels)
					if (other !== this && other.name === this.name && !other.tab.closed && !tab.mute)
						queueMicrotask(() => browser.#channels.has(other) && other.onmessage?.({ data: copy }));
			}

			close() {
				browser.#channels.delete(this);
			}
		};
		return tab;
	}

	/** The tab is gone at once: nothing of it runs any more, and its locks are free. */
	close(tab) {
		tab.closed = true;
		for (const [name, held] of this.#held)
			if (held.tab === tab)
				this.#free(name);
	}

	#request(tab, name, options, run) {
		return new Promise((resolve, reject) => {
			const wish = { tab, run, resolve, reject };
			options.signal?.addEventListener('abort', () => {
				this.#queue(name).delete(wish);
				if (this.#held.get(name) !== wish)
					reject(Object.assign(new Error('aborted'), { name: 'AbortError' }));
			});
			if (options.steal && this.#held.has(name)) {
				const { reject: depose } = this.#held.get(name);
				depose(Object.assign(new Error('stolen'), { name: 'AbortError' }));
				this.#grant(name, wish);
				return;
			}
			this.#queue(name).add(wish);
			queueMicrotask(() => this.#next(name));
		});
	}

	#queue(name) {
		if (!this.#queues.has(name))
			this.#queues.set(name, new Set());
		return this.#queues.get(name);
	}

	#next(name) {
		if (this.#held.has(name))
			return;
		for (const wish of this.#queue(name)) {
			this.#queue(name).delete(wish);
			if (!wish.tab.closed)
				return this.#grant(name, wish);
		}
	}

	#grant(name, wish) {
		this.#held.set(name, wish);
		Promise.resolve(wish.run({ name })).then(() => {
			if (this.#held.get(name) === wish)
				this.#free(name);
			wish.resolve();
		});
	}

	#free(name) {
		this.#held.delete(name);
		this.#next(name);
	}
}

/** Lets everything run that waits for nothing but its turn. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A post as the server sends it. */
export function post(uri, version, { action = 'publish', cursor, ahead, headline = `${uri} ${version}`, ...more } = {}) {
	const base = { type: 'post', ...(ahead && { ahead }), ...(cursor && { cursor }), action };
	if (['kill', 'hold', 'remove'].includes(action))
		return { ...base, uri, version, ...more };
	return {
		...base,
		class: 'regular',
		channels: ['world', 'feed:all'],
		item: { uri, version, headlines: [{ value: headline }], ...more },
	};
}
