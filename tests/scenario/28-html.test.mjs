// The goal: HTML in an item is made harmless once, on the server, on every way in; a reader's browser shows its formatting and
// runs none of it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { Stage, item, PATIENCE_MS } from './stage.mjs';

const executablePath = process.env.CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath, args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
});
after(async () => { await browser?.close(); });

const html = (value, more = {}) => [{ role: 'main', contentType: 'text/html', value, ...more }];

/** A page that tells what ran in it, and what it asked other servers for. */
async function visit(t, stage) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const asked = [];
  await context.route((url) => url.origin !== new URL(stage.url).origin, (route) => {
    asked.push(route.request().url());
    return route.abort();
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.ran = [];
  page.asked = asked;
  await page.exposeFunction('pwned', (what) => { page.ran.push(what ?? 'something'); });
  page.on('pageerror', (error) => page.ran.push(String(error)));
  await page.goto(stage.url);
  await page.locator('#link', { hasText: 'Live' }).waitFor();
  return page;
}

const VECTORS = '<script>pwned(1)</script><img src="https://i.example/x.png" onerror="pwned(2)"><svg onload="pwned(3)"><script>pwned(4)</script></svg>' +
  '<a href="javascript:pwned(5)">five</a><a href="&#106;ava&#10;script:pwned(6)">six</a><a href="data:text/html,<script>pwned(7)</script>">seven</a>' +
  '<iframe src="javascript:pwned(8)"></iframe>' +
  '<p onclick="pwned(10)" style="position:fixed;inset:0" id="feed">Gentle text</p><style>*{display:none!important}</style>' +
  '<form action="https://evil.example/"><button>Send</button></form><object data="https://evil.example/"></object><base href="https://evil.example/"><math><mtext><table><mglyph><style><img src=x onerror="pwned(9)"></style></math>';

test('formatting is shown, and the reading time is that of the words, not of the markup', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  await stage.publish(item({ headline: 'Formatted', bodies: html('<p>The lede.</p><h1>Why</h1><p>It is <b>bold</b>, <em>stressed</em> and ' +
    '<a href="https://a.example/?a=1&b=2" target=_top>linked</a>.</p><ul><li>One<li>Two</ul><blockquote><p>We will.</p></blockquote>' +
    `<table><tr><th>For<td>7</table><p>${'word '.repeat(620)}</p>`) }));
  const story = page.locator('article', { hasText: 'Formatted' });
  await story.getByText('3 min read').waitFor();
  assert.equal(await story.locator('.lede').innerText(), 'The lede.');
  await story.locator('.read').click();
  const body = story.locator('.body');
  assert.equal(await body.locator('h3').innerText(), 'Why');
  assert.equal(await body.locator('p > b').innerText(), 'bold');
  assert.ok(await body.locator('b').evaluate((b) => Number(getComputedStyle(b).fontWeight) >= 600), 'bold looks bold');
  assert.equal(await body.locator('em').evaluate((em) => getComputedStyle(em).fontStyle), 'italic');
  assert.deepEqual(await body.locator('ul > li').allInnerTexts(), ['One', 'Two']);
  assert.equal(await body.locator('blockquote > p').innerText(), 'We will.');
  assert.deepEqual(await body.locator('tr > *').allInnerTexts(), ['For', '7']);
  const link = body.locator('a');
  assert.equal(await link.getAttribute('href'), 'https://a.example/?a=1&b=2');
  assert.match(await link.getAttribute('rel'), /noopener.*nofollow/);
  assert.equal(await body.getByText('The lede.').count(), 0, 'the lede is not said twice');
  assert.deepEqual(page.ran, []);
});

test('nothing of what a newsroom sends runs, hides or asks, on any way in', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  await stage.publish(item({ headline: 'By Redis', bodies: html(`<p>Begin</p>${VECTORS}`) }));
  const answer = await stage.post({ guid: 'urn:test:superdesk', version: 2, type: 'text', headline: 'By HTTP', body_html: `<p>Begin</p>${VECTORS}` },
    { channels: 'world' });
  assert.equal(answer.status, 201);
  for (const name of ['By Redis', 'By HTTP'])
    await page.locator('article', { hasText: name }).waitFor(); /* a story that is open is not pushed away */

  for (const name of ['By Redis', 'By HTTP']) {
    const story = page.locator('article', { hasText: name });
    await story.locator('.read').click();
    await story.getByText('Gentle text').click();
    assert.equal(await story.getByText('Gentle text').evaluate((p) => getComputedStyle(p).position), 'static');
    for (const left of ['five', 'six', 'seven'])
      await story.getByText(left).waitFor();
    assert.equal(await story.locator('a').count(), 0);
  }
  const found = await page.evaluate(() => ({
    foreign: document.querySelectorAll('article :is(script, iframe, svg, math, style, object, form, base)').length,
    handlers: [...document.querySelectorAll('article *')].filter((e) => [...e.attributes].some((a) => /^on|^style$/.test(a.name))).length,
    feeds: document.querySelectorAll('#feed').length,
  }));
  assert.deepEqual(found, { foreign: 0, handlers: 0, feeds: 1 });
  assert.deepEqual([...new Set(page.asked)].filter((url) => url !== 'https://i.example/x.png'), []);
  assert.deepEqual(page.ran, []);
});

test('what leaves and what is kept is clean: feed, permalink, stream, Redis', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  await stage.publish(item({ uri: 'urn:test:clean', headline: 'Clean', bodies: html(`<p>Begin</p>${VECTORS}`),
    descriptions: [{ role: 'summary', contentType: 'text/html', value: '<b onclick=pwned()>S</b>' }] }));
  const [post] = await reader.hasRead(1);
  const [body] = post.item.bodies;
  assert.equal(body.value, '<p>Begin</p><img src="https://i.example/x.png" alt="">fivesixseven<p>Gentle text</p>');
  assert.deepEqual([body.wordCount, body.charCount], [4, 30]);
  assert.equal(post.item.descriptions[0].value, '<b>S</b>');
  const everywhere = JSON.stringify([(await stage.feed('?channels=world')), (await stage.http('/v1/items/urn%3Atest%3Aclean')).body,
    await stage.redis.get('{newswire}:body:urn:test:clean:1')]);
  assert.match(everywhere, /Gentle text/);
  assert.doesNotMatch(everywhere, /pwned|javascript:|onclick|evil/);
});

test('a text that is no HTML stays text, whatever it says', async (t) => {
  const stage = await Stage.open(t);
  const page = await visit(t, stage);
  const evil = '<script>pwned()</script><img src=x onerror=pwned()>';
  const reader = await stage.reader({ channels: ['world'] });
  await stage.publish({ uri: 'urn:test:text', version: '1', type: 'text', language: 'en', slugline: evil, profile: evil, title: evil,
    copyrightNotice: evil, usageTerms: evil, by: evil, located: evil, headlines: [{ role: 'main', value: `Text ${evil}` }],
    descriptions: [{ role: 'summary', value: evil }, { role: 'correction', value: evil }],
    bodies: [{ role: 'main', contentType: 'text/plain', value: `Body ${evil}` }], subjects: [{ name: evil, uri: evil }],
    places: [{ name: evil }], people: [{ name: evil }], genres: [{ name: evil }], infoSources: [{ name: evil }] });
  const [post] = await reader.hasRead(1);
  assert.equal(post.item.bodies[0].value, `Body ${evil}`, 'as it was written');
  assert.equal(post.item.by, evil);
  const story = page.locator('article', { hasText: 'Text <script>' });
  await story.locator('.read').click();
  await story.getByText(`Body ${evil}`).waitFor();
  assert.ok((await story.innerText()).split('<script>pwned()</script>').length > 4);
  assert.equal(await page.locator('article :is(script, img)').count(), 0);
  assert.deepEqual(page.ran, []);
});

test('HTML that is too much is refused as a whole, counted and never shown', async (t) => {
  const stage = await Stage.open(t);
  const large = await stage.post(item({ headline: 'L', bodies: html('<div>'.repeat(40000)) }), { channels: 'world' });
  assert.equal(large.status, 413);
  assert.equal(large.body.errors?.[0]?.pointer, '/bodies/0/value');
  const deep = await stage.post(item({ headline: 'D', bodies: html('<div>'.repeat(65)) }), { channels: 'world' });
  assert.equal(deep.status, 422);
  await stage.metric('newswire_rejects_total{reason="too_large"}').becomes(1);
  await stage.metric('newswire_rejects_total{reason="too_deep"}').becomes(1);
  assert.deepEqual((await stage.feed('?channels=world')).items, []);
});
