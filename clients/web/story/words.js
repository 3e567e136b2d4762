/**
 * words.js - what the page itself says, in a reader's language, and how it tells time.
 *
 * Words are plain values, so that another language is another object: what an item says is never
 * among them. `{n}` and `{name}` stand for what is put in.
 */

/**
 * Forms of a text by number, as Intl.PluralRules names them; `other` is always there.
 * @typedef {{zero?: string, one?: string, two?: string, few?: string, many?: string, other: string}} Forms
 */

/**
 * @typedef {object} Words
 * @property {string} locale BCP 47, for times and numbers
 * @property {string} lang as the attribute
 * @property {'ltr'|'rtl'} dir
 * @property {string} flash
 * @property {string} bulletin
 * @property {string} urgent
 * @property {string} update
 * @property {string} video
 * @property {string} audio
 * @property {string} graphic
 * @property {string} picture
 * @property {string} by
 * @property {string} reading how long it takes, in minutes: {n}
 * @property {string} readMore
 * @property {string} readLess
 * @property {string} watch
 * @property {string} watchFor the same, {n} minutes
 * @property {string} author
 * @property {string} correction
 * @property {string} updated
 * @property {string} withdrawn
 * @property {string} withheld
 * @property {string} withdrawnNotice
 * @property {string} withheldNotice
 */

/** @type {Words} */
export const ENGLISH = Object.freeze({
	locale: 'en-GB',
	lang: 'en',
	dir: 'ltr',
	flash: 'Flash',
	bulletin: 'Bulletin',
	urgent: 'Urgent',
	update: 'Update',
	video: 'Video',
	audio: 'Audio',
	graphic: 'Graphic',
	picture: 'Picture',
	by: 'By {name}',
	reading: '{n} min read',
	readMore: 'Read more',
	readLess: 'Read less',
	watch: 'Watch',
	watchFor: 'Watch ({n} min)',
	author: 'About the author',
	correction: 'Correction',
	updated: 'Updated',
	withdrawn: 'Withdrawn',
	withheld: 'Withheld',
	withdrawnNotice: 'This story has been withdrawn.',
	withheldNotice: 'This story is temporarily withheld.',
});

const DAY_MINUTES = 24 * 60;

/**
 * A text with something put in.
 * @param {string} words
 * @param {Record<string, string>} values
 */
export const fill = (words, values) => words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

/**
 * A number as it is written.
 * @param {number} n
 * @param {Words} words
 */
export const numeral = (n, words = ENGLISH) => new Intl.NumberFormat(words.locale).format(n);

/**
 * A text for so many.
 * @param {Forms} forms
 * @param {number} n
 * @param {Words} words
 */
export function counted(forms, n, words = ENGLISH) {
	const form = forms[new Intl.PluralRules(words.locale).select(n)] ?? forms.other;
	return fill(form, { n: numeral(n, words) });
}

/**
 * How long ago, in words; from a day on, the date. A clock that is a little behind says "now".
 * @param {number} then milliseconds since 1970
 * @param {number} now
 * @param {Words} [words]
 */
export function ago(then, now, words = ENGLISH) {
	const age = Math.max(0, Math.floor((now - then) / 60_000));
	if (age < DAY_MINUTES) {
		const format = new Intl.RelativeTimeFormat(words.locale, { numeric: 'auto', style: 'short' });
		return age < 1 ? format.format(0, 'second') :
			age < 60 ? format.format(-age, 'minute') : format.format(-Math.floor(age / 60), 'hour');
	}
	const year = new Date(then).getFullYear() === new Date(now).getFullYear() ? undefined : 'numeric';
	return new Intl.DateTimeFormat(words.locale, { day: 'numeric', month: 'long', year }).format(then);
}

/**
 * Time of day, as on a clock.
 * @param {number|Date} then
 * @param {Words} [words]
 */
export function clockTime(then, words = ENGLISH) {
	return new Intl.DateTimeFormat(words.locale, { hour: '2-digit', minute: '2-digit' }).format(then);
}

/**
 * Day and time in full.
 * @param {number|Date} then
 * @param {Words} [words]
 */
export function fullTime(then, words = ENGLISH) {
	return new Intl.DateTimeFormat(words.locale, { dateStyle: 'full', timeStyle: 'short' }).format(then);
}

const RTL = /^(ar|arc|ckb|dv|fa|he|iw|ps|sd|ug|ur|yi)\b/i;

/**
 * The direction of a language, or '' where there is none.
 * @param {string} lang
 */
export const directionOf = (lang) => (lang ? (RTL.test(lang) ? 'rtl' : 'ltr') : '');
