// The goal: whatever fails (Redis, the server, an answer, a tab), the composer says what is true, loses nothing that was typed, and
// sends once.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { Store } from './stage.mjs';
import { chip, keyOf, openBrowser, openStage, outcome, publish, read, signIn, sit, story, timesOut, until, write } from './newsroom.mjs';

let browser;
before(async () => { browser = await openBrowser(); });
after(async () => { await browser?.close(); });

test('Redis away: it says so, loses nothing, and sends once when Redis is back', async (t) => {
  const store = await Store.open(t);
  const stage = await openStage(t, { store });
  const reader = await read(t, browser, stage);
  const page = await sit(t, browser, stage);
  await write(page, { headline: 'In the storm', body: 'Every word.' });
  await store.kill();
  await until(async () => (await stage.http('/readyz/publish')).status === 503, 'the loss to be noticed');
  await page.locator('#link', { hasText: 'store is away' }).waitFor();
  await publish(page);
  await outcome(page, 'Not sent. The server took nothing:');
  await page.locator('#outcome', { hasText: /\(([2-9]|\d\d+) so far\)/ }).waitFor();
  await page.getByRole('button', { name: 'Stop, and go on writing' }).click();
  await outcome(page, 'Not sent. Everything you wrote is here.');
  assert.equal(await page.locator('#body').innerText(), 'Every word.');
  await page.locator('#headline').fill('After the storm');
  await publish(page);
  await outcome(page, 'Not sent. The server took nothing:');
  await store.start();
  await outcome(page, 'Sent. After the storm');
  await story(reader, 'After the storm').waitFor();
  assert.equal(await timesOut(stage, 'After the storm'), 1);
  await page.locator('#link', { hasText: 'Connected' }).waitFor();
});

test('an answer that is lost is “not known”, and is asked for again under the same name', async (t) => {
  const stage = await openStage(t);
  const page = await sit(t, browser, stage);
  const names = [];
  let lose = 2;
  await page.context().route('**/v1/items', async (route) => {
    names.push(route.request().headers()['idempotency-key']);
    if (lose-- <= 0) return route.continue();
    await route.fetch();
    return lose === 1 ? route.abort() : route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' });
  });
  await write(page, { headline: 'Heard once' });
  await publish(page);
  await outcome(page, 'Not known whether it was sent');
  await outcome(page, 'Sent. Heard once');
  assert.equal(names.length, 3);
  assert.equal(new Set(names).size, 1);
  assert.equal(await timesOut(stage, 'Heard once'), 1);
});

test('answers that make no sense are never taken for “sent”', async (t) => {
  const stage = await openStage(t);
  const page = await sit(t, browser, stage);
  const answers = [{ status: 200, contentType: 'text/html', body: '<p>Sent!</p>' }, { status: 201, contentType: 'application/json', body: '{"status":"accep' },
    { status: 302, headers: { location: '/v1/items' } }, { status: 404, contentType: 'text/html', body: 'no' }];
  let asked = 0;
  await page.context().route('**/v1/items', (route) => (asked < answers.length ? route.fulfill(answers[asked++]) : route.continue()));
  await write(page, { headline: 'Through nonsense' });
  await publish(page);
  for (let i = 1; i < answers.length; i++) {
    await until(() => asked >= i, `answer ${i}`);
    await outcome(page, 'Not known whether it was sent');
    await page.getByRole('button', { name: 'Try now' }).click({ timeout: 2000 }).catch(() => {}); // it may be trying already
  }
  await until(async () => asked === answers.length || await page.getByRole('button', { name: 'Try now' }).click({ timeout: 2000 }).catch(() => {}), 'all of them');
  await outcome(page, 'Sent. Through nonsense');
  assert.equal(await timesOut(stage, 'Through nonsense'), 1);
});

test('the server dies in the middle of a post: not known, then exactly once', async (t) => {
  const store = await Store.open(t);
  const stage = await openStage(t, { store });
  const reader = await read(t, browser, stage);
  const page = await sit(t, browser, stage);
  await write(page, { headline: 'Between two lives' });
  await page.keyboard.press('Control+Enter');
  store.child.kill('SIGSTOP'); // the post hangs at Redis, which takes it when it wakes
  const asked = page.waitForRequest((request) => request.method() === 'POST');
  await page.keyboard.press('Control+Enter');
  await asked;
  await stage.metric('newswire_desk_heard_total').reaches(1);
  await stage.stop('SIGKILL');
  await rm(join(stage.dir, 'newswired.json'), { force: true });
  store.child.kill('SIGCONT');
  await outcome(page, 'Not known whether it was sent');
  stage.options.port = stage.state.port;
  await stage.start();
  await outcome(page, /^(Sent|It was there already)\. Between two lives/);
  await story(reader, 'Between two lives').waitFor();
  assert.equal(await timesOut(stage, 'Between two lives'), 1);
});

test('what was typed survives a reload, signing out, and a tab that died; the key is in none of it', async (t) => {
  const stage = await openStage(t);
  const page = await sit(t, browser, stage);
  await write(page, { headline: 'Half a story', body: 'Not finis', channels: ['sport'] });
  await page.locator('#saved', { hasText: 'Kept in this browser' }).waitFor();
  await page.reload();
  await signIn(page, 'desk');
  assert.deepEqual([await page.locator('#headline').inputValue(), await page.locator('#body').innerText()], ['Half a story', 'Not finis']);
  assert.equal(await chip(page, 'sport').getAttribute('aria-pressed'), 'true');
  await page.getByRole('button', { name: 'Sign out' }).click();
  assert.ok(!JSON.stringify(await page.evaluate(() => [{ ...sessionStorage }, { ...localStorage }])).includes(keyOf('desk')));
  await signIn(page, 'desk');
  assert.equal(await page.locator('#headline').inputValue(), 'Half a story');

  const other = await sit(t, browser, stage, { context: page.context() });
  await other.locator('#found', { hasText: 'Half a story' }).waitFor();
  await other.getByRole('button', { name: 'Take it up' }).click();
  assert.equal(await other.locator('#body').innerText(), 'Not finis');
  await publish(other);
  await outcome(other, 'Sent. Half a story');
  await other.close();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Keep it in this tab until I close it').check();
  await signIn(page, 'desk');
  await page.reload();
  await page.locator('#desk').waitFor(); // signed in by itself
  await publish(page);
  await outcome(page, 'Not sent. This very story is there already: desk sent version 1 of it.');
  assert.equal(await timesOut(stage, 'Half a story'), 1, 'the same story of two tabs is one');
});
