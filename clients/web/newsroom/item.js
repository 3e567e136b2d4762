/**
 * item.js - between what stands in the form and ninjs 3.1. No DOM.
 *
 * A correction is the item that was opened with its edited parts replaced: whatever else a newsroom put into it stays. An
 * item comes from others: any part may be missing, or of another type than ninjs says.
 */

/**
 * What stands in the form: texts, '' where nothing was said.
 * @typedef {object} Values
 * @property {string} headline
 * @property {string} summary
 * @property {string} body HTML
 * @property {string[]} channels
 * @property {string} class
 * @property {string} language
 * @property {string} place
 * @property {string} author
 * @property {string} role
 * @property {string} embargo RFC 3339, or ''
 * @property {string} picture
 * @property {string} alt
 * @property {string} caption
 * @property {string} credit
 * @property {string} correction
 */

/**
 * What a story is written on.
 * @typedef {object} Base
 * @property {string} uri
 * @property {string} version that is to be sent
 * @property {any} item what was opened, or {}
 * @property {string} opened the version that was opened, or ''
 * @property {boolean} out was anything of it public?
 */

export const CLASSES = ['flash', 'bulletin', 'urgent', 'regular', 'deferred'];
export const DRILL = 'exercise';

/** @type {Values} */
export const NOTHING = Object.freeze({ headline: '', summary: '', body: '', channels: [], class: 'regular', language: '', place: '', author: '', role: '',
	embargo: '', picture: '', alt: '', caption: '', credit: '', correction: '' });

/* Which field a fault of the item belongs to, by the beginning of its pointer. */
/** @type {[RegExp, string][]} */
const PLACES = [[/^\/headlines|^\/headline/, 'headline'], [/^\/bodies|^\/body/, 'body'], [/^\/descriptions\/\d+|^\/description/, 'summary'],
	[/^\/channels/, 'channels'], [/^\/urgency|^\/profile/, 'class'], [/^\/language/, 'language'], [/^\/located/, 'place'],
	[/^\/by\b/, 'author'], [/^\/embargo/, 'embargo'], [/^\/associations/, 'picture']];
/** @type {Record<string, string>} */
const PLACE_OF_CODE = { channel_forbidden: 'channels', bad_channel: 'channels', may_not_flash: 'class', may_not_embargo: 'embargo',
	embargo_too_far: 'embargo', empty: 'headline' };

/** @param {unknown} value @returns {any[]} */
const list = (value) => (Array.isArray(value) ? value.filter((one) => one && typeof one === 'object' && !Array.isArray(one)) : []);
/** @param {unknown} value */
const text = (value) => (typeof value === 'string' ? value : '');
/** @param {unknown} values @param {string[]} roles */
const byRole = (values, roles) => roles.map((role) => list(values).find((one) => text(one.role).toLowerCase() === role)).find(Boolean);
/** @param {string} value */
const escaped = (value) => value.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] ?? c);

/** @param {any} item */
const pictureOf = (item) => list(item.associations).find((a) => a.rel === 'featured') ??
	list(item.associations).find((a) => a.type === 'picture' || a.type === 'graphic');
/** @param {any} item */
const authorOf = (item) => list(item.associations).find((a) => a.rel === 'author');
/** @param {any} thing */
const textOf = (thing) => text(thing?.value);
/** @param {any} body */
const isHtml = (body) => /html/i.test(text(body?.contentType));

/** The text of what may be HTML. @param {any} one @param {(html: string) => any} parse */
const plain = (one, parse) => (isHtml(one) ? String(parse(textOf(one)).body.textContent) : textOf(one)).trim();

/**
 * What an item says, for the form.
 * @param {any} item
 * @param {string[]} channels
 * @param {string} kind its class
 * @param {(html: string) => {body: any}} parse an inert document
 * @returns {Values}
 */
export function valuesOf(item, channels, kind, parse) {
	const body = byRole(item.bodies, ['main', '']) ?? list(item.bodies)[0];
	const picture = pictureOf(item);
	const author = authorOf(item);
	return {
		headline: plain(byRole(item.headlines, ['main', '']) ?? list(item.headlines)[0], parse),
		summary: plain(byRole(item.descriptions, ['summary']), parse),
		body: isHtml(body) ? textOf(body) : textOf(body).split(/\n\s*\n/).filter((part) => part.trim()).map((part) => `<p>${escaped(part.trim())}</p>`).join('\n'),
		channels: channels.filter((channel) => typeof channel === 'string' && !channel.includes(':')),
		class: CLASSES.includes(kind) ? kind : 'regular',
		language: text(item.language), place: text(item.located),
		author: text(author?.title) || text(item.by),
		role: plain(byRole(author?.descriptions, ['jobtitle', 'role']), parse),
		embargo: text(item.embargoedUntil),
		picture: text(list(picture?.renditions).at(-1)?.href),
		alt: plain(byRole(picture?.descriptions, ['alt']), parse), caption: plain(byRole(picture?.descriptions, ['caption']), parse),
		credit: text(picture?.by), correction: '',
	};
}

/**
 * A list with one role's text replaced, or without it.
 * @param {unknown} values @param {string} role @param {any} one @param {string[]} [also] roles that it stands in for
 */
function withRole(values, role, one, also = []) {
	const rest = list(values).filter((old) => ![role, ...also].includes(text(old.role).toLowerCase()));
	return one ? [{ role, ...one }, ...rest] : rest;
}

/** @param {Values} values @param {any} old */
function newPicture(values, old) {
	if (!values.picture)
		return null;
	const same = list(old?.renditions).at(-1)?.href === values.picture;
	const said = withRole(withRole(old?.descriptions, 'caption', values.caption && { contentType: 'text/plain', value: values.caption }),
		'alt', values.alt && { contentType: 'text/plain', value: values.alt });
	return { ...old, name: text(old?.name) || 'main', rel: 'featured', type: text(old?.type) || 'picture',
		by: values.credit || undefined, descriptions: said.length > 0 ? said : undefined,
		renditions: same ? old.renditions : [{ name: 'web', href: values.picture }] };
}

/** @param {Values} values @param {any} old */
function newAuthor(values, old) {
	if (!values.author || (!values.role && !old))
		return null; // `by` is enough
	const descriptions = withRole(old?.descriptions, 'jobtitle', values.role && { contentType: 'text/plain', value: values.role }, ['role']);
	return { ...old, name: text(old?.name) || 'author', rel: 'author', type: 'component', title: values.author,
		descriptions: descriptions.length > 0 ? descriptions : undefined };
}

/** The number that means this class to this publisher; the middle one. @param {Record<string, string>} meanings @param {string} kind @param {unknown} old */
export function urgencyOf(meanings, kind, old) {
	const numbers = Object.keys(meanings).filter((number) => meanings[number] === kind).map(Number).sort((a, b) => a - b);
	return numbers.includes(Number(old)) ? Number(old) : numbers[Math.floor((numbers.length - 1) / 2)];
}

/**
 * The item to send.
 * @param {Values} values
 * @param {Base} base
 * @param {{urgency: Record<string, string>, now: Date}} more
 */
export function itemOf(values, base, { urgency, now }) {
	const old = base.item;
	const prose = { contentType: 'text/plain' };
	const descriptions = withRole(withRole(old.descriptions, 'correction', values.correction && { ...prose, value: values.correction }),
		'summary', values.summary && { ...prose, value: values.summary });
	const others = list(old.associations).filter((one) => one !== pictureOf(old) && one !== authorOf(old));
	const associations = [newPicture(values, pictureOf(old)), newAuthor(values, authorOf(old)), ...others].filter(Boolean);
	const bodies = withRole(old.bodies, 'main', values.body && { contentType: 'text/html', value: values.body }, ['']);
	const headlines = withRole(old.headlines, 'main', values.headline && { ...prose, value: values.headline }, ['']);
	return {
		...old, uri: base.uri, version: base.version, type: text(old.type) || 'text', pubStatus: 'usable',
		firstCreated: text(old.firstCreated) || now.toISOString(), versionCreated: now.toISOString(),
		profile: undefined, urgency: urgencyOf(urgency, values.class, old.urgency),
		language: values.language || undefined, located: values.place || undefined, by: values.author || undefined,
		embargoedUntil: values.embargo || undefined, embargoed: undefined,
		headlines: headlines.length > 0 ? headlines : undefined, descriptions: descriptions.length > 0 ? descriptions : undefined,
		bodies: bodies.length > 0 ? bodies : undefined, associations: associations.length > 0 ? associations : undefined,
		channels: values.channels,
	};
}

/** What withdraws a story, for good or for now. @param {Base} base @param {'canceled'|'withheld'} status @param {string} notice @param {Date} now */
export function withdrawalOf(base, status, notice, now) {
	return { uri: base.uri, version: base.version, pubStatus: status, versionCreated: now.toISOString(),
		descriptions: notice ? [{ role: 'notice', contentType: 'text/plain', value: notice }] : undefined };
}

/** The version after this one; one that is no number stays, and the later time decides. @param {string} version */
export const nextVersion = (version) => (/^\d{1,60}$/.test(version) ? String(BigInt(version) + 1n) : version);

/** May this key send there? @param {string[]} patterns @param {string} channel */
export const maySend = (patterns, channel) => patterns.some((pattern) => pattern === '*' || pattern === channel ||
	(pattern.endsWith('.*') && channel.startsWith(pattern.slice(0, -1))));

/** @param {string} channel */
export const isDrill = (channel) => channel === DRILL || channel.startsWith(`${DRILL}.`);
/** @param {string} channel */
export const isPlain = (channel) => /^[a-z0-9][a-z0-9._-]{0,63}$/.test(channel);

/**
 * What the server says against an item, by field; '' is for the whole.
 * @param {{code: string, detail: string, errors: {pointer: string, detail: string}[]}} problem
 * @param {any} item what was sent
 * @returns {Map<string, string>}
 */
export function faultsByField(problem, item) {
	/** @type {Map<string, string>} */ const faults = new Map();
	for (const { pointer, detail } of problem.errors) {
		const index = /^\/descriptions\/(\d+)/.exec(pointer)?.[1];
		const field = index && item?.descriptions?.[Number(index)]?.role === 'correction' ? 'correction' :
			PLACES.find(([pattern]) => pattern.test(pointer))?.[1] ?? PLACE_OF_CODE[problem.code] ?? '';
		faults.set(field, [faults.get(field), detail].filter(Boolean).join(' '));
	}
	if (faults.size === 0)
		faults.set(PLACE_OF_CODE[problem.code] ?? '', problem.detail);
	return faults;
}
