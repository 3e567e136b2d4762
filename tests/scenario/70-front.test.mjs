// The goal: the page has the news in it, for who has no script (yet) and for search engines: never a killed one, never one under embargo,
// whatever the items hold, and a crowd of visitors costs the store next to nothing.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import http from 'node:http';
import test, { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { PATIENCE_MS, Stage, Store, item, sample, until } from './stage.mjs';

const executablePath = process.env.CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
let browser;
before(async () => {
  browser = await chromium.launch({ executablePath, args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
});
after(async () => { await browser?.close(); });

/** The page in a browser that runs no scripts. */
async function visit(t, stage, path = '/') {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1000, height: 800 } });
  t.after(() => context.close());
  await context.route((url) => url.origin !== new URL(stage.url).origin, (route) => route.abort());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(stage.url + path);
  return page;
}

/** What the page tells machines. */
function dataOf(html) {
  const found = [...html.matchAll(/<script type="application\/ld\+json">(.*?)<\/script>/gs)];
  assert.equal(found.length, 1);
  return JSON.parse(found[0][1]);
}

const html = async (stage, path = '/', headers = {}) => (await stage.http(path, { headers })).text;
const now = () => new Date().toISOString();

/** Over a connection of its own: either worker may take it. */
const ask = (stage, headers = {}) => new Promise((done, fail) => {
  http.get(stage.url, { agent: false, headers }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (piece) => { text += piece; }).on('end', () => done({ status: response.statusCode, text }));
  }).on('error', fail);
});

test('without a script the newest twenty stories can be read, and the older ones behind a link', async (t) => {
  const stage = await Stage.open(t);
  for (let i = 1; i <= 21; i++)
    await stage.post(item({ headline: `Headline ${i}`, body: `The first paragraph of ${i}.\n\nThe second one of ${i}.`, by: 'Ilse Marrow' }));
  const page = await visit(t, stage);
  assert.deepEqual(await page.locator('article h2').allInnerTexts(), Array.from({ length: 20 }, (_, i) => `Headline ${21 - i}`));
  const newest = page.locator('article').first();
  assert.equal(await newest.locator('.lede').innerText(), 'The first paragraph of 21.');
  assert.match(await newest.locator('.byline').innerText(), /By Ilse Marrow/);
  assert.equal(await newest.getByText('The second one of 21.').isVisible(), false);
  await newest.locator('summary').click();
  assert.equal(await newest.getByText('The second one of 21.').isVisible(), true);
  assert.match(await page.locator('noscript').textContent(), /Without JavaScript this page stands still/);

  await page.getByRole('link', { name: 'Older news' }).click();
  await page.waitForURL(/before=/);
  assert.deepEqual(await page.locator('article h2').allInnerTexts(), ['Headline 1']);
  assert.equal(await page.getByRole('link', { name: 'Older news' }).count(), 0);
});

test('what newsrooms send is shown with all that belongs to it', async (t) => {
  const stage = await Stage.open(t);
  for (const number of [1, 2, 7, 8])
    await stage.post(sample(number), { channels: 'world' });
  await stage.post(sample(4), { channels: 'world' });
  const page = await visit(t, stage);
  const ferry = page.locator('article', { hasText: 'night ferry' });
  assert.match(await ferry.locator('.correction').innerText(), /^Correction .*It was 6 to 3/);
  assert.equal(await ferry.locator('.picture img').getAttribute('alt'), 'White ferry beside a stone pier at dusk.');
  assert.equal(await ferry.locator('figcaption').innerText(),
    'A ferry leaves the old pier at Ostrel, Jan. 9, 2026. Tomas Reef/Example Wire');
  const film = page.locator('article', { hasText: 'Documentary' });
  assert.equal(await film.locator('.label').first().innerText(), 'Video');
  assert.match(await film.getByRole('link', { name: /^Watch/ }).getAttribute('href'), /^https:/);
  const quotation = page.locator('article', { hasText: 'second boat' });
  assert.equal(await quotation.locator('h2').count(), 0);
  assert.match(await quotation.locator('.statement').innerText(), /^"We will pay for the second boat/);
  assert.equal(await page.locator('article[lang=uk] h2').innerText(), 'Ліхтарі на молі знову світять');
  const time = ferry.locator('time');
  assert.deepEqual([await time.innerText(), await time.getAttribute('datetime')], ['10 January 2026, 08:12 UTC', '2026-01-10T08:12:04.000Z']);
  await ferry.locator('summary').click();
  assert.match(await ferry.locator('.author').innerText(), /^Ilse Marrow\n/);
});

test('search engines are told the same as a LiveBlogPosting', async (t) => {
  const stage = await Stage.open(t, { publicUrl: 'https://news.example/live' });
  await stage.post(sample(1), { channels: 'world' });
  await stage.post(sample(7), { channels: 'world' });
  const data = dataOf(await html(stage));
  assert.deepEqual([data['@context'], data['@type'], data.url], ['https://schema.org', 'LiveBlogPosting', 'https://news.example/live/']);
  const [quotation, ferry] = data.liveBlogUpdate;
  assert.equal(quotation['@type'], 'BlogPosting');
  assert.match(quotation.articleBody, /^"We will pay/);
  assert.equal(ferry.headline, 'Harbour council approves night ferry between Ostrel and Vand');
  assert.deepEqual(ferry.author.map((author) => author.name), ['Ilse Marrow']);
  assert.match(ferry.articleBody, /night ferry/);
  assert.match(ferry.url, /^https:\/\/news\.example\/live\/v1\/items\?uri=urn%3Anewsml/);
  for (const time of [data.coverageStartTime, data.dateModified, ferry.datePublished])
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('a killed or withheld story, or one under embargo, is not in the page, also not in the copy that is kept', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const readers = await Promise.all(Array.from({ length: 16 }, () => stage.reader())); // each worker has some
  const everywhere = (count) => Promise.all(readers.map((reader) => reader.hasRead(count)));
  for (let round = 0; round < 40; round++) {
    const story = item({ headline: `Taken back ${round}` });
    await stage.post(story);
    await everywhere(2 * round + 1);
    for (let again = 0; again < 4; again++)
      assert.ok((await ask(stage)).text.includes(`Taken back ${round}<`));
    const killed = await stage.post({ ...story, version: '2', versionCreated: now(), pubStatus: round % 2 ? 'canceled' : 'withheld' });
    assert.equal(killed.status, 201);
    await everywhere(2 * round + 2); // the receipt came from one worker; the other hears of it at the same time
    for (let again = 0; again < 8; again++)
      assert.ok(!(await ask(stage)).text.includes(`Taken back ${round}<`));
  }
  await stage.post(item({ headline: 'Not before its time', embargoedUntil: new Date(Date.now() + 3_600_000).toISOString() }));
  assert.ok(!(await html(stage)).includes('Not before its time'));
});

test('nothing of an item acts in the page', async (t) => {
  const stage = await Stage.open(t);
  const evil = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'&lt;&amp; <!--stories--> <!--json-ld-->`;
  await stage.post({ ...item({ headline: evil, body: evil, by: evil, located: evil, language: 'en' }),
    descriptions: [{ role: 'summary', value: evil }, { role: 'correction', value: evil }], infoSources: [{ name: evil }],
    associations: [{ uri: 'urn:x:picture', type: 'picture', rel: 'featured', by: evil, copyrightNotice: evil,
      headlines: [{ value: evil }], descriptions: [{ role: 'caption', value: evil }, { role: 'alt', value: evil }],
      renditions: [{ name: 'main', href: "https://img.example/p.jpg?a='b'&c=d", contentType: 'image/jpeg' }] }] });
  await stage.post({ ...item({ headline: 'Words with form' }),
    bodies: [{ role: 'main', contentType: 'text/html', value: `<p>Fine.</p><p onclick="alert(4)"><b>Bold</b><script>alert(5)</script></p></div></article>` }] });
  const page = await visit(t, stage);
  assert.equal(await page.locator('article').count(), 2);
  assert.equal(await page.locator('script').count(), 2);
  assert.equal(await page.locator('[onclick], [onerror]').count(), 0);
  const [plain, story] = [page.locator('article').first(), page.locator('article').last()];
  await plain.locator('summary').click();
  assert.equal(await plain.locator('.body b').innerText(), 'Bold');
  for (const [what, prefix] of [['h2', ''], ['.lede', ''], ['.by', 'By '], ['.correction span', ''], ['.caption', '']])
    assert.equal(await story.locator(what).first().textContent(), prefix + evil, what);
  assert.equal(dataOf(await html(stage)).liveBlogUpdate[1].headline, evil);
});

test('browsers get it small, and not again while it is the same', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(item({ headline: 'Rain', body: 'It rains. '.repeat(200) }));
  const plain = await stage.http('/', { headers: { 'accept-encoding': 'identity' } });
  const small = await stage.http('/', { headers: { 'accept-encoding': 'gzip' } });
  assert.deepEqual([plain.status, small.status, plain.headers.get('content-encoding'), small.headers.get('content-encoding')],
    [200, 200, null, 'gzip']);
  assert.equal(plain.text, small.text);
  assert.ok(Number(small.headers.get('content-length')) < plain.text.length / 2);
  assert.notEqual(plain.headers.get('etag'), small.headers.get('etag'));
  for (const [answer, encoding] of [[plain, 'identity'], [small, 'gzip']]) {
    const headers = { 'accept-encoding': encoding, 'if-none-match': answer.headers.get('etag') };
    assert.equal((await stage.http('/', { headers })).status, 304);
  }
  await stage.post(item({ headline: 'Sun' }));
  const headers = { 'accept-encoding': 'gzip', 'if-none-match': small.headers.get('etag') };
  await until(async () => (await stage.http('/', { headers })).status === 200, 'the page to be another one');
  const head = await fetch(`${stage.url}/`, { method: 'HEAD', headers: { 'accept-encoding': 'identity' } });
  assert.deepEqual([head.status, Number(head.headers.get('content-length'))], [200, Buffer.byteLength(await html(stage, '/', { 'accept-encoding': 'identity' }))]);
});

test('a crowd is one question to the store', async (t) => {
  const stage = await Stage.open(t, { workers: 1 });
  await stage.post(item({ headline: 'Flash' }));
  const scripts = async () => Number(/cmdstat_evalsha(?:_ro)?:calls=(\d+)/.exec(await stage.redis.info('commandstats'))?.[1] ?? 0);
  const page = await html(stage);
  const before = await scripts();
  const began = Date.now();
  const pages = [];
  for (let i = 0; i < 20; i++)
    pages.push(...await Promise.all(Array.from({ length: 20 }, () => html(stage))));
  const seconds = Math.ceil((Date.now() - began) / 1000);
  assert.ok(pages.every((text) => text === page));
  // Once a second it is made anew, by as many as ask at that moment; other scripts run beside it (the readers' count, the clock).
  assert.ok(await scripts() - before <= 30 * seconds + 30, `${await scripts() - before} scripts for 400 visits in ${seconds} s`);
});

test('without the store, or with a question that makes no sense, it is the page without stories', async (t) => {
  const store = await Store.open(t);
  const stage = await Stage.open(t, { store });
  await stage.post(item({ headline: 'Rain' }));
  assert.match(await html(stage), /Rain/);
  for (const query of ['?channels=%C3%A4', '?class=loud', '?before=nonsense', `?channels=${'a'.repeat(65)}`]) {
    const { status, text } = await stage.http(`/${query}`);
    assert.equal(status, 200, query);
    assert.ok(!text.includes('Rain') && text.includes('id="feed"'), query);
  }
  await store.kill();
  await until(async () => {
    const { status, text } = await stage.http('/');
    assert.equal(status, 200);
    return !text.includes('Rain');
  }, 'the page without stories');
  await store.start();
  await until(async () => (await html(stage)).includes('Rain'), 'the store to be back');
});

test('a Host that is no name is as good as none: the page comes all the same, also when it comes from its copy', async (t) => {
  const stage = await Stage.open(t);
  await stage.publish(item({ headline: 'Ferry' }), 'world');
  await until(async () => (await html(stage)).includes('Ferry'), 'the story on the page');
  const odd = { host: 'no!name' };
  const pages = [await ask(stage, odd), await ask(stage, odd), await ask(stage, odd)];
  for (const { status, text } of pages) {
    assert.equal(status, 200);
    assert.match(text, /Ferry/);
    assert.doesNotMatch(text, /no!name/);
  }
});
