/**
 * surroundings.js - what a browser says of the network, of the page and of sleep. In Node: nothing.
 *
 * @module newswire/surroundings
 */

/**
 * @typedef {object} Watcher
 * @property {() => void} online
 * @property {() => void} offline
 * @property {() => void} check somebody looks at the page again
 * @property {() => void} sleep the page will not run until wake(), or never again
 * @property {() => void} wake
 */

/**
 * @param {Watcher} watcher
 * @returns {() => void} ends it
 */
export function watchSurroundings(watcher) {
	const page = globalThis.document;
	/** @type {[EventTarget|undefined, string, (event: any) => void][]} */
	const rows = [
		[globalThis, 'online', () => watcher.online()],
		[globalThis, 'offline', () => watcher.offline()],
		[globalThis, 'pagehide', () => watcher.sleep()],
		[globalThis, 'pageshow', (event) => event.persisted && watcher.wake()],
		[page, 'freeze', () => watcher.sleep()],
		[page, 'resume', () => watcher.wake()],
		[page, 'visibilitychange', () => page.visibilityState === 'visible' && watcher.check()],
	];
	for (const [where, type, run] of rows)
		where?.addEventListener?.(type, run);
	return () => {
		for (const [where, type, run] of rows)
			where?.removeEventListener?.(type, run);
	};
}
