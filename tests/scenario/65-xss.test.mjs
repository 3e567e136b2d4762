// The goal: whatever an item says, in whichever of its fields, it is only ever text, for the page, the element and who has no script:
// nothing runs, nothing foreign is in the page, nobody else is asked for anything.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { vectors } from '../samples/xss.mjs';
import { launch } from './clients.mjs';
import { becomes, hostPage, open } from './pages.mjs';
import { PATIENCE_MS, Stage } from './stage.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

const BATCH = 40;
const GROUPS = 6; /* elements of one page; each shows a hundred stories at most */
const TYPES = ['text', 'video', 'picture', 'graphic', 'audio'];

/* Where a vector is to be read, by the mark before it; the other fields are hostile too, but nobody shows them. */
const SHOWN = ['headline', 'summary', 'correction', 'body', 'byline', 'place', 'source', 'genre', 'caption', 'credit', 'author', 'jobtitle', 'biography'];

/** An item with the vector in every field that is a string; `html` says how its texts are to be read. */
function hostile(vector, serial, html) {
  const mark = (field) => `${field}: ${vector}`;
  const text = (role, field) => (html
    ? { role, contentType: 'text/html', value: `<p>${mark(field)}</p><p>after</p>` } : { role, contentType: 'text/plain', value: mark(field) });
  const renditions = (contentType) => [{ name: vector, href: vector, contentType, title: vector }];
  const named = (field) => [{ name: mark(field), rel: vector, role: vector, uri: vector, literal: vector }];
  return {
    uri: `urn:test:xss:${serial}`, version: '1', type: TYPES[serial % TYPES.length], urgency: 5, language: 'en',
    versionCreated: new Date(Date.UTC(2026, 0, 10) + serial * 1000).toISOString(), profile: vector, title: mark('title'),
    headlines: [{ ...text('main', 'headline') }], descriptions: [text('summary', 'summary'), text('correction', 'correction'), text(vector, 'other')],
    bodies: [text('main', 'body'), text(vector, 'second')], by: mark('byline'), located: mark('place'), slugline: vector, edNote: vector,
    copyrightHolder: vector, copyrightNotice: vector, usageTerms: vector, genres: named('genre'), subjects: named('subject'), places: named('places'), people: named('people'),
    organisations: named('organisation'), objects: named('object'), infoSources: named('source'), altIds: [{ role: vector, value: vector }],
    trustIndicators: [{ title: vector, href: vector }], rightsInfo: { langid: vector, linkedrights: vector, encodedrights: vector },
    renditions: [...renditions('image/png'), ...renditions('video/mp4')],
    associations: [
      { name: 'main', rel: 'featured', type: 'picture', uri: `urn:test:picture:${serial}`, by: mark('credit'), copyrightNotice: mark('credit'),
        descriptions: [text('caption', 'caption'), text('alt', 'alt')], headlines: [text('main', 'alternative')],
        renditions: [...renditions('image/png'), { name: 'web', href: 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==', contentType: 'image/gif', width: 1200, height: 800 }] },
      { name: 'author', rel: 'author', type: 'component', uri: `urn:test:author:${serial}`, title: mark('author'),
        descriptions: [text('jobtitle', 'jobtitle'), text('biography', 'biography')], renditions: [{ name: 'avatar', href: vector, contentType: 'image/png' }] },
      { name: vector, rel: vector, type: 'text', uri: `urn:test:related:${serial}`, headlines: [text('main', 'related')], renditions: renditions(vector) },
    ],
    extra: { [vector]: vector },
  };
}

/** Posts all, group by group on channels of their own; how many the server took. */
async function publish(stage, items) {
  let taken = 0;
  for (let at = 0; at < items.length; at += BATCH) {
    const { body } = await stage.post(items.slice(at, at + BATCH), { channels: `group${Math.floor(at / BATCH) % GROUPS}` });
    taken += body.results.filter(({ http }) => http < 300).length;
  }
  return taken;
}

/* In the page: what would show that something ran. */
const hooks = () => {
  globalThis.ran = [];
  for (const name of ['pwned', 'alert', 'confirm', 'prompt', 'print', 'open'])
    globalThis[name] = () => { globalThis.ran.push(name); };
  for (const name of ['log', 'info', 'warn', 'error', 'debug'])
    console[name] = (...said) => { globalThis.ran.push(`console.${name}: ${said.join(' ')}`); };
  /* Each half minute the page drops all but 200 stories. Here all are to be seen. */
  const every = globalThis.setInterval;
  globalThis.setInterval = (run, ms, ...more) => (ms === 30_000 ? 0 : every(run, ms, ...more));
};

/* In the page: what is in articles and should not be; `html`: in those of a document that was only fetched. */
const foreign = (html) => {
  const elements = new Set(('article p span strong time h2 h3 h4 h5 h6 figure figcaption img details summary div aside bdi a em i b u s sub sup small mark cite q abbr code ins del ' +
    'br hr ul ol li dl dt dd blockquote pre table caption thead tbody tfoot tr th td').split(' '));
  const attributes = new Set(('class id tabindex data-uri data-stamp aria-posinset aria-setsize aria-labelledby aria-describedby aria-label aria-hidden role lang dir title datetime ' +
    'src alt width height loading decoding referrerpolicy href rel target colspan rowspan start part open').split(' '));
  const root = html === undefined ? document : new DOMParser().parseFromString(html, 'text/html');
  const trees = [root, ...[...root.querySelectorAll('news-feed')].map((one) => one.shadowRoot)];
  const wrong = new Set();
  let articles = 0;
  for (const article of trees.flatMap((tree) => [...tree.querySelectorAll('article')])) {
    articles++;
    if (!article.parentElement.matches('[role=feed]'))
      wrong.add('an article outside its feed');
    for (const one of [article, ...article.querySelectorAll('*')]) {
      if (!elements.has(one.localName))
        wrong.add(`<${one.localName}>`);
      for (const { name, value } of one.attributes) {
        if (!attributes.has(name))
          wrong.add(`<${one.localName} ${name}>`);
        if (name === 'href' && !/^(https?|mailto):/i.test(value) || name === 'src' && !/^(https?:|data:image\/)/i.test(value))
          wrong.add(`${name}="${value}"`);
      }
    }
  }
  const scripts = [...root.querySelectorAll('script, base, iframe, object, embed, form')].map((one) => one.outerHTML)
    .filter((one) => !/^<script type="(module|application\/ld\+json)"/.test(one));
  return { articles, wrong: [...wrong, ...scripts] };
};

/** Opens every story, so that what is lazy loads, and waits until what can be set off has been. */
const stir = (page) => page.evaluate(async () => {
  const trees = [document, ...[...document.querySelectorAll('news-feed')].map((one) => one.shadowRoot)];
  for (const tree of trees) {
    for (const details of tree.querySelectorAll('details')) details.open = true;
    for (const image of tree.querySelectorAll('img')) image.loading = 'eager';
    await Promise.all([...tree.querySelectorAll('img')].map((image) => image.decode().catch(() => {})));
  }
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
});

/** Nothing ran, nothing is there that should not be, nobody was asked for anything. */
async function harmless(page, own, what) {
  const { wrong, articles } = await page.evaluate(foreign);
  assert.deepEqual(wrong, [], `${what}: foreign`);
  assert.deepEqual(await page.evaluate(() => ran), [], `${what}: it ran`);
  assert.deepEqual(await page.evaluate(() => violations), [], `${what}: the policy had to stop something`);
  assert.deepEqual([...new Set(page.asked.filter((url) => !url.startsWith('data:')).map((url) => new URL(url).origin))].filter((origin) => !own.includes(origin)), [], `${what}: others were asked`);
  assert.equal(new URL(page.url()).origin, own[0], `${what}: it went elsewhere`);
  return articles;
}

/** Which of the marks can be read in the articles, and how often. */
const marks = (page, fields) => page.evaluate((names) => {
  const trees = [document, ...[...document.querySelectorAll('news-feed')].map((one) => one.shadowRoot)];
  const text = trees.flatMap((tree) => [...tree.querySelectorAll('article')]).map((article) => article.textContent).join('\n');
  return Object.fromEntries(names.map((name) => [name, text.split(`${name}: `).length - 1]));
}, fields);

const has = (page, selector, n) => becomes(page, `${n} of ${selector}`, ([what, many]) => {
  const trees = [document, ...[...document.querySelectorAll('news-feed')].map((one) => one.shadowRoot)];
  return trees.reduce((sum, tree) => sum + tree.querySelectorAll(what).length, 0) >= many;
}, [selector, n], 4 * PATIENCE_MS); /* it is a lot to draw */

test('no vector, in any field of an item, is more than text: in the page, in the element, without a script, and when it is killed', async (t) => {
  assert.ok(new Set(vectors).size >= 150);
  const stage = await Stage.open(t);
  const page = await open(t, browser, stage.url, { init: hooks });
  const groups = Array.from({ length: GROUPS }, (_, n) => `<news-feed channels="group${n}" view="full" limit="100"></news-feed>`).join('');
  const host = await hostPage(t, stage, { body: groups });
  const site = await open(t, browser, host.url, { init: hooks });
  const origins = [new URL(site.url()).origin, stage.url];
  await becomes(page, 'the page to be live', () => document.querySelector('#link').textContent === 'Live');
  await becomes(site, 'the elements to be live', () => [...document.querySelectorAll('news-feed')].every((feed) => feed.state === 'live'));

  const items = vectors.flatMap((vector, n) => [hostile(vector, 2 * n, false), hostile(vector, 2 * n + 1, true)]);
  const taken = await publish(stage, items);
  t.diagnostic(`${vectors.length} vectors, ${items.length} items: ${taken} taken, ${items.length - taken} refused`);
  assert.ok(taken >= items.length * 0.9, `${taken} of ${items.length}`);
  await has(page, 'article', taken);
  await has(site, 'article', taken);
  for (const [reader, own, what] of [[page, [stage.url], 'page'], [site, origins, 'element']]) {
    await stir(reader);
    assert.equal(await harmless(reader, own, what), taken);
    for (const [field, times] of Object.entries(await marks(reader, SHOWN)))
      assert.ok(times >= taken / 2 - 10, `${what}: ${field} was shown ${times} times`);
  }

  /* What the server writes itself, page by page. */
  let read = 0;
  for (let path = '/'; path;) {
    const { text } = await stage.http(path);
    const { wrong, articles } = await page.evaluate(foreign, text);
    assert.deepEqual(wrong, [], `the server's page ${path}`);
    read += articles;
    const older = /<a [^>]*href="([^"]*before=[^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
    path = older && new URL(older, stage.url).href.slice(stage.url.length);
  }
  assert.ok(read >= taken * 0.9, `the server wrote ${read} of ${taken}`);

  const kills = items.map(({ uri }, n) => ({ uri, version: '2', type: 'text', pubStatus: 'canceled',
    descriptions: [{ role: 'withdrawal', ...(n % 2 ? { contentType: 'text/html', value: `<p>notice: ${vectors[n >> 1]}</p>` } : { contentType: 'text/plain', value: `notice: ${vectors[n >> 1]}` }) }] }));
  await publish(stage, kills);
  await has(page, '.is-withdrawn', taken);
  await has(site, '.is-withdrawn', taken);
  for (const [reader, own, what] of [[page, [stage.url], 'page'], [site, origins, 'element']]) {
    await stir(reader);
    await harmless(reader, own, `${what}, killed`);
    assert.ok((await marks(reader, ['notice'])).notice >= taken / 2, `${what}: notices were shown`);
    assert.equal((await marks(reader, ['headline'])).headline, 0, `${what}: of what was killed, nothing stays`);
  }
});

test('names are no way in either: uris, channels, classes, languages, versions, and the address of the page', async (t) => {
  const stage = await Stage.open(t);
  const page = await open(t, browser, stage.url, { init: hooks });
  await becomes(page, 'the page to be live', () => document.querySelector('#link').textContent === 'Live');
  const short = vectors.filter((vector) => vector.length < 200);
  const names = short.map((vector, n) => ({ uri: vector, version: '1', type: 'text', versionCreated: '2026-01-10T08:00:00Z', headlines: [{ value: `Named ${n}.` }] }));
  const values = short.map((vector, n) => ({ uri: `urn:test:value:${n}`, version: vector, type: 'text', language: vector, evolvedFrom: vector, headlines: [{ value: `Valued ${n}.` }] }));
  const taken = await publish(stage, [...names, ...values]);
  t.diagnostic(`${names.length + values.length} items with hostile names: ${taken} taken`);
  assert.ok(taken > short.length / 2);
  await has(page, 'article', taken);
  await stir(page);
  await harmless(page, [stage.url], 'names');

  for (const vector of short.filter((one) => !one.includes('\0')).slice(0, 40)) /* a NUL in an address ends the connection */
    assert.ok((await stage.post(names[0], { channels: encodeURIComponent(vector) })).status >= 400, `no such channel can be made: ${vector}`);
  for (const vector of short.filter((_, n) => n % 12 === 0)) {
    await page.goto(`${stage.url}/?channels=${encodeURIComponent(vector)}&class=${encodeURIComponent(vector)}&lang=${encodeURIComponent(vector)}`);
    await becomes(page, 'the page to have answered', () => !document.querySelector('#empty').hidden || document.querySelector('#link').textContent);
    await harmless(page, [stage.url], `the address ${vector}`);
  }
});
