// page.mjs - makes the pictures of the documentation: the reader page and <news-feed>, from a server with a made-up front page.
//
//   NEWSWIRE_BUILD=$PWD/build node tests/screenshots/page.mjs       run by hand after the looks have changed; then look at docs/screenshots
//
// Not part of the tests: fonts differ from machine to machine.
import { createServer } from 'node:http';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { front } from '../samples/front/items.mjs';
import { launch } from '../scenario/clients.mjs';
import { Stage } from '../scenario/stage.mjs';

const out = join(dirname(fileURLToPath(import.meta.url)), '../../docs/screenshots');
const SIZES = [[360, 1500], [768, 1500], [1280, 1400]];

const SITE_CSS = `body { margin: 0; font: 16px/1.6 "Liberation Sans", sans-serif; color: #222; background: #fff }
  header { padding: 18px 40px; background: #005ea5; color: #fff; font-size: 22px; font-weight: 700 } main { display: grid; grid-template-columns: 1fr 340px 300px; gap: 36px; padding: 28px 40px }
  h1 { margin: 0 0 12px; font-size: 24px } .ours { --news-accent: #005ea5; --news-flash: #005ea5; --news-serif: "Liberation Sans", sans-serif; --news-paper: #f3f6f9; --news-radius: 3px; --news-headline: .9em }
  .ours::part(headline) { letter-spacing: 0 }`;

const SITE = (news) => `<!doctype html><html lang="en"><title>A site</title><link rel="stylesheet" href="/site.css"><script type="module" src="${news}/sdk/news-feed.js"></script>
  <header>Port of Ostrel</header><main><section><h1>News of the coast</h1><news-feed limit="4" view="full" more theme="light"></news-feed></section>
  <section><h1>Nachrichten</h1><news-feed class="ours" lang="de" limit="5"></news-feed></section><section lang="ar" dir="rtl"><h1>الأخبار</h1><news-feed theme="dark" languages="ar,uk" limit="4" view="full"></news-feed></section></main>`;

const ends = [];
const t = { after: (end) => ends.push(end) };

/** Every picture in sight is there. */
const settled = (page) => page.waitForFunction(() => [document, ...[...document.querySelectorAll('news-feed')].map((feed) => feed.shadowRoot)]
  .flatMap((tree) => [...tree.querySelectorAll('.picture img')]).every((image) => image.complete || image.getBoundingClientRect().top > innerHeight));

async function pageShots(browser, stage) {
  for (const [width, height] of SIZES)
    for (const colorScheme of ['light', 'dark']) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' });
      await page.goto(stage.url);
      await page.locator('#link', { hasText: 'Live' }).waitFor();
      await page.locator('[role=alert]', { hasText: 'PRIME MINISTER' }).waitFor();
      await settled(page);
      await page.screenshot({ path: join(out, `page-${width}-${colorScheme}.png`) });
      await page.close();
    }
}

async function elementShot(browser, stage) {
  const site = createServer((request, response) => (request.url === '/site.css'
    ? response.setHeader('content-type', 'text/css').end(SITE_CSS) : response.setHeader('content-type', 'text/html; charset=utf-8').end(SITE(stage.url))));
  await new Promise((listening) => site.listen(0, '127.0.0.1', listening));
  t.after(() => { site.closeAllConnections(); site.close(); });
  const page = await browser.newPage({ viewport: { width: 1280, height: 1040 }, colorScheme: 'light', reducedMotion: 'reduce' });
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
  await page.waitForFunction(() => [...document.querySelectorAll('news-feed')].every((feed) => feed.state === 'live' && feed.stories.length > 0));
  await settled(page);
  await page.screenshot({ path: join(out, 'element.png') });
}

try {
  await mkdir(out, { recursive: true });
  const stage = await Stage.open(t);
  for (const [channel, item] of front({ flash: true })) await stage.post(item, { channels: channel });
  const browser = await launch();
  t.after(() => browser.close());
  await pageShots(browser, stage);
  await elementShot(browser, stage);
} finally {
  for (const end of ends.reverse()) await end();
}
