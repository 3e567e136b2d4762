// pages.mjs - what the tests of reader page and element share: host pages of other origins, and eyes for what is in a shadow tree.
//
//   const host = await hostPage(t, stage, { body: '<news-feed></news-feed>' });    { url, policy }
//   const page = await open(t, browser, host.url);                                { errors, violations, asked } are filled
//   await axe(page);                                                              no violation, or it says which
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { PATIENCE_MS } from './stage.mjs';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The strictest policy under which <news-feed> works. */
export const strictPolicy = (news) =>
  `default-src 'none'; script-src ${news}; connect-src ${news} ${news.replace(/^http/, 'ws')}; img-src data:; style-src 'self'`;

/** A page of another origin than the news. `css` is a file of its own. */
export async function hostPage(t, stage, { body, css = '', lang = 'en', policy = strictPolicy(stage.url), head = '' }) {
  const script = `<script type="module" src="${stage.url}/sdk/news-feed.js"></script>`;
  const server = createServer((request, response) => {
    if (request.url === '/host.css')
      response.setHeader('content-type', 'text/css').end(css);
    else
      response.setHeader('content-type', 'text/html; charset=utf-8').setHeader('content-security-policy', policy)
        .end(`<!doctype html><html lang="${lang}"><head><title>A site</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/host.css">${head}${script}</head>` +
          `<body><main><h1>A site</h1>${body}</main></body></html>`);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}/` };
}

/** A page in a context of its own. It records its errors, what its policy stopped, and what it asked of whom. */
export async function open(t, browser, url, { width = 1000, height = 800, init, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce', ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  Object.assign(page, { errors: [], asked: [] });
  page.on('pageerror', (error) => page.errors.push(String(error)));
  page.on('request', (request) => page.asked.push(request.url()));
  await page.addInitScript(() => {
    globalThis.violations = [];
    addEventListener('securitypolicyviolation', (event) => violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  if (init) await page.addInitScript(init);
  await page.goto(url);
  t.after(() => assert.deepEqual(page.errors, [], 'errors in the page'));
  return page;
}

/** What axe-core has against the page as it is, of WCAG 2.2 A and AA and of best practice; or by some of its rules only. */
export async function axe(page, what = '', rules = null) {
  await page.evaluate(`if (!globalThis.axe) { ${axeSource} }`);
  const found = await page.evaluate(async (runOnly) => {
    await Promise.all(document.getAnimations().map((one) => one.finished));
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'], ...(runOnly && { runOnly }) });
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(' ')).join(', ')} ${nodes[0].failureSummary}`);
  }, rules);
  assert.deepEqual(found, [], `axe: ${what}`);
}

/** Waits in the page until a test is true there. */
export const becomes = (page, what, test, arg, timeout = PATIENCE_MS) => page.waitForFunction(test, arg, { timeout }).catch((error) => {
  throw new Error(`waited for: ${what}\n${error.message}`);
});

/** Everything that is in a page and in its shadow trees, as HTML, also what is not visible. */
export const everything = (page) => page.evaluate(() => {
  const inside = (root) => [...root.querySelectorAll('*')].flatMap((one) => (one.shadowRoot ? [one.shadowRoot.innerHTML, ...inside(one.shadowRoot)] : []));
  return [document.documentElement.outerHTML, ...inside(document)].join('\n');
});

/** A picture that loads without asking anybody. */
export const picture = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"><rect width="90" height="60" fill="#579"/></svg>')}`;

/** A story's lead picture. */
export const lead = (href = picture) => ({
  name: 'main', rel: 'featured', type: 'picture', uri: 'urn:test:picture', by: 'Tomas Reef',
  descriptions: [{ role: 'alt', value: 'A ferry.' }, { role: 'caption', value: 'A ferry leaves.' }],
  renditions: [{ name: 'web', href, contentType: 'image/svg+xml', width: 1200, height: 800 }],
});
