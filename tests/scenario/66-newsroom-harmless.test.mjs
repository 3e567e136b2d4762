// The goal: what comes from others, from another program's clipboard or from a broken address does no harm in the composer; everybody can
// use it; and it is served as strictly as a page must be where keys are typed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { item } from './stage.mjs';
import { chip, fault, keyOf, line, openBrowser, openStage, outcome, publish, signIn, sit, until, write } from './newsroom.mjs';

let browser;
before(async () => { browser = await openBrowser(); });
after(async () => { await browser?.close(); });

const axeSource = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

test('a story of somebody else, hostile in every field, is harmless in list, form and preview', async (t) => {
  const stage = await openStage(t);
  let calls = 0;
  const evil = '"><img src=x onerror=pwned()><script>pwned()</script><svg onload=pwned()><a href="javascript:pwned()">x</a>';
  const prose = (role) => ({ role, contentType: 'text/html', value: `<p>${evil}</p>` });
  const hostile = item({ uri: `urn:evil:${evil}`, headline: `Hostile ${evil}`, language: evil, by: evil, located: evil, slugline: evil });
  hostile.descriptions = [prose('summary'), prose('correction')];
  hostile.bodies = [{ role: 'main', contentType: 'text/html', value: `<p>Readable</p>${evil}<p onclick="pwned()" style="background:url(javascript:pwned())">end</p><iframe srcdoc="<script>parent.pwned()</script>"></iframe>` }];
  hostile.associations = [{ name: 'main', rel: 'featured', type: 'picture', by: evil, descriptions: [prose('caption'), prose('alt')], renditions: [{ name: 'web', href: `https://pictures.example/${evil}` }] },
    { name: evil, rel: 'author', type: 'component', title: evil, descriptions: [prose('jobtitle')] }];
  assert.equal((await stage.post(hostile, { channels: 'world', key: keyOf('desk') })).status, 201);
  const page = await sit(t, browser, stage, { who: 'chief' });
  await page.exposeFunction('pwned', () => { calls++; });
  await page.getByLabel('of everybody').check();
  await line(page, 'Hostile').getByRole('button', { name: 'Correct' }).click();
  await page.getByRole('heading', { name: 'Correct version 1' }).waitFor();
  await page.locator('#paper').getByText('Readable').waitFor();
  assert.match(await page.locator('#headline').inputValue(), /<script>pwned\(\)<\/script>/);
  assert.deepEqual(await page.evaluate(() => ['script:not([src])', 'iframe', 'svg', '[onerror], [onload], [onclick]', '#desk [style]', 'a[href^="javascript:"]']
    .map((what) => document.querySelectorAll(what).length)), [0, 0, 0, 0, 0, 0]);
  await page.locator('#correction').fill(evil);
  await page.keyboard.press('Control+Enter');
  await page.locator('[data-field="language"] .error').waitFor();
  await page.locator('#language').fill('en');
  await page.locator('#alt').fill('x');
  await page.keyboard.press('Control+Enter');
  await until(async () => await page.locator('#publish').isEnabled() || await page.locator('[data-field="picture"] .error:not([hidden])').count() > 0, 'a preview, or the picture to be broken');
  assert.equal(calls, 0);
  await page.locator('#paper').getByText('Readable').waitFor();
});

test('what is pasted from word processors becomes simple and harmless', async (t) => {
  const stage = await openStage(t);
  const page = await sit(t, browser, stage);
  await page.exposeFunction('pwned', () => { assert.fail('something pasted ran'); });
  const paste = async (html, plain = '') => {
    await page.locator('#body').fill('');
    await page.locator('#body').evaluate((box, [rich, text]) => {
      const data = new DataTransfer();
      if (rich) data.setData('text/html', rich);
      data.setData('text/plain', text);
      box.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    }, [html, plain]);
    assert.equal(await page.locator('#body :is([style], [class], [id], [onclick], [onerror], script, style)').count(), 0);
    await page.locator('#headline').fill(`Pasted ${Math.random()}`);
    await publish(page);
    await outcome(page, 'Sent.');
    const [{ item: sent }] = (await stage.feed()).items;
    return sent.bodies?.[0].value;
  };
  await chip(page, 'world').click();
  const docs = '<meta charset="utf-8"><b style="font-weight:normal;" id="docs-internal-guid-1"><h1 dir="ltr" style="line-height:1.38"><span style="font-size:20pt;font-weight:400">A head</span></h1>' +
    '<p dir="ltr"><span style="font-weight:400">Plain, </span><span style="font-weight:700">bold</span><span> and </span><span style="font-style:italic">slanted</span>.</p><ul><li dir="ltr" style="list-style-type:disc"><p dir="ltr"><span>one</span></p></li>' +
    '<li><p><a href="https://example.org/x" onclick="pwned()"><span>two</span></a></p></li></ul></b><img src=x onerror=pwned()>';
  const again = async () => { await chip(page, 'world').click(); };
  assert.equal(await paste(docs), '<h3>A head</h3>\n<p>Plain, <strong>bold</strong> and <em>slanted</em>.</p>\n<ul><li>one</li><li><a href="https://example.org/x" rel="noopener nofollow">two</a></li></ul>');
  await again();
  const word = '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal{margin:0}</style></head><body><!--StartFragment--><p class=MsoNormal><b><span lang=EN-GB style=\'font-size:14pt\'>First<o:p></o:p></span></b></p>' +
    '<p class=MsoListParagraphCxSpFirst style=\'text-indent:-18pt;mso-list:l0 level1 lfo1\'><span style=\'font-family:Symbol;mso-list:Ignore\'>·<span style=\'font:7pt "Times New Roman"\'>&nbsp;&nbsp; </span></span>eggs</p>' +
    '<p class=MsoListParagraphCxSpLast style=\'mso-list:l0 level1 lfo1\'><span style=\'mso-list:Ignore\'>· </span>milk</p><script>pwned()</script><!--EndFragment--></body></html>';
  assert.equal(await paste(word), '<p><strong>First</strong></p>\n<ul><li>eggs</li><li>milk</li></ul>');
  await again();
  const noted = page.errors.splice(0); // of what was pasted the browser says that it was neither applied nor run: all the better
  assert.deepEqual(noted.filter((text) => !/^(Applying inline style|Executing inline event handler) violates/.test(text)), []);
  assert.equal(await paste('', 'One & <b>two</b>\nthree'), '<p>One &amp; &lt;b&gt;two&lt;/b&gt;</p>\n<p>three</p>');
});

test('a picture is shown, and one that is not there is said', async (t) => {
  const stage = await openStage(t);
  const page = await sit(t, browser, stage, { allow: (url) => url.host === 'pictures.example' });
  await page.context().route('https://pictures.example/**', (route) => (route.request().url().endsWith('/there.svg')
    ? route.fulfill({ contentType: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"/>' }) : route.fulfill({ status: 404 })));
  await page.locator('#picture-part summary').click();
  await write(page, { headline: 'With a picture', picture: 'https://pictures.example/gone.jpg', alt: 'A pier.' });
  await page.locator('#picture-said', { hasText: 'There is no picture at this address.' }).waitFor();
  await page.keyboard.press('Control+Enter');
  await fault(page, 'picture').waitFor();
  await page.locator('#picture').fill('https://pictures.example/there.svg');
  await page.locator('#picture-said', { hasText: '90 × 60' }).waitFor();
  await page.locator('#alt').fill('');
  await page.keyboard.press('Control+Enter');
  await fault(page, 'alt').filter({ hasText: 'Say what the picture shows' }).waitFor();
  await page.locator('#alt').fill('A pier at dusk.');
  await page.locator('#caption').fill('The old pier.');
  await page.locator('#credit').fill('Tomas Reef');
  await publish(page);
  await page.locator('#outcome', { hasText: 'Sent.' }).waitFor();
  const [{ item: sent }] = (await stage.feed()).items;
  assert.deepEqual(sent.associations[0].renditions[0].href, 'https://pictures.example/there.svg');
  assert.deepEqual(sent.associations[0].descriptions.map((d) => [d.role, d.value]).sort(), [['alt', 'A pier at dusk.'], ['caption', 'The old pier.']]);
  assert.equal(sent.associations[0].by, 'Tomas Reef');
});

test('any language is written in its direction, long headlines and combining characters too', async (t) => {
  const stage = await openStage(t);
  const page = await sit(t, browser, stage);
  const arabic = 'عبّارة ليلية بين الميناءين';
  await write(page, { language: 'ar', headline: arabic, summary: 'أربع رحلات كل ليلة.', body: 'تنطلق أول عبّارة في العاشرة.' });
  for (const id of ['headline', 'summary', 'body']) assert.deepEqual(await page.locator(`#${id}`).evaluate((e) => [e.dir, e.lang]), ['rtl', 'ar'], id);
  await publish(page);
  await outcome(page, 'Sent.');
  const long = `${'e\u0301'.repeat(300)} 中文 ${'🚢'.repeat(4)} ${'x'.repeat(9000)}`;
  await write(page, { language: '', headline: long });
  await publish(page);
  await outcome(page, 'Sent.');
  assert.deepEqual((await stage.feed()).items.map((p) => p.item.headlines[0].value), [long, arabic]);
});

for (const colorScheme of ['light', 'dark'])
  test(`axe finds nothing to complain of, ${colorScheme}, in each state`, async (t) => {
    const stage = await openStage(t);
    await stage.post(item({ headline: 'Public' }), { channels: 'world', key: keyOf('desk') });
    await stage.post(item({ headline: 'Waiting', embargoedUntil: new Date(Date.now() + 3600e3).toISOString() }), { channels: 'world', key: keyOf('desk') });
    await stage.post(item({ uri: 'urn:a:k', headline: 'Gone' }), { channels: 'world', key: keyOf('desk') });
    await stage.post({ uri: 'urn:a:k', version: '2', pubStatus: 'canceled' }, { key: keyOf('desk') });
    const page = await sit(t, browser, stage, { who: null, colorScheme });
    const isClean = async (state) => {
      if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axeSource);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
      assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ').slice(0, 300)}`), [], state);
    };
    await isClean('signed out');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await isClean('a key that is none');
    await signIn(page, 'desk');
    await line(page, 'Public').waitFor();
    await line(page, 'Waiting').locator('.countdown').waitFor();
    await page.locator('.history summary').first().click();
    await page.locator('#picture-part summary').click();
    await isClean('an empty desk');
    await page.keyboard.press('Control+Enter');
    await fault(page, 'headline').waitFor();
    await isClean('faults');
    await write(page, { headline: 'H', summary: 'S', body: 'B', kind: 'flash' });
    await page.keyboard.press('Control+Enter');
    await page.locator('#publish:enabled').waitFor();
    await isClean('previewed');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('dialog').waitFor();
    await isClean('flash');
    await page.keyboard.press('Escape');
    await line(page, 'Public').getByRole('button', { name: 'Kill' }).click();
    await isClean('kill');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Exercise' }).click();
    await page.locator('#drill-banner').waitFor();
    await isClean('exercise');
    await page.setViewportSize({ width: 360, height: 740 });
    await isClean('narrow');
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'nothing sticks out at 360 px');
  });

test('the composer is served strictly, is never indexed or framed, and can be turned off', async (t) => {
  const stage = await openStage(t);
  const { headers, text, status } = await stage.http('/newsroom');
  assert.equal(status, 200);
  const policy = headers.get('content-security-policy');
  for (const part of ["default-src 'none'", "script-src 'self'", "connect-src 'self';", "frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"]) assert.ok(`${policy};`.includes(part), part);
  assert.ok(!/unsafe|ws:/.test(policy));
  assert.deepEqual([headers.get('referrer-policy'), headers.get('x-robots-tag'), headers.get('cache-control'), headers.get('cross-origin-opener-policy')],
    ['no-referrer', 'noindex, nofollow', 'no-cache', 'same-origin']);
  assert.ok(!/(src|href)="(https?:)?\/\//.test(text), 'nothing from elsewhere');
  const off = await openStage(t, { newsroom: 'off' });
  for (const path of ['/newsroom', '/newsroom/newsroom.js']) assert.deepEqual([(await off.http(path)).status, (await stage.http(path)).status], [404, 200], path);
  assert.equal((await off.http('/')).status, 200);
});
