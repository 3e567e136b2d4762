/**
 * fakes.mjs - a clock that a test turns by hand, and the server's end of a WebSocket.
 */

/** Time that passes only in pass(). */
export class FakeClock {
	#now = 0;
	#timers = new Map();
	#last = 0;

	now = () => this.#now;

	setTimeout = (run, ms) => {
		this.#timers.set(++this.#last, { at: this.#now + ms, run });
		return this.#last;
	};

	clearTimeout = (timer) => {
		this.#timers.delete(timer);
	};

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
