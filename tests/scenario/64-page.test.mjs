// The goal: the reader page is everybody's: found without fault by axe, walked by keyboard, printed, asleep for a day, loud only where it was asked to be.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { front } from '../samples/front/items.mjs';
import { launch } from './clients.mjs';
import { axe, becomes, everything, lead, open } from './pages.mjs';
import { PATIENCE_MS, Stage, item, until } from './stage.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

/** A reader at the page, live, who asks no other server for anything. */
async function visit(t, stage, options = {}) {
  const page = await open(t, browser, stage.url + (options.path ?? '/'), options);
  await becomes(page, 'the page to be live', () => document.querySelector('#link').textContent === 'Live');
  return page;
}

const story = (page, text) => page.locator('article', { hasText: text });
const focused = (page) => page.evaluate(() => document.activeElement.ariaLabel || document.activeElement.innerText);
const now = () => new Date().toISOString();
const flash = (changes = {}) => item({ uri: 'urn:test:flash', urgency: 1, headline: 'Bridge closed', versionCreated: now(), ...changes });

/** Every kind of story there is: the front page, with a picture of nobody's server in place of the one that is gone. */
async function publishFront(stage) {
  for (const [channel, one] of front({ flash: true }))
    assert.ok((await stage.post(JSON.parse(JSON.stringify(one).replaceAll('https://img.wire.example/gone.jpg', 'data:image/png;base64,AAAA')), { channels: channel })).status < 300);
}

test('axe finds nothing, at any width, by day and by night, whatever is on the page', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage, { width: 1280 });
  await axe(page, 'empty');
  await stage.post(item({ uri: 'urn:test:seen', headline: 'Seen' }));
  await story(page, 'Seen').waitFor();
  await stage.post(item({ uri: 'urn:test:seen', version: '2', pubStatus: 'canceled' }));
  await story(page, 'withdrawn').waitFor();
  await publishFront(stage);
  await page.locator('[role=alert]', { hasText: 'PRIME MINISTER' }).waitFor();
  await story(page, 'Ліхтарі').waitFor();
  await story(page, 'Harbour council').locator('.read').click();
  await page.getByRole('button', { name: 'Alerts' }).click();
  await stage.post(item({ headline: 'Waits' }));
  await page.getByRole('button', { name: '1 new story' }).waitFor();
  for (const width of [360, 768, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme: 'light' });
    await axe(page, `${width} by day`);
    await page.emulateMedia({ colorScheme: 'dark' });
    await axe(page, `${width} by night`);
  }
  await page.context().setOffline(true);
  await becomes(page, 'the page to say that it is offline', () => /^Offline… last update \d\d:\d\d$/.test(document.querySelector('#link').textContent));
  await axe(page, 'offline');
  await page.context().setOffline(false);
  await becomes(page, 'the page to be live again', () => document.querySelector('#link').textContent === 'Live');
});

test('live regions are there, and empty, before there is news', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(flash());
  const { text } = await stage.http('/');
  for (const region of [/<p id="banner-text" role="alert"><\/p>/, /<p id="link" class="link" role="status"><\/p>/, /<p id="said" class="unseen" role="status"><\/p>/])
    assert.match(text, region);
});

test('what the server wrote is taken over as it is, and nothing is drawn twice', async (t) => {
  const stage = await Stage.open(t);
  for (let n = 1; n <= 5; n++)
    await stage.post(item({ uri: `urn:test:${n}`, headline: `Story ${n}`, body: 'One.\n\nTwo.', versionCreated: now(), associations: [lead()] }));
  const page = await visit(t, stage, { init: () => {
    globalThis.seen = { added: 0, removed: 0 };
    const count = (nodes) => [...nodes].filter((node) => node.nodeName === 'ARTICLE').length;
    new MutationObserver((records) => {
      for (const { addedNodes, removedNodes } of records) {
        seen.added += count(addedNodes);
        seen.removed += count(removedNodes);
      }
    }).observe(document, { childList: true, subtree: true });
  } });
  await stage.post(item({ uri: 'urn:test:6', headline: 'Story 6' }));
  await story(page, 'Story 6').waitFor();
  assert.deepEqual(await page.evaluate(() => seen), { added: 6, removed: 0 });
  assert.match(await story(page, 'Story 5').locator('time').innerText(), /^(now|\d min ago)$/);
  await story(page, 'Story 5').locator('.read').click();
  await stage.post(item({ uri: 'urn:test:5', version: '2', headline: 'Corrected 5', body: 'One.\n\nThree.' }));
  await story(page, 'Corrected 5').getByText('Three.').waitFor();
  assert.equal(await page.evaluate(() => seen.removed), 0, 'a correction stays in its place');
});

test('a keyboard is enough', async (t) => {
  const stage = await Stage.open(t);
  for (let n = 1; n <= 22; n++) await stage.post(item({ uri: `urn:test:${n}`, headline: `Story ${n}.`, body: 'One.\n\nTwo.' }));
  await stage.post(flash());
  const page = await visit(t, stage);
  await page.locator('[role=alert]', { hasText: 'Bridge closed' }).waitFor();
  const press = (key) => page.keyboard.press(key);

  await press('Tab');
  assert.equal(await focused(page), 'Skip to the news');
  await press('Tab');
  assert.equal(await focused(page), 'Bridge closed');
  await press('Tab');
  assert.equal(await focused(page), 'Dismiss breaking news');
  await press('Enter');
  await becomes(page, 'the banner to be gone', () => document.querySelector('#banner-text').textContent === '');

  await page.locator('.skip').focus();
  await press('Enter');
  await press('Tab');
  assert.match(await focused(page), /Bridge closed/);
  await press('PageDown');
  assert.match(await focused(page), /Story 22\./);
  await press('Tab');
  assert.match(await focused(page), /^Read more/);
  await press('Enter');
  await story(page, 'Story 22.').getByText('Two.').waitFor();
  assert.match(await focused(page), /^Read less/);
  await press('Space');
  assert.equal(await story(page, 'Story 22.').locator('.body').isVisible(), false);
  await press('PageDown');
  assert.match(await focused(page), /Story 21\./);

  await stage.post(item({ uri: 'urn:test:21', version: '2', pubStatus: 'canceled' }));
  await story(page, 'withdrawn').waitFor();
  assert.match(await focused(page), /This story has been withdrawn|withdrawn/, 'who is at a story that goes stays there');
  await press('Control+End');
  assert.equal(await focused(page), 'Show more');
  await press('Enter');
  await becomes(page, 'the rest', () => document.querySelectorAll('article').length === 23);
  assert.match(await focused(page), /Story 3\.|Story 2\./);
  await press('Control+Home');
  assert.equal(await focused(page), 'Pause');
  await press('Enter');
  await becomes(page, 'the pause to be said', () => /^Paused/.test(document.querySelector('#said').textContent));
});

/* Notifications as a browser would show them; `shown` holds those that are open, `asked` how often permission was asked for. */
const notifications = (answer) => `(() => {
  let permission = 'default';
  globalThis.shown = [];
  globalThis.askedFor = 0;
  globalThis.Notification = class {
    static get permission() { return permission; }
    static async requestPermission() { globalThis.askedFor++; return (permission = ${JSON.stringify(answer)}); }
    constructor(title, options) {
      if (options.renotify && !options.tag) throw new TypeError('renotify needs a tag');
      this.title = title;
      this.options = options;
      globalThis.shown = globalThis.shown.filter((one) => one.options.tag !== options.tag).concat(this);
    }
    close() { globalThis.shown = globalThis.shown.filter((one) => one !== this); this.onclose?.(); }
  };
  document.hasFocus = () => false;
})()`;
async function turnOn(page) {
  await page.locator('#alerts').click();
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.locator('#alerts', { hasText: 'Alerts on' }).waitFor();
}
const shown = (page) => page.evaluate(() => globalThis.shown.map(({ title, options: { tag, renotify } }) => [title, tag, renotify]));

test('notifications are asked for on a click, after what they are for was said; one per story, closed when it is killed', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage, { init: notifications('granted') });
  const asking = page.locator('#asking');
  await stage.post(flash({ uri: 'urn:test:early', headline: 'Too early' }));
  await story(page, 'Too early').waitFor();
  assert.equal(await page.evaluate(() => globalThis.askedFor), 0);

  const button = page.locator('#alerts');
  await button.click();
  await asking.getByText('a notification for each flash and bulletin').waitFor();
  assert.equal(await button.getAttribute('aria-expanded'), 'true');
  await page.keyboard.press('Escape');
  await asking.waitFor({ state: 'hidden' });
  await button.click();
  await page.getByRole('button', { name: 'Not now' }).click();
  assert.equal(await page.evaluate(() => globalThis.askedFor), 0, 'asked nothing yet');
  await button.click();
  await page.getByRole('button', { name: 'Turn on' }).click();
  await button.getByText('Alerts on').waitFor();
  await becomes(page, 'this tab to speak', async () => (await navigator.locks.query()).held.some((lock) => lock.name === 'newswire.alerts'));

  await stage.post(flash());
  await becomes(page, 'a notification', () => globalThis.shown.length === 1);
  assert.deepEqual(await shown(page), [['Flash: Bridge closed', 'urn:test:flash', true]]);
  await stage.post(flash({ version: '2', headline: 'Bridge half closed' }));
  await becomes(page, 'the correction', () => globalThis.shown[0]?.title === 'Flash: Bridge half closed');
  await stage.post(item({ uri: 'urn:test:bulletin', urgency: 2, headline: 'A bulletin', versionCreated: now() }));
  await stage.post(item({ headline: 'An ordinary story' }));
  await story(page, 'An ordinary story').waitFor();
  assert.deepEqual(await shown(page), [['Flash: Bridge half closed', 'urn:test:flash', true], ['A bulletin', 'urn:test:bulletin', false]]);

  await page.evaluate(() => globalThis.shown[0].onclick());
  await becomes(page, 'the story that was clicked to have the keyboard', () => /Bridge half closed/.test(document.activeElement.innerText));
  assert.deepEqual((await shown(page)).map(([title]) => title), ['A bulletin'], 'who came by it has seen it');
  await stage.post(item({ uri: 'urn:test:bulletin', version: '2', pubStatus: 'canceled' }));
  await becomes(page, 'the notification of what was killed to be closed', () => globalThis.shown.length === 0);

  await button.click();
  await button.getByText('Alerts', { exact: true }).waitFor();
  await stage.post(flash({ uri: 'urn:test:off', headline: 'Nobody is told' }));
  await page.locator('[role=alert]', { hasText: 'Nobody is told' }).waitFor();
  assert.deepEqual(await shown(page), []);
});

/* The browser's own notifications, and what it says of each: show, close, error. */
const WATCHED = `(() => {
  document.hasFocus = () => false;
  globalThis.told = [];
  globalThis.Notification = class extends Notification {
    constructor(title, options) {
      super(title, options);
      for (const type of ['show', 'close', 'error']) this.addEventListener(type, () => globalThis.told.push(type + ' ' + title));
    }
  };
})()`;

test('the browser itself shows a notification for a flash, puts its correction in its place, and takes it away with the story', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage, { init: WATCHED, permissions: ['notifications'] });
  await turnOn(page);
  await becomes(page, 'this tab to speak', async () => (await navigator.locks.query()).held.some((lock) => lock.name === 'newswire.alerts'));
  const told = (word) => becomes(page, `"${word}"`, (expected) => globalThis.told.includes(expected), word);
  await stage.post(flash());
  await told('show Flash: Bridge closed');
  await stage.post(flash({ version: '2', headline: 'Bridge half closed' }));
  await told('show Flash: Bridge half closed');
  await stage.post(flash({ version: '3', pubStatus: 'canceled' }));
  await told('close Flash: Bridge half closed');
  assert.ok(!(await page.evaluate(() => globalThis.told)).some((what) => what.startsWith('error')));
});

test('who refuses notifications is told how to change their mind, and of two tabs one speaks', async (t) => {
  const stage = await Stage.open(t);
  const refuses = await visit(t, stage, { init: notifications('denied') });
  await refuses.locator('#alerts').click();
  await refuses.getByRole('button', { name: 'Turn on' }).click();
  await refuses.locator('#asking').getByText('Your browser blocks notifications').waitFor();
  assert.equal(await refuses.locator('#asking-yes').isVisible(), false);

  const one = await visit(t, stage, { init: notifications('granted') });
  const other = await one.context().newPage();
  await other.addInitScript(notifications('granted'));
  await other.goto(stage.url);
  for (const page of [one, other]) {
    await becomes(page, 'the page to be live', () => document.querySelector('#link').textContent === 'Live');
    await turnOn(page);
  }
  await becomes(other, 'one to wait for the other', async () => {
    const { held, pending } = await navigator.locks.query();
    return [held, pending].every((locks) => locks.some((lock) => lock.name === 'newswire.alerts'));
  });
  await stage.post(flash());
  for (const page of [one, other]) await page.locator('[role=alert]', { hasText: 'Bridge closed' }).waitFor();
  assert.deepEqual([(await shown(one)).length, (await shown(other)).length], [1, 0]);
  await one.close();
  await becomes(other, 'the other to take over', async () => {
    const { held, pending } = await navigator.locks.query();
    return held.some((lock) => lock.name === 'newswire.alerts') && !pending.some((lock) => lock.name === 'newswire.alerts');
  });
  await stage.post(flash({ uri: 'urn:test:next', headline: 'Next' }));
  await becomes(other, 'its notification', () => globalThis.shown.length === 1);
});

/* Tabs of one browser that want alerts, of which none has the word: somebody else of their origin has it until `silent.close()`. */
async function silentTabs(t, stage, paths, { clock } = {}) {
  const silent = await open(t, browser, `${stage.url}/v1/feed`);
  if (clock) await silent.context().clock.install();
  await silent.evaluate(() => new Promise((held) => { navigator.locks.request('newswire.alerts', () => { held(); return new Promise(() => {}); }); }));
  const tabs = [];
  for (const path of paths) {
    const tab = await silent.context().newPage();
    tab.setDefaultTimeout(PATIENCE_MS);
    await tab.addInitScript(notifications('granted'));
    await tab.goto(stage.url + path);
    await becomes(tab, 'the page to be live', () => document.querySelector('#link').textContent === 'Live');
    await turnOn(tab);
    tabs.push(tab);
  }
  return { silent, tabs, clock: silent.context().clock };
}
const titles = async (...pages) => (await Promise.all(pages.map(shown))).flat().map(([title]) => title);

test('a flash that comes while no tab has the word is told by the tab that gets it, once; and no killed one', async (t) => {
  const stage = await Stage.open(t, { tick: '60s' }); /* the clock jumps, and the link must not notice */
  const { silent, tabs: [one, other], clock } = await silentTabs(t, stage, ['/', '/'], { clock: true });
  await clock.pauseAt(Date.now() + 20_000); /* no tab tires of waiting, however long this takes */
  await stage.post(flash({ uri: 'urn:test:killed', headline: 'Killed' }));
  await stage.post(flash());
  await stage.post(item({ uri: 'urn:test:killed', version: '2', pubStatus: 'canceled' }));
  for (const tab of [one, other]) await until(async () => (await clock.runFor(2), story(tab, 'withdrawn').isVisible()), 'the kill to be seen');
  assert.deepEqual(await titles(one, other), []);
  await silent.close();
  await becomes(one, 'the flash to be told', () => globalThis.shown.length > 0);
  await stage.post(flash({ uri: 'urn:test:next', headline: 'Next' }));
  await becomes(one, 'the next', () => globalThis.shown.length > 1);
  await clock.runFor(5000);
  assert.deepEqual([await titles(one), await titles(other)], [['Flash: Bridge closed', 'Flash: Next'], []]);
  await clock.resume();
  await one.close();
  await stage.post(flash({ uri: 'urn:test:last', headline: 'Last' }));
  await becomes(other, 'the last', () => globalThis.shown.length > 0);
  assert.deepEqual(await titles(other), ['Flash: Last']);
});

test('what the tab that has the word does not tell, since it hangs or reads other channels, one of the others tells, corrects and withdraws', async (t) => {
  const stage = await Stage.open(t);
  const { tabs: [world, ...sport] } = await silentTabs(t, stage, ['/?channels=world', '/?channels=sport', '/?channels=sport&class=flash']);
  await stage.post(flash(), { channels: 'sport' });
  await until(async () => (await titles(...sport)).length > 0, 'the flash to be told');
  await world.waitForTimeout(2500); /* by then the other would have told it too */
  assert.deepEqual(await titles(...sport), ['Flash: Bridge closed']);
  await stage.post(flash({ version: '2', headline: 'Bridge half closed' }), { channels: 'sport' });
  await until(async () => (await titles(...sport))[0] === 'Flash: Bridge half closed', 'its correction');
  await world.waitForTimeout(2500);
  assert.deepEqual([await titles(world), await titles(...sport)], [[], ['Flash: Bridge half closed']]);
  await stage.post(flash({ version: '3', pubStatus: 'canceled' }), { channels: 'sport' });
  await until(async () => (await titles(...sport)).length === 0, 'the notification to be closed');
});

test('banner and notification hold, and go with the kill, whatever the uri looks like; what is corrected late makes no sound', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage, { init: notifications('granted') });
  await turnOn(page);
  const banner = page.locator('[role=alert]');
  for (const uri of ['urn:test:space ', 'urn:test:two  spaces', 'urn:test:no-break\u00a0space']) {
    await stage.post(flash({ uri }));
    await becomes(page, 'a notification', () => globalThis.shown.length === 1);
    await banner.getByText('Bridge closed').waitFor();
    await stage.post(flash({ uri, version: '2', pubStatus: 'canceled' }));
    await becomes(page, 'it to be closed', () => globalThis.shown.length === 0);
    await banner.getByText('Bridge closed').waitFor({ state: 'detached' });
  }
  await stage.post(flash());
  await becomes(page, 'a notification', () => globalThis.shown.length === 1);
  await page.clock.setFixedTime(Date.now() + 30 * 60_000);
  await stage.post(flash({ version: '2', headline: 'Bridge half closed' }));
  await becomes(page, 'the correction', () => globalThis.shown[0]?.title === 'Flash: Bridge half closed');
  assert.deepEqual(await shown(page), [['Flash: Bridge half closed', 'urn:test:flash', false]]);
});

test('where channels, locks and storage are forbidden the page is live, and tells', async (t) => {
  const stage = await Stage.open(t);
  const forbidden = `(() => {
    const forbid = () => { throw new DOMException('The operation is insecure.', 'SecurityError'); };
    globalThis.BroadcastChannel = class { constructor() { forbid(); } };
    navigator.locks.request = async () => forbid();
    Object.defineProperty(globalThis, 'localStorage', { get: forbid });
  })();`;
  const page = await visit(t, stage, { init: forbidden + notifications('granted') });
  await turnOn(page);
  await stage.post(flash());
  await becomes(page, 'a notification', () => globalThis.shown.length === 1);
});

test('a notification of what is gone after a gap is closed, as are those of a page that goes', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage, { init: notifications('granted') });
  await turnOn(page);
  await stage.post(flash());
  await becomes(page, 'a notification', () => globalThis.shown.length === 1);
  await stage.redis.flushall();
  await becomes(page, 'it to be closed', () => globalThis.shown.length === 0);
  await becomes(page, 'the page to be live again', () => document.querySelector('#link').textContent === 'Live');
  await stage.post(flash({ uri: 'urn:test:next', headline: 'Next' }));
  await becomes(page, 'the next', () => globalThis.shown.length === 1);
  const left = await page.evaluate(() => { dispatchEvent(new PageTransitionEvent('pagehide')); return globalThis.shown.length; });
  assert.equal(left, 0, 'nobody could withdraw it any more');
});

test('alerts are turned on and off for all tabs', async (t) => {
  const stage = await Stage.open(t);
  const one = await visit(t, stage, { init: WATCHED, permissions: ['notifications'] });
  const other = await one.context().newPage();
  await other.addInitScript(WATCHED);
  await other.goto(stage.url);
  await becomes(other, 'the page to be live', () => document.querySelector('#link').textContent === 'Live');
  await one.locator('#alerts').click();
  await one.getByRole('button', { name: 'Turn on' }).click();
  await other.locator('#alerts', { hasText: 'Alerts on' }).waitFor();
  await becomes(other, 'a tab to speak', async () => (await navigator.locks.query()).held.some((lock) => lock.name === 'newswire.alerts'));
  await other.locator('#alerts').click();
  await one.locator('#alerts').getByText('Alerts', { exact: true }).waitFor();
  await becomes(one, 'no tab to speak', async () => !(await navigator.locks.query()).held.some((lock) => lock.name === 'newswire.alerts'));
});

test('from 320 pixels up nothing overflows, whatever is on the page', async (t) => {
  const stage = await Stage.open(t);
  await publishFront(stage);
  const word = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerk'.repeat(4);
  await stage.post(item({ headline: word, urgency: 1, by: word, located: word, body: `${word}\n\n${word}`, versionCreated: now(), genres: [{ name: word }],
    descriptions: [{ role: 'correction', value: word }], associations: [lead()] }));
  const page = await visit(t, stage, { width: 320 });
  await story(page, 'Ліхтарі').waitFor();
  await page.locator('#alerts').click();
  await page.evaluate(() => { for (const details of document.querySelectorAll('details')) details.open = true; });
  for (const width of [320, 360, 400, 767, 768, 1024, 1280, 1920]) {
    await page.setViewportSize({ width, height: 700 });
    const wide = await page.evaluate(() => [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.unseen'))
      .map((one) => `${one.tagName}.${one.className}`));
    assert.deepEqual([await page.evaluate(() => document.documentElement.scrollWidth), wide], [width, []]);
  }
});

test('on paper there is news, black on white, and nothing to click', async (t) => {
  const stage = await Stage.open(t);
  await publishFront(stage);
  const page = await visit(t, stage, { colorScheme: 'dark' });
  await page.locator('[role=alert]', { hasText: 'PRIME MINISTER' }).waitFor();
  await story(page, 'Harbour council').locator('.read').click();
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  for (const gone of ['.banner', '.controls', '.read', '.skip', '.older'])
    assert.equal(await page.locator(gone).first().isVisible(), false, gone);
  await story(page, 'Harbour council').getByText('Two boats will make four crossings').waitFor();
  assert.deepEqual(await page.evaluate(() => [document.documentElement, document.querySelector('.headline')].map((one) => {
    const { backgroundColor, color } = getComputedStyle(one);
    return [backgroundColor, color];
  })), [['rgb(255, 255, 255)', 'rgb(28, 26, 23)'], ['rgba(0, 0, 0, 0)', 'rgb(28, 26, 23)']]);
  assert.ok((await page.pdf({ format: 'A4' })).length > 10_000);
});

test('who wants less motion gets none', async (t) => {
  const stage = await Stage.open(t);
  const still = await visit(t, stage, { reducedMotion: 'reduce' });
  const moving = await visit(t, stage, { reducedMotion: 'no-preference' });
  for (const page of [still, moving])
    await page.evaluate(() => {
      globalThis.moved = 0;
      addEventListener('animationstart', () => moved++, true);
    });
  await stage.post(flash());
  await becomes(moving, 'the banner to have moved in', () => moved > 0);
  await still.locator('[role=alert]', { hasText: 'Bridge closed' }).waitFor();
  assert.equal(await still.evaluate(() => moved + document.getAnimations().length), 0);
});

test('a headline of ten thousand characters takes no more room than a headline, and can be read', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  const long = `${'Nineteen ferries and a lighthouse '.repeat(294)}end`;
  assert.equal(long.length, 9999);
  await stage.post(flash({ headline: long }));
  const article = story(page, 'Nineteen ferries');
  await article.waitFor();
  assert.ok((await article.locator('h2').innerText()).length < 250);
  assert.ok((await article.boundingBox()).height < 800);
  assert.ok((await page.locator('.banner').boundingBox()).height < 800 / 3);
  await article.locator('.read').click();
  assert.equal(await article.locator('.plain').first().innerText(), long);
});

test('combining characters and an item of nothing but a body are stories like any other', async (t) => {
  const stage = await Stage.open(t);
  await publishFront(stage);
  const page = await visit(t, stage);
  const combining = story(page, 'poetry');
  await combining.waitFor();
  assert.match(await combining.locator('h2').innerText(), /Z̶a̶l̶g̶o̶/);
  const body = story(page, 'An item without anything but a body');
  assert.deepEqual([await body.locator('h2').count(), await body.locator('.statement').count(), await body.locator('.read').count()], [0, 1, 0]);
});

test('a tab that was asleep for a day wakes up to what is true now', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(item({ uri: 'urn:test:killed', headline: 'Killed meanwhile', versionCreated: now() }));
  await stage.post(item({ uri: 'urn:test:stays', headline: 'Stays', versionCreated: now(), firstCreated: now() }));
  const page = await open(t, browser, 'about:blank');
  await page.clock.install();
  await page.goto(stage.url);
  await becomes(page, 'the page to be live', () => document.querySelector('#link').textContent === 'Live');
  await stage.post(flash());
  await page.locator('[role=alert]', { hasText: 'Bridge closed' }).waitFor();
  const today = await page.locator('#today').innerText();

  await page.context().setOffline(true);
  await becomes(page, 'the page to have noticed', () => /^Offline/.test(document.querySelector('#link').textContent));
  await stage.post(item({ uri: 'urn:test:killed', version: '2', pubStatus: 'canceled' }));
  for (let n = 1; n <= 30; n++) await stage.post(item({ headline: `Overnight ${n}.`, versionCreated: now() }));
  await page.clock.fastForward('24:00:00');
  await page.context().setOffline(false);

  await becomes(page, 'the page to be live again', () => document.querySelector('#link').textContent === 'Live');
  await story(page, 'Overnight 30.').waitFor();
  await becomes(page, 'the banner of yesterday to be gone', () => document.querySelector('#banner-text').textContent === '');
  assert.equal((await everything(page)).includes('Killed meanwhile'), false, 'nor does anything of what was killed stay, also not for machines');
  assert.notEqual(await page.locator('#today').innerText(), today);
  assert.match(await story(page, 'Stays').locator('time').innerText(), /^\d+ \p{L}+( \d{4})?$/u, 'yesterday has a date');
  assert.equal(await story(page, 'Overnight').count(), 30, 'and nothing is missing');
});
