/* news-feed.d.ts - the types of <news-feed>. Written by hand: docs/element.md has what is in here. */
import type { NewswireError, Post } from './newswire.js';

/** How much of something, in a language's forms: those that Intl.PluralRules knows. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** Words of a site's own, by name; what is missing is taken from the built-in ones. */
export interface NewsFeedWords {
	[name: string]: string | Forms | undefined;
	newStories?: Forms;
}

export interface NewsFeedEventMap extends HTMLElementEventMap {
	'news-story': CustomEvent<{ uri: string; change: 'added' | 'changed' | 'released'; post: Post }>;
	'news-withdrawn': CustomEvent<{ uri: string; state: 'killed' | 'withheld' | 'removed' }>;
	/** A headline's link was followed; preventDefault() if the site shows the story itself. */
	'news-open': CustomEvent<{ uri: string }>;
	'news-status': CustomEvent<{ state: NewsFeed['state'] }>;
	'news-error': CustomEvent<{ error: NewswireError }>;
}

/** Live news: `<news-feed src="https://news.example/" channels="world" limit="5">`. */
export class NewsFeed extends HTMLElement {
	/* Attributes. They read as text; lists may be set as arrays. */
	get src(): string;
	set src(address: string | URL);
	get channels(): string;
	set channels(names: string | string[]);
	get classes(): string;
	set classes(names: string | string[]);
	get languages(): string;
	set languages(tags: string | string[]);
	get types(): string;
	set types(names: string | string[]);
	get view(): string;
	set view(view: 'brief' | 'full');
	get limit(): string;
	set limit(stories: string | number);
	get theme(): string;
	set theme(theme: 'light' | 'dark' | '');
	get label(): string;
	set label(text: string);
	get heading(): string;
	set heading(level: string | number);
	/** New stories wait. */
	paused: boolean;

	/** The posts that are shown, newest first. */
	readonly stories: Post[];
	readonly state: 'idle' | 'connecting' | 'live' | 'waiting' | 'closed';
	/** How many new stories wait to be shown. */
	readonly waiting: number;
	words: NewsFeedWords | undefined;

	pause(): void;
	resume(): void;
	/** Shows what waits. */
	showNew(): void;
	/** One more page; rejected if it did not come. */
	older(): Promise<void>;

	addEventListener<K extends keyof NewsFeedEventMap>(type: K, listener: (this: NewsFeed, event: NewsFeedEventMap[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
	addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
	removeEventListener<K extends keyof NewsFeedEventMap>(type: K, listener: (this: NewsFeed, event: NewsFeedEventMap[K]) => unknown, options?: boolean | EventListenerOptions): void;
	removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
}

declare global {
	interface HTMLElementTagNameMap {
		'news-feed': NewsFeed;
	}
}
