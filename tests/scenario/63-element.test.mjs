// The goal: two lines put live news on anybody's site, in the site's colours, in any language, and neither can break the other.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { launch } from './clients.mjs';
import { axe, becomes, everything, hostPage, lead, open, picture } from './pages.mjs';
import { Stage, item } from './stage.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

const story = (page, text) => page.locator('news-feed article', { hasText: text });
/** A site with this in it, opened; `errors` and policy violations fail the test. */
async function site(t, stage, body, { host = {}, ...options } = {}) {
  const { url } = await hostPage(t, stage, { body, ...host });
  const page = await open(t, browser, url, options);
  return page;
}
const live = (page) => becomes(page, 'every element to be live',
  () => [...document.querySelectorAll('news-feed')].every((feed) => feed.state === 'live'));
const styleOf = (locator, name) => locator.evaluate((element, property) => getComputedStyle(element)[property], name);

test('two lines on a page of another origin, under a strict policy, are live news', async (t) => {
  const stage = await Stage.open(t);
  await stage.publish(item({ headline: 'Before', associations: [lead()] }), 'world');
  const page = await site(t, stage, `<news-feed src="${stage.url}/" channels="world" view="full"><a href="https://news.example/">News</a></news-feed>`);
  await story(page, 'Before').waitFor();
  await live(page);
  await story(page, 'Before').locator('figure img').waitFor();
  await stage.publish(item({ headline: 'Of sport' }), 'sport');
  await stage.publish(item({ headline: 'Just now', body: 'First.\n\nSecond.' }), 'world');
  await story(page, 'Just now').waitFor();
  assert.equal(await story(page, 'Of sport').count(), 0);
  assert.deepEqual(await page.locator('news-feed h3').allInnerTexts(), ['Just now', 'Before']);
  assert.equal(await page.getByRole('link', { name: 'News', exact: true }).count(), 0, 'what was inside made room');
  await story(page, 'Just now').locator('.read').click();
  await story(page, 'Just now').getByText('Second.').waitFor();
  assert.deepEqual(await page.evaluate(() => violations), []);
  assert.deepEqual([...new Set(page.asked.filter((url) => !url.startsWith('data:')).map((url) => new URL(url).origin))].sort(),
    [new URL(page.url()).origin, stage.url].sort(), 'nobody else was asked for anything');
});

test('without JavaScript, and when the server cannot be reached, what is inside stays', async (t) => {
  const stage = await Stage.open(t);
  const inside = '<news-feed><a href="https://news.example/">Our news</a></news-feed>';
  const without = await site(t, stage, inside, { javaScriptEnabled: false });
  await without.getByRole('link', { name: 'Our news' }).waitFor();

  const unreachable = await site(t, stage, '<news-feed src="http://127.0.0.1:9/"><a href="https://news.example/">Our news</a></news-feed>',
    { host: { policy: `script-src ${stage.url}` } });
  await becomes(unreachable, 'the element to have tried', () => document.querySelector('news-feed').shadowRoot);
  await unreachable.getByRole('link', { name: 'Our news' }).waitFor();
});

test('corrections replace, kills leave nothing but a notice, a flash is spoken and taken back', async (t) => {
  const stage = await Stage.open(t);
  const page = await site(t, stage, '<news-feed></news-feed>');
  await live(page);
  const flash = (version, changes) => item({ uri: 'urn:test:flash', version, urgency: 1, headline: 'Bridge closed', ...changes });
  await stage.publish(flash('1'));
  await page.locator('news-feed [role=alert]', { hasText: 'Flash: Bridge closed' }).waitFor({ state: 'attached' });
  await story(page, 'Bridge closed').getByText('Flash', { exact: true }).waitFor();
  await stage.publish(flash('2', { headline: 'Bridge half closed', descriptions: [{ role: 'correction', value: 'Not all of it.' }] }));
  await story(page, 'Bridge half closed').getByText('Not all of it.').waitFor();
  await stage.publish(flash('3', { pubStatus: 'canceled' }));
  await story(page, 'withdrawn').waitFor();
  assert.doesNotMatch(await everything(page), /Bridge/);
  await becomes(page, 'the withdrawal to be said', () =>
    document.querySelector('news-feed').shadowRoot.querySelector('.unseen[role=status]').textContent.startsWith('A story was withdrawn'));
});

test('a site themes it by custom properties and parts, by day and by night', async (t) => {
  const stage = await Stage.open(t);
  await stage.publish(item({ headline: 'Themed', by: 'Somebody' }));
  const css = `body { --news-ink: rgb(1, 2, 3); } .b { --news-paper: rgb(4, 5, 6); --news-serif: Impact; }
    .b::part(headline) { text-transform: uppercase; } .b::part(pause) { display: none; }`;
  const page = await site(t, stage, '<news-feed class="a"></news-feed><news-feed class="b"></news-feed><news-feed class="c" theme="dark"></news-feed>',
    { host: { css }, colorScheme: 'light' });
  const part = (name, selector) => page.locator(`news-feed.${name} ${selector}`);
  for (const name of ['a', 'b', 'c']) await part(name, '.headline').waitFor();
  assert.equal(await styleOf(part('a', '.headline'), 'color'), 'rgb(1, 2, 3)', 'inherited from the page');
  assert.equal(await styleOf(part('b', '.root'), 'backgroundColor'), 'rgb(4, 5, 6)');
  assert.equal(await styleOf(part('b', '.headline'), 'fontFamily'), 'Impact');
  assert.equal(await styleOf(part('b', '.headline'), 'textTransform'), 'uppercase');
  assert.equal(await part('b', '.pause').isVisible(), false);
  const day = 'rgb(251, 249, 244)';
  const night = 'rgb(22, 21, 15)';
  assert.equal(await styleOf(part('a', '.root'), 'backgroundColor'), day);
  assert.equal(await styleOf(part('c', '.root'), 'backgroundColor'), night);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.equal(await styleOf(part('a', '.root'), 'backgroundColor'), night);
  await page.locator('news-feed.a').evaluate((feed) => { feed.theme = 'light'; });
  assert.equal(await styleOf(part('a', '.root'), 'backgroundColor'), day);
});

test('the page\'s style does not get in, and its own does not get out', async (t) => {
  const stage = await Stage.open(t);
  await stage.publish(item({ headline: 'Untouched', body: 'One.\n\nTwo.' }));
  const hostile = `html { font-size: 4px } * { color: lime; background: fuchsia; font: 60px/5 fantasy; letter-spacing: 1em; text-transform: uppercase;
    text-indent: 9em; visibility: hidden; white-space: pre; cursor: none; word-spacing: 3em; text-align: right }
    article, h3, p, button, .story, .headline { display: none !important; position: fixed !important } h1 { visibility: visible; display: inline !important; color: rgb(9, 9, 9) }`;
  const page = await site(t, stage, '<news-feed view="full"></news-feed>', { host: { css: hostile }, colorScheme: 'light' });
  const headline = page.locator('news-feed .headline');
  await headline.waitFor();
  const wanted = { color: 'rgb(28, 26, 23)', letterSpacing: '-0.2px', textTransform: 'none', textIndent: '0px', visibility: 'visible', whiteSpace: 'normal', fontSize: '20px', display: 'block', position: 'static', cursor: 'auto', textAlign: 'start' };
  for (const [name, value] of Object.entries(wanted))
    assert.equal(await styleOf(headline, name), value, name);
  assert.equal(await styleOf(page.locator('h1'), 'color'), 'rgb(9, 9, 9)');
  assert.equal(await page.evaluate(() => document.querySelectorAll('style, link[href*="news"]').length), 0);
});

test('it speaks the language of its page, or the one it is told, from right to left where that is so', async (t) => {
  const stage = await Stage.open(t);
  await stage.publish(item({ headline: 'Вогні', language: 'uk', urgency: 1, by: 'Олена', versionCreated: new Date().toISOString() }));
  await stage.publish(item({ headline: 'أخبار', language: 'ar' }));
  const page = await site(t, stage, '<news-feed id="page"></news-feed><news-feed id="ar" lang="ar"></news-feed><news-feed id="own" lang="sv"></news-feed><news-feed id="none" lang="xx-not"></news-feed>',
    { host: { lang: 'de-AT' } });
  await live(page);
  const within = (id, selector) => page.locator(`#${id} ${selector}`);
  await within('page', '.pause', { hasText: 'Anhalten' }).waitFor();
  await within('page', '.label-flash').getByText('Eilmeldung').waitFor();
  assert.match(await within('page', '.byline').innerText(), /Von Олена/);
  assert.equal(await within('page', 'article[lang=uk] time').innerText(), 'jetzt');
  assert.equal(await within('page', '.root').getAttribute('dir'), 'ltr');
  assert.equal(await within('ar', '.root').getAttribute('dir'), 'rtl');
  assert.equal(await within('ar', '.feed').getAttribute('aria-label'), 'الأخبار، الأحدث أولاً');
  assert.equal(await within('ar', '.status').innerText(), 'مباشر');
  const arabic = within('page', 'article').filter({ hasText: 'أخبار' });
  assert.deepEqual([await arabic.getAttribute('lang'), await arabic.getAttribute('dir')], ['ar', 'rtl'], 'a story has its own');
  assert.equal(await styleOf(arabic.locator('.headline'), 'direction'), 'rtl');

  await page.locator('#own').evaluate((feed) => { feed.words = { flash: 'Blixt', pause: 'Pausa', newStories: { one: '{n} ny nyhet', other: '{n} nya nyheter' } }; });
  await within('own', '.label-flash').getByText('Blixt').waitFor();
  assert.equal(await within('own', '.pause').innerText(), 'Pausa');
  assert.equal(await within('own', 'article[lang=uk] time').innerText(), 'nu');
  await within('none', '.pause').getByText('Pause').waitFor();
  await page.locator('#ar').evaluate((feed) => { feed.lang = 'fr'; });
  await within('ar', '.status').getByText('En direct').waitFor();
});

test('pictures that do not load go, and the story stays', async (t) => {
  const stage = await Stage.open(t);
  await stage.publish(item({ headline: 'Broken', associations: [lead('data:image/png;base64,AAAA'),
    { name: 'author', rel: 'author', type: 'component', uri: 'urn:test:author', title: 'Ilse Marrow', renditions: [{ name: 'avatar', href: 'data:image/png;base64,AAAA', contentType: 'image/png' }] }] }));
  await stage.publish(item({ headline: 'Whole', associations: [lead(picture)] }));
  const page = await site(t, stage, '<news-feed view="full"></news-feed>');
  await story(page, 'Whole').locator('figure img').waitFor();
  const broken = story(page, 'Broken');
  await broken.locator('figure').waitFor({ state: 'detached' });
  assert.doesNotMatch(await broken.getAttribute('class'), /has-picture/);
  await broken.locator('.read').click();
  await broken.getByText('IM', { exact: true }).waitFor();
  assert.equal(await broken.locator('img').count(), 0);
});

test('paused, or read further down, the news waits behind a button; withdrawals do not', async (t) => {
  const stage = await Stage.open(t);
  for (let n = 1; n <= 12; n++) await stage.publish(item({ uri: `urn:test:${n}`, headline: `Earlier ${n}.` }));
  const page = await site(t, stage, '<news-feed limit="10"></news-feed><p class="tall">End</p>', { host: { css: '.tall { height: 3000px }' } });
  await live(page);
  await story(page, 'Earlier 12.').waitFor();
  assert.equal(await page.locator('news-feed article').count(), 10, 'no more than it was told');

  await page.locator('news-feed').evaluate((feed) => feed.pause());
  await stage.publish(item({ headline: 'Waits' }));
  const fresh = page.locator('news-feed .fresh');
  await fresh.getByText('1 new story').waitFor();
  await stage.publish(item({ uri: 'urn:test:12', version: '2', pubStatus: 'canceled' }));
  await story(page, 'withdrawn').waitFor();
  assert.equal(await story(page, 'Waits').count(), 0);
  await fresh.click();
  await story(page, 'Waits').waitFor();
  await page.locator('news-feed .pause').click();
  assert.equal(await page.locator('news-feed').evaluate((feed) => feed.paused), false);

  await page.evaluate(() => { document.querySelector('news-feed').shadowRoot.activeElement?.blur(); scrollTo(0, 400); });
  await becomes(page, 'the page to have scrolled', () => scrollY === 400);
  const place = () => page.evaluate(() => document.querySelector('.tall').getBoundingClientRect().top + scrollY);
  const before = await place();
  await stage.publish(item({ headline: 'Waits too' }));
  await fresh.getByText('1 new story').waitFor({ state: 'attached' });
  assert.equal(await story(page, 'Waits too').count(), 0);
  assert.ok(Math.abs(await place() - before) < 60, 'but for the button, nothing moved');
  await page.evaluate(() => scrollTo(0, 0));
  await story(page, 'Waits too').waitFor();
});

test('the keyboard walks the stories and leaves them, and Show more brings the older ones', async (t) => {
  const stage = await Stage.open(t);
  for (let n = 1; n <= 25; n++) await stage.publish(item({ headline: `Story number ${n}.` }));
  const page = await site(t, stage, '<news-feed limit="5" more story-link="/read?u={uri}"></news-feed>');
  await live(page);
  await becomes(page, 'five stories', () => document.querySelector('news-feed').shadowRoot.querySelectorAll('article').length === 5);
  const focused = () => page.evaluate(() => document.querySelector('news-feed').shadowRoot.activeElement?.innerText ?? '');
  await page.locator('news-feed article').first().focus();
  await page.keyboard.press('PageDown');
  assert.match(await focused(), /Story number 24\./);
  await page.keyboard.press('PageUp');
  assert.match(await focused(), /Story number 25\./);
  await page.keyboard.press('Control+End');
  assert.match(await focused(), /Show more/);
  for (const count of [10, 15, 20, 25]) {
    await page.locator('news-feed .older').click();
    await becomes(page, `${count} stories`, (n) => document.querySelector('news-feed').shadowRoot.querySelectorAll('article').length === n, count);
  }
  assert.match(await focused(), /Story number 5\./);
  assert.equal(await page.locator('news-feed .older').isVisible(), false, 'that was all');
  const places = await page.locator('news-feed article').evaluateAll((all) => all.map((one) => `${one.ariaPosInSet}/${one.ariaSetSize}`));
  assert.deepEqual([places[0], places[24]], ['1/-1', '25/-1']);
  await page.keyboard.press('Control+Home');
  assert.match(await focused(), /Pause/);

  const link = page.locator('news-feed h3 a').first();
  assert.match(await link.getAttribute('href'), /\/read\?u=urn%3Anewsml/);
  const asked = await page.evaluate(() => new Promise((done) => {
    addEventListener('news-open', (event) => { event.preventDefault(); done(event.detail.uri); }, { once: true });
    document.querySelector('news-feed').shadowRoot.querySelector('h3 a').click();
  }));
  assert.match(asked, /^urn:newsml:stage\.example/);
});

test('elements that ask for the same share one connection, and who leaves the page hangs up', async (t) => {
  const stage = await Stage.open(t, { tick: '25s' }); /* nobody takes a slow moment for a lost link: connections are counted */
  const page = await site(t, stage, '<news-feed id="a"></news-feed><news-feed id="b" limit="3" lang="de"></news-feed><div id="elsewhere"></div>');
  await live(page);
  await stage.metric('newswire_readers').becomes(1);
  await page.evaluate(() => document.querySelector('#a').remove());
  await stage.publish(item({ headline: 'One is left' }));
  await story(page, 'One is left').waitFor();
  await page.evaluate(() => document.querySelector('#elsewhere').append(document.querySelector('#b')));
  await stage.publish(item({ headline: 'Moved' }));
  await story(page, 'Moved').waitFor();
  assert.equal(await stage.metric('newswire_readers_opened_total').read(), 1, 'moving it is not a new connection');
  await page.evaluate(() => document.querySelector('#b').remove());
  await stage.metric('newswire_readers').becomes(0);
  await page.evaluate(() => { const feed = document.createElement('news-feed'); feed.channels = ['world']; document.body.append(feed); });
  await stage.metric('newswire_readers').becomes(1);
});

test('other channels are another list, at once, and what is no address is said', async (t) => {
  const stage = await Stage.open(t);
  await stage.publish(item({ headline: 'Of the world' }), 'world');
  await stage.publish(item({ headline: 'Of sport' }), 'sport');
  const page = await site(t, stage, '<news-feed channels="world"></news-feed>');
  await story(page, 'Of the world').waitFor();
  await page.locator('news-feed').evaluate((feed) => { feed.channels = 'sport'; feed.limit = 3; });
  await story(page, 'Of sport').waitFor();
  assert.equal(await story(page, 'Of the world').count(), 0);
  assert.deepEqual(await page.locator('news-feed').evaluate((feed) => feed.stories.map((post) => post.item.headlines[0].value)), ['Of sport']);
  const refused = page.evaluate(() => new Promise((done) => addEventListener('news-error', (event) => done(event.detail.error.fatal), { once: true })));
  await page.locator('news-feed').evaluate((feed) => { feed.channels = 'NO%SUCH'; });
  assert.equal(await refused, true);
  await page.locator('news-feed').getByText('This news cannot be shown.').waitFor();
});

test('when the server is away it says so, keeps what it has, comes back and misses nothing', async (t) => {
  const stage = await Stage.open(t);
  const page = await site(t, stage, '<news-feed></news-feed>');
  await live(page);
  await stage.publish(item({ uri: 'urn:test:doomed', headline: 'Doomed' }));
  await story(page, 'Doomed').waitFor();
  const { port } = stage.state;
  await stage.stop('SIGKILL');
  await rm(join(stage.dir, 'newswired.json'), { force: true });
  await becomes(page, 'it to say that it is not live', () =>
    /^Reconnecting… last update \d\d:\d\d$/.test(document.querySelector('news-feed').shadowRoot.querySelector('.status').textContent));
  await story(page, 'Doomed').waitFor();
  stage.options.port = port;
  await stage.start();
  await stage.publish(item({ headline: 'Meanwhile' }));
  await stage.publish(item({ uri: 'urn:test:doomed', version: '2', pubStatus: 'canceled' }));
  await story(page, 'Meanwhile').waitFor();
  await story(page, 'withdrawn').waitFor();
  await live(page);
  assert.doesNotMatch(await everything(page), /Doomed/);
});

test('axe finds nothing in it, by day and by night, in every state', async (t) => {
  const stage = await Stage.open(t);
  const page = await site(t, stage, '<news-feed view="full" more limit="5" heading="2" label="Headlines"></news-feed><news-feed lang="ar" channels="none-yet"></news-feed>');
  await live(page);
  await axe(page, 'empty');
  await stage.publish(item({ uri: 'urn:test:gone', headline: 'Gone' }));
  await stage.publish(item({ uri: 'urn:test:gone', version: '2', pubStatus: 'canceled' }));
  await stage.publish(item({ headline: 'Pictured', body: 'One.\n\nTwo.', by: 'Somebody', associations: [lead()] }));
  await stage.publish(item({ headline: 'Breaking', urgency: 1 }));
  await stage.publish(item({ headline: 'Another' }));
  await story(page, 'Another').waitFor();
  await story(page, 'Pictured').locator('.read').click();
  await stage.publish(item({ headline: 'Waiting' }));
  await page.locator('news-feed .fresh').getByText('1 new story').waitFor();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await axe(page, colorScheme);
  }
});
