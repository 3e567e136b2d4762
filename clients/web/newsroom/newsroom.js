/**
 * newsroom.js - the composer: who is at the desk, which story lies on it, and what is done with it.
 *
 * A story is written, then previewed, then published; whatever is typed in between takes it back to written. What was sent is
 * in the outbox (outbox.js) until a receipt is there: until then nothing here says "sent".
 */
import { drawStory, el, tend } from '../story/draw.js';
import { storyOf } from '../story/story.js';
import { clockTime, numeral } from '../story/words.js';
import { confirmDeed, confirmFlash, confirmHold, confirmKill } from './dialogs.js';
import { Drafts } from './drafts.js';
import { Form } from './form.js';
import { DRILL, NOTHING, faultsByField, isDrill, itemOf, maySend, nextVersion, valuesOf, withdrawalOf } from './item.js';
import { Outbox, newName } from './outbox.js';
import { parseHtml } from './prose.js';
import { COPY, Sent } from './sent.js';
import { Server } from './server.js';
import { heardTime, inFull, now } from './times.js';

/** @typedef {import('./item.js').Base} Base */
/** @typedef {import('./item.js').Values} Values */
/** @typedef {import('./outbox.js').Entry} Entry */
/** @typedef {import('./ledger.js').Line} Line */

const BEAT_MS = 2000;
const CALM_BEATS = 3; // the list is asked for with every third beat, while nothing goes on
const WARM_MS = 60_000; // something goes on for so long after a deed
const SAVE_MS = 250;
const DRAW_MS = 80;
const MINE = 'newsroom.key';
const DRILL_MODE = 'newsroom.drill';

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);
/** @param {string} said */
const say = (said) => { $('said').textContent = said; };

const form = new Form(() => edited());
const drafts = new Drafts(newName);

/** @type {Server} */ let server;
/** @type {import('./server.js').Key|null} */ let key = null;
/** @type {Outbox|null} */ let outbox = null;
/** @type {Sent|null} */ let sent = null;
/** @type {Base} */ let base = newBase();
/** @type {'writing'|'previewed'|'asking'|'sending'} */ let mode = 'writing';
/** @type {Entry|null} the one that the form was sent as */ let current = null;
let drill = sessionStorage.getItem(DRILL_MODE) === 'on';
let written = false; // is there anything that would be lost?
/** @type {ReturnType<typeof setTimeout>|undefined} */ let saving;
/** @type {ReturnType<typeof setTimeout>|undefined} */ let drawing;
/** @type {ReturnType<typeof setTimeout>|undefined} */ let beating;
/** @type {HTMLElement|null} */ let lastField = null;

/** @returns {Base} */
function newBase() {
	const name = newName();
	const uuid = [name.slice(0, 8), name.slice(8, 12), `4${name.slice(13, 16)}`, `a${name.slice(17, 20)}`, name.slice(20)].join('-');
	return { uri: `urn:uuid:${uuid}`, version: '1', item: {}, opened: '', out: false };
}

/* -- signing in and out ------------------------------------------------------------------------ */

/** @param {string} fault */
function complainOfKey(fault) {
	$('key-error').textContent = fault;
	$('key-error').hidden = !fault;
	$('key').setAttribute('aria-invalid', String(Boolean(fault)));
	if (fault)
		$('key').focus();
}

/** @param {string} typed @param {boolean} stay @returns {Promise<boolean>} */
async function signIn(typed, stay) {
	/* A header can carry nothing else. */
	if (!/^[\x21-\x7e]{1,512}$/.test(typed)) {
		complainOfKey(typed ? 'A key is letters, digits and signs without spaces.' : 'Type or paste your key.');
		return false;
	}
	const mine = new Server(typed);
	$('sign-in').setAttribute('aria-busy', 'true');
	const { status, body } = await mine.key();
	$('sign-in').removeAttribute('aria-busy');
	if (status !== 200 || typeof body?.publisher !== 'string') {
		sessionStorage.removeItem(MINE);
		complainOfKey(status === 401 ? 'This is no key that is in force here. Ask who runs this server for one.' :
			status === 0 ? 'The server cannot be reached. Try again.' : `The server gave no useful answer (${status}). Try again.`);
		return false;
	}
	complainOfKey('');
	$('key').value = '';
	if (stay)
		sessionStorage.setItem(MINE, typed);
	server = mine;
	key = body;
	heardTime(body.time);
	sitDown();
	return true;
}

/** The desk is somebody's. */
function sitDown() {
	if (!key)
		return;
	const left = drafts.mine();
	const draft = left?.publisher === key.publisher ? left : null;
	if (left && !draft)
		drafts.leave();
	outbox = new Outbox(server, key.publisher);
	outbox.addEventListener('change', (event) => outboxChanged(/** @type {CustomEvent} */ (event).detail));
	sent = new Sent(server, key, { list: $('sent-list'), older: $('older') });
	sent.addEventListener('deed', (event) => void doDeed(/** @type {CustomEvent} */ (event).detail));
	$('who').textContent = `${key.publisher} · may ${key.may.join(', ') || 'only look'}`;
	for (const [id, shown] of /** @type {[string, boolean][]} */ ([['who', true], ['sign-out', true], ['desk', true], ['sign-in', false], ['drill', true], ['all-label', key.may.includes('audit')]]))
		$(id).hidden = !shown;
	document.body.classList.remove('signed-out');
	if (draft)
		drill = draft.drill;
	setDrill(drill && mayDrill());
	if (draft)
		takeUp(draft);
	else
		layDown();
	offerOrphan();
	outbox.resume();
	const same = outbox.entries.find((entry) => entry.about.uri === base.uri && entry.about.version === base.version);
	if (same)
		follow(same);
	$('headline').focus();
	say(`Signed in as ${key.publisher}.`);
	beats = 0;
	void beat();
}

/** The key is forgotten; what was written stays. @param {string} [why] */
function standUp(why = '') {
	save();
	outbox?.close();
	clearTimeout(beating);
	sessionStorage.removeItem(MINE);
	key = outbox = sent = null;
	current = null;
	$('sent-list').replaceChildren();
	$('under-way').replaceChildren();
	for (const id of ['who', 'sign-out', 'desk', 'drill', 'drill-banner', 'outcome', 'found'])
		$(id).hidden = true;
	$('link').textContent = '';
	document.body.classList.add('signed-out');
	document.body.classList.remove('is-drill');
	$('sign-in').hidden = false;
	setMode('writing');
	complainOfKey(why);
	$('key').focus();
}

/* -- the story on the desk --------------------------------------------------------------------- */

/** @param {typeof mode} next */
function setMode(next) {
	mode = next;
	document.body.dataset.mode = next;
	form.lock(next === 'sending');
	$('publish').disabled = next !== 'previewed';
	$('preview').disabled = next === 'sending';
	$('fresh').disabled = next === 'sending';
	const where = form.channels.chosen.join(', ');
	$('publish').textContent = next !== 'previewed' ? 'Publish' : $('embargo').value ? `Send under embargo to ${where}` :
		`${base.out ? 'Send the correction' : 'Publish'} to ${where}`;
	$('deed-said').textContent = next === 'previewed' ? 'Ctrl+Enter again sends it. Esc goes on writing.' : next === 'writing' ? 'Nothing is sent before you have seen it.' : '';
}

/** Somebody typed. */
function edited() {
	written = true;
	if (mode === 'previewed')
		setMode('writing');
	if (!$('outcome').hidden && !current)
		hideOutcome();
	clearTimeout(saving);
	saving = setTimeout(save, SAVE_MS);
	drawing ??= setTimeout(draw, DRAW_MS);
}

function save() {
	clearTimeout(saving);
	if (!key || !written)
		return;
	const kept = drafts.save({ values: form.values, base, publisher: key.publisher, saved: Date.now(), drill });
	$('saved').textContent = kept ? `Kept in this browser, ${clockTime(Date.now())}` : 'This browser keeps nothing: do not close this page.';
}

/** An empty desk. @param {Partial<Values>} [same] what the next story has in common with the last */
function layDown(same = {}) {
	base = newBase();
	form.values = { ...NOTHING, language: navigator.language.split('-')[0], channels: drill ? [DRILL] : oneChannel(), ...same };
	written = false;
	drafts.forget();
	$('saved').textContent = '';
	entitle();
	setMode('writing');
	draw();
}

/** Where a key may send to one channel only, that is it. */
const oneChannel = () => (key && key.channels.length === 1 && !key.channels[0].includes('*') && !isDrill(key.channels[0]) ? [...key.channels] : []);

/** @param {import('./drafts.js').Draft} draft */
function takeUp(draft) {
	base = draft.base;
	form.values = draft.values;
	written = true;
	entitle();
	setMode('writing');
	save();
	draw();
}

function entitle() {
	$('writing-title').textContent = !base.opened ? 'New story' : base.out ? `Correct version ${base.opened}` : 'Change a story under embargo';
	$('fields').querySelector('[data-field="correction"]').hidden = !base.out;
}

/** What another tab left. */
function offerOrphan() {
	const found = key && !written ? drafts.orphan(key.publisher) : null;
	$('found').hidden = !found;
	if (!found)
		return;
	const take = el('button', { type: 'button' }, 'Take it up');
	const drop = el('button', { type: 'button', class: 'quiet' }, 'Throw it away');
	take.addEventListener('click', () => {
		drafts.forgetOrphan(found.name);
		$('found').hidden = true;
		if (found.draft.drill !== drill)
			setDrill(found.draft.drill);
		takeUp(found.draft);
		$('headline').focus();
	});
	drop.addEventListener('click', () => {
		drafts.forgetOrphan(found.name);
		$('found').hidden = true;
		$('headline').focus();
	});
	$('found').replaceChildren(el('p', {}, `A story of ${clockTime(found.draft.saved)} was left in another tab: `, el('strong', { dir: 'auto' }, found.draft.values.headline || 'without a headline')), take, drop);
}

/* -- preview ------------------------------------------------------------------------------------ */

/** The story as readers will see it, as it stands. */
function draw() {
	clearTimeout(drawing);
	drawing = undefined;
	if (!key)
		return;
	const values = form.values;
	const item = itemOf(values, base, { urgency: key.urgency, now: now() });
	const empty = !values.headline && !values.summary && !values.body && !values.picture;
	const paper = $('paper');
	if (empty) {
		paper.replaceChildren(el('p', { class: 'hint' }, 'Nothing is written yet.'));
		return;
	}
	const known = paper.querySelector('article');
	const article = drawStory(storyOf({ type: 'post', action: base.out ? 'correct' : 'publish', class: values.class, channels: values.channels, item }, parseHtml),
		known ? { article: known, level: 3 } : { level: 3 });
	article.removeAttribute('tabindex');
	if (!known) {
		paper.replaceChildren(article);
		article.querySelector('details')?.setAttribute('open', '');
	}
}

/** @returns {boolean} is all well, as far as can be known here? */
function check() {
	const faults = form.check(form.values, base);
	form.clear();
	for (const [name, fault] of faults)
		form.fault(name, fault);
	if (faults.size === 0)
		return true;
	setMode('writing');
	form.focusFault();
	say(faults.size === 1 ? 'One thing is missing or wrong.' : `${faults.size} things are missing or wrong.`);
	return false;
}

function preview() {
	if (mode === 'sending' || mode === 'asking')
		return;
	if (document.activeElement instanceof HTMLElement && $('form').contains(document.activeElement))
		lastField = document.activeElement;
	if (!check())
		return;
	draw();
	$('paper').querySelector('details')?.setAttribute('open', '');
	setMode('previewed');
	$('reading').focus({ preventScroll: true });
	$('reading').scrollIntoView({ block: 'nearest' });
	say(`This is what readers will see. Control Enter again sends it to ${form.channels.audience(form.values.class)}.`);
}

function goOnWriting() {
	setMode('writing');
	(lastField?.isConnected ? lastField : $('headline')).focus();
	say('Go on writing.');
}

/* -- publishing --------------------------------------------------------------------------------- */

/**
 * Is there another version than the one that was opened (for a new story: any)? Somebody else's, or the same story out of another tab.
 * @returns {Promise<{version: string, who: string, out: boolean, killed: boolean}|null>}
 */
async function changedMeanwhile() {
	const { status, body } = await server.sent({ uri: base.uri, limit: 1, all: key?.may.includes('audit') });
	const [entry] = status === 200 && Array.isArray(body?.entries) ? body.entries : [];
	const version = entry?.story?.held || entry?.story?.version;
	const killed = ['canceled', 'purged'].includes(entry?.story?.status);
	return killed || (version && version !== base.opened) ? { version, who: entry.who, out: Boolean(entry.story.version), killed } : null;
}

async function publish() {
	if (mode !== 'previewed' || !key || !outbox || !check())
		return;
	setMode('asking');
	const values = form.values;
	const newer = await changedMeanwhile();
	if (newer) {
		askAboutNewer(newer);
		return;
	}
	const who = () => `${form.channels.audience('flash')} of ${values.channels.join(', ')}`;
	if (values.class === 'flash' && !(await confirmFlash(values.headline || values.summary, who))) {
		setMode('writing');
		say('Nothing was sent.');
		return;
	}
	if (!key || !outbox)
		return; // signed out meanwhile
	const item = itemOf(values, base, { urgency: key.urgency, now: now() });
	const size = new TextEncoder().encode(JSON.stringify(item)).length;
	if (size > key.max_item) {
		form.fault('body', `This is ${numeral(size)} bytes; the server takes ${numeral(key.max_item)}.`);
		goOnWriting();
		return;
	}
	save();
	follow(outbox.send(item, { uri: base.uri, version: base.version, headline: values.headline || values.summary, deed: base.out ? 'correct' : 'publish' }));
}

/** @param {{version: string, who: string, out: boolean, killed: boolean}} newer */
function askAboutNewer({ version, who, out, killed }) {
	setMode('writing');
	if (killed) {
		const anew = el('button', { type: 'button' }, 'Make it a new story');
		anew.addEventListener('click', () => open(newBase(), { ...form.values, correction: '' }, 'headline'));
		showOutcome('bad', [el('p', {}, el('strong', {}, 'Not sent. '), `${who} has killed this story, which cannot be undone.`)], [anew]);
		return;
	}
	const onTop = el('button', { type: 'button' }, 'Put mine on top of it');
	const instead = el('button', { type: 'button' }, 'Open that one instead');
	onTop.addEventListener('click', () => {
		base = { ...base, opened: version, version: nextVersion(version), out: base.out || out };
		written = true;
		save();
		entitle();
		hideOutcome();
		preview();
	});
	instead.addEventListener('click', () => {
		hideOutcome();
		void openStory(base.uri, '');
	});
	showOutcome('warning', [el('p', {}, el('strong', {}, 'Not sent. '), base.opened ? `${who} has changed this story while you wrote: version ${version} is there now.` :
		`This very story is there already: ${who} sent version ${version} of it.`)], [onTop, instead]);
}

/** The form is what this entry carries. @param {Entry} entry */
function follow(entry) {
	current = entry;
	setMode('sending');
	showEntry(entry);
}

/** @param {Entry} entry */
function outboxChanged(entry) {
	if (entry === current)
		showEntry(entry);
	drawUnderWay();
	warmAt = Date.now();
	if (entry.state === 'known')
		void beat();
	if (entry.state === 'unauthorized')
		keyFailed(entry);
}

/** The key was revoked. @param {Entry} entry */
function keyFailed(entry) {
	if (!entry.doubt)
		outbox?.stop(entry.name);
	standUp('Your key is not in force any more. What you wrote is kept.');
}

/** What the server said to what stands in the form. @param {Entry} entry */
function showEntry(entry) {
	const { state, outcome, tries } = entry;
	const now_ = el('button', { type: 'button' }, 'Try now');
	const stop = el('button', { type: 'button' }, 'Stop, and go on writing');
	now_.addEventListener('click', () => outbox?.now(entry.name));
	stop.addEventListener('click', () => outbox?.stop(entry.name));
	if (state === 'sending' && tries <= 1)
		showOutcome('busy', [el('p', {}, 'Sending …')]);
	else if (state === 'away')
		showOutcome('warning', [el('p', {}, el('strong', {}, 'Not sent. '), `The server took nothing: ${outcome?.detail}.`),
			el('p', {}, `What you wrote is kept. Trying again by itself (${tries} so far).`)], [now_, stop]);
	else if (state === 'unknown')
		showOutcome('warning', [el('p', {}, el('strong', {}, 'Not known whether it was sent: '), `${outcome?.detail}.`),
			el('p', {}, `Trying again under the same name, so that it cannot go out twice (${tries} so far).`)], [now_, stop]);
	else if (state === 'stopped')
		stopped(entry);
	else if (state === 'refused')
		refused(entry);
	else if (state === 'known')
		known(entry);
}

/** @param {Entry} entry */
function stopped(entry) {
	current = null;
	setMode('writing');
	showOutcome('warning', [el('p', {}, el('strong', {}, entry.doubt ? 'It may have been sent. ' : 'Not sent. '),
		entry.doubt ? 'Look at the list before you send it again.' : 'Everything you wrote is here.')]);
	$('headline').focus();
}

/** @param {Entry} entry */
function refused(entry) {
	const problem = entry.outcome?.body;
	const faults = faultsByField(problem, JSON.parse(entry.bytes));
	current = null;
	setMode('writing');
	for (const [name, fault] of faults)
		if (name)
			form.fault(name, fault);
	const rest = faults.get('');
	showOutcome('bad', [el('p', {}, el('strong', {}, 'Refused. '), rest ?? problem.detail, ' ', el('code', {}, problem.code))]);
	if (!rest)
		form.focusFault();
}

/** @param {Entry} entry */
function known(entry) {
	const { body } = /** @type {import('./server.js').Outcome} */ (entry.outcome);
	current = null;
	if (body.status === 'stale') {
		setMode('writing');
		showOutcome('bad', [el('p', {}, el('strong', {}, 'Not sent out. '), 'A later version of this story is out already. Open it from the list.')]);
		return;
	}
	const { author, role, language } = form.values;
	layDown(entry.about.deed === 'publish' ? { author, role, language } : {});
	showOutcome('good', [receiptOf(body, entry)]);
	$('outcome').focus();
}

/** Says what a receipt says, and no more. @param {any} body @param {Entry} entry */
function receiptOf(body, entry) {
	const durable = body.durability === 'fsync' ? 'It is on disk.' : body.durability === 'replicated' ? 'A second machine has it.' : `How durable: ${body.durability ?? 'unknown'}.`;
	const verb = body.status === 'held' ? 'Under embargo. ' : body.status === 'duplicate' ? 'It was there already. ' : 'Sent. ';
	const readers = typeof body.readers === 'number' ? `${numeral(body.readers)} reader${body.readers === 1 ? ' was' : 's were'} connected. ` : '';
	return el('p', {}, el('strong', {}, verb), el('span', { dir: 'auto', class: 'quoted-inline' }, entry.about.headline), `: ${readers}${durable}`);
}

/** @param {'busy'|'good'|'warning'|'bad'} kind @param {Node[]} lines @param {Node[]} [buttons] */
function showOutcome(kind, lines, buttons = []) {
	const panel = $('outcome');
	const text = lines.map((line) => line.textContent).join(' ');
	const focused = panel.contains(document.activeElement) ? document.activeElement?.textContent : '';
	panel.className = `panel is-${kind}`;
	panel.hidden = false;
	panel.replaceChildren(...lines, ...(buttons.length > 0 ? [el('div', { class: 'deed' }, ...buttons)] : []));
	if (focused)
		[...panel.querySelectorAll('button')].find((button) => button.textContent === focused)?.focus();
	const where = kind === 'bad' || kind === 'warning' ? 'cried' : 'said';
	if ($(where).textContent !== text)
		$(where).textContent = text;
}

function hideOutcome() { $('outcome').hidden = true; }

/** What was sent from the list, and is not known yet. */
function drawUnderWay() {
	const entries = outbox?.entries.filter((entry) => entry !== current && entry.state !== 'known' && !(entry.state === 'stopped' && !entry.doubt)) ?? [];
	$('under-way').replaceChildren(...entries.map((entry) => {
		const { state, outcome, about } = entry;
		const said = { sending: 'sending …', away: `not sent: ${outcome?.detail}; trying again`, unknown: `not known whether it was sent: ${outcome?.detail}; trying again`,
			refused: `refused: ${outcome?.detail}`, stopped: 'it may have been sent', unauthorized: 'the key is not in force' }[/** @type {'away'} */ (state)];
		const isOver = state === 'refused' || state === 'stopped';
		const button = el('button', { type: 'button', class: 'quiet' }, isOver ? 'Away with it' : 'Stop');
		button.addEventListener('click', () => {
			isOver ? outbox?.forget(entry.name) : outbox?.stop(entry.name);
			drawUnderWay();
		});
		return el('li', { class: `line is-${state}` }, el('p', {}, el('strong', { dir: 'auto' }, about.headline || about.uri), ` (${about.deed}): ${said}`), state !== 'sending' && button);
	}));
}

/* -- what was sent ------------------------------------------------------------------------------ */

/** @param {{deed: string, line: Line, headline: string}} detail */
async function doDeed({ deed, line, headline }) {
	if (!outbox || !key)
		return;
	if (deed === 'correct')
		await openStory(line.uri, line.held);
	else if (deed === 'release')
		await openHeldBack(line);
	else if (deed === 'now')
		await releaseNow(line, headline);
	else if (deed === 'hold')
		await hold(line, headline);
	else
		await kill(line, headline);
}

/** May what stands on the desk be put aside? */
async function mayClear() {
	if (mode === 'sending') {
		say('Wait until it is known what became of the story that is being sent.');
		return false;
	}
	return !written || confirmDeed('A story is on the desk', 'It was not sent. Throw it away, and open the other one?', 'Throw it away');
}

/** @param {Base} next @param {Values} values @param {string} first the field to begin in */
function open(next, values, first) {
	base = next;
	form.values = values;
	written = true;
	hideOutcome();
	entitle();
	setMode('writing');
	save();
	draw();
	$(first).focus();
	$('writing-title').scrollIntoView({ block: 'nearest' });
	say(`${$('writing-title').textContent} is open.`);
}

/** Opens a story for its next version. @param {string} uri @param {string} held the version under embargo, or '' */
async function openStory(uri, held) {
	if (!(await mayClear()))
		return;
	const { status, body } = held ? await server.held(uri) : await server.item(uri);
	if (status !== 200 || typeof body?.item !== 'object' || !body.item) {
		showOutcome('bad', [el('p', {}, el('strong', {}, 'It cannot be opened. '), status === 0 || status === 503 ? 'The server or its store cannot be reached.' : `The server says ${status}: ${body?.detail ?? 'the story is not there'}.`)]);
		return;
	}
	const version = held || String(body.item.version ?? '1');
	const values = valuesOf(body.item, Array.isArray(body.channels) ? body.channels : [], body.class, parseHtml);
	const item = { ...body.item, descriptions: Array.isArray(body.item.descriptions) ? body.item.descriptions.filter((/** @type {any} */ d) => d?.role !== 'correction') : undefined };
	/* A public version below one under embargo was corrected: readers are told when that comes out. */
	const out = !held || Boolean((await server.item(uri)).status === 200);
	open({ uri, version: nextVersion(version), item, opened: version, out }, values, out ? 'correction' : 'headline');
}

/** @param {Line} line */
async function openHeldBack(line) {
	if (!(await mayClear()))
		return;
	const copy = JSON.parse(sessionStorage.getItem(COPY + line.uri) ?? 'null');
	const next = { uri: line.uri, version: nextVersion(line.version), item: copy?.item ?? {}, opened: line.version, out: true };
	const values = copy ? valuesOf(copy.item, copy.channels, copy.class, parseHtml) : { ...NOTHING, channels: line.channels };
	open(next, { ...values, embargo: '' }, 'correction');
	if (!copy)
		showOutcome('warning', [el('p', {}, 'The server has deleted the text of this story when it was held back, and this tab has no copy. Write it again to release it.')]);
}

/** @param {Line} line @param {string} headline */
async function releaseNow(line, headline) {
	const { status, body } = await server.held(line.uri);
	if (status !== 200) {
		showOutcome('bad', [el('p', {}, el('strong', {}, 'Not released. '), `The server says ${status || 'nothing'}.`)]);
		return;
	}
	const channels = body.channels.filter((/** @type {string} */ channel) => !channel.includes(':'));
	const text = `“${headline}” goes to ${channels.join(', ')} at once, and not ${inFull(new Date(body.embargo))}.`;
	if (body.class === 'flash' ? await confirmFlash(headline, () => `readers of ${channels.join(', ')}`) : await confirmDeed('Release it now', text, 'Release it now')) {
		const item = { ...body.item, embargoedUntil: undefined, versionCreated: now().toISOString(), channels };
		outbox?.send(item, { uri: line.uri, version: line.held, headline, deed: 'release' });
	}
}

/** @param {Line} line @param {string} headline */
async function hold(line, headline) {
	const { status, body } = await server.item(line.uri);
	const answer = await confirmHold(headline);
	if (!answer)
		return;
	if (status === 200)
		sessionStorage.setItem(COPY + line.uri, JSON.stringify({ item: body.item, channels: body.channels, class: body.class }));
	outbox?.send(withdrawalOf({ ...newBase(), uri: line.uri, version: nextVersion(line.version) }, 'withheld', answer.notice, now()),
		{ uri: line.uri, version: nextVersion(line.version), headline, deed: 'hold' });
}

/** @param {Line} line @param {string} headline */
async function kill(line, headline) {
	const reached = line.reach ? `It was sent to ${numeral(line.reach.readers ?? 0)} connection${line.reach.readers === 1 ? '' : 's'}; all of them are told.` : '';
	const answer = await confirmKill(headline, reached);
	if (!answer)
		return;
	const version = nextVersion(line.held || line.version);
	sessionStorage.removeItem(COPY + line.uri);
	hideOutcome(); // it may name the story
	say('');
	outbox?.send(withdrawalOf({ ...newBase(), uri: line.uri, version }, 'canceled', answer.notice, now()), { uri: line.uri, version, headline: line.uri, deed: 'kill' });
	if (base.uri === line.uri)
		layDown(); // a killed text does not stay on the desk
}

/* -- the beat ----------------------------------------------------------------------------------- */

/** Asks how things are, gently: who reads what, and what became of the stories. */
async function beat() {
	clearTimeout(beating);
	if (!key || !sent)
		return;
	const mine = sent;
	if (document.visibilityState === 'visible') {
		const isDue = beats++ % CALM_BEATS === 0 || Date.now() - warmAt < WARM_MS || mine.isRestless();
		const [channels, status] = await Promise.all([server.channels(), isDue ? mine.refresh() : lastStatus]);
		if (mine !== sent)
			return;
		lastStatus = status;
		if (channels.status === 200 && Array.isArray(channels.body?.channels))
			form.channels.count(new Map(channels.body.channels.map((/** @type {any} */ one) => [String(one.channel), Number(one.readers) || 0])));
		sayLink(status);
		sayAudience();
	}
	clearTimeout(beating);
	beating = setTimeout(beat, BEAT_MS * (0.9 + Math.random() / 5));
}

let beats = 0;
let warmAt = 0;
let lastStatus = 0;
let freshAt = 0;

/** @param {number} status of the newest list of what was sent */
function sayLink(status) {
	const isFresh = status === 200;
	if (isFresh)
		freshAt = Date.now();
	const said = isFresh ? 'Connected' : status === 0 ? 'The server cannot be reached' : status === 401 ? 'Your key is not in force any more' : 'The server’s store is away';
	if ($('link').textContent !== said)
		$('link').textContent = said;
	$('link').className = `link ${isFresh ? 'is-live' : 'is-away'}`;
	$('sent-said').textContent = isFresh || !freshAt ? '' : `as of ${clockTime(freshAt)}`;
}

function sayAudience() {
	const said = form.channels.chosen.length === 0 ? '' : `now ${form.channels.audience($('class').value)}`;
	if ($('audience').textContent !== said)
		$('audience').textContent = said;
}

/* -- exercise ----------------------------------------------------------------------------------- */

const mayDrill = () => Boolean(key && (maySend(key.channels, DRILL) || key.channels.some((pattern) => isDrill(pattern.replace(/\*$/, 'x')))));

/** @param {boolean} on */
function setDrill(on) {
	drill = on;
	sessionStorage.setItem(DRILL_MODE, on ? 'on' : 'off');
	document.body.classList.toggle('is-drill', on);
	$('drill').setAttribute('aria-pressed', String(on));
	$('drill').disabled = !mayDrill();
	$('drill').title = mayDrill() ? '' : 'Your key may not send to the channel “exercise”';
	$('drill-banner').hidden = !on;
	$('drill-banner').textContent = on ? 'EXERCISE. Nothing written here reaches readers: it goes to exercise channels only.' : '';
	document.title = on ? 'EXERCISE: Newsroom' : 'Newsroom';
	if (key)
		form.allow(key, on);
	if (sent) {
		sent.drill = on;
		sent.draw();
	}
}

async function toggleDrill() {
	if (mode === 'sending')
		return;
	if (base.opened && written && !(await confirmDeed('A story is on the desk', 'It is a version of a story that was sent in the other mode, and was not sent. Throw it away?', 'Throw it away')))
		return;
	const values = base.opened ? null : form.values;
	const kept = written;
	setDrill(!drill);
	layDown();
	if (values && kept) {
		/* A new uri: what was written in one mode is another story in the other. */
		form.values = { ...values, channels: drill ? [DRILL] : oneChannel() };
		edited();
	}
	hideOutcome();
}

/* -- wiring ------------------------------------------------------------------------------------- */

$('sign-in').addEventListener('submit', (/** @type {Event} */ event) => {
	event.preventDefault();
	void signIn($('key').value.trim(), $('stay').checked);
});
$('sign-out').addEventListener('click', () => standUp());
$('drill').addEventListener('click', () => void toggleDrill());
$('preview').addEventListener('click', preview);
$('form').addEventListener('submit', (/** @type {Event} */ event) => {
	event.preventDefault();
	if (event instanceof SubmitEvent && event.submitter === $('publish'))
		void publish();
});
/* Enter in a field of one line does nothing. */
$('form').addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
	if (event.key === 'Enter' && event.target instanceof HTMLInputElement)
		event.preventDefault();
});
$('fresh').addEventListener('click', async () => {
	if (await mayClear()) {
		layDown();
		hideOutcome();
		$('headline').focus();
	}
});
$('all').addEventListener('change', () => {
	if (!sent)
		return;
	sent.all = $('all').checked;
	sent.reset();
	beats = 0;
	void beat();
});
document.addEventListener('keydown', (event) => {
	if (!key || document.querySelector('dialog[open]'))
		return;
	if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
		event.preventDefault();
		if (!event.repeat)
			mode === 'previewed' ? void publish() : preview();
	} else if (event.key === 'Escape' && mode === 'previewed') {
		event.preventDefault();
		goOnWriting();
	}
});
for (const name of ['pagehide', 'visibilitychange'])
	addEventListener(name, save);
document.addEventListener('visibilitychange', () => {
	beats = 0;
	if (document.visibilityState === 'visible')
		void beat();
});
setInterval(() => {
	if (!key)
		return;
	sent?.tick();
	form.sayTime();
}, 1000);
tend($('paper'));
setMode('writing');

const kept = sessionStorage.getItem(MINE);
if (kept)
	void signIn(kept, true);
else
	$('key').focus();
