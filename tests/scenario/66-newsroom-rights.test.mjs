// The goal: /newsroom does what a key may, says plainly what it may not, and when others were quicker; and what one person wrote is nobody else's.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import test, { after, before } from 'node:test';
import { item } from './stage.mjs';
import { PEOPLE, fault, keyOf, line, openBrowser, openStage, outcome, publish, publisher, signIn, sit, timesOut, until, write } from './newsroom.mjs';

let browser;
before(async () => { browser = await openBrowser(); });
after(async () => { await browser?.close(); });

const setKeys = (stage, keys) => writeFile(stage.keysFile, JSON.stringify({ keys }));

test('a wrong key is refused in plain words, and one that is revoked later costs nothing that was typed', async (t) => {
  const stage = await openStage(t);
  const page = await sit(t, browser, stage, { who: null });
  for (const [typed, said] of [['', 'Type or paste your key.'], ['two words', 'A key is letters'], ['wrong-key-0123456789', 'This is no key that is in force here.']]) {
    await page.getByLabel('Key').fill(typed);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('#key-error', { hasText: said }).waitFor();
  }
  await signIn(page, 'desk');
  await write(page, { headline: 'Written before' });
  await setKeys(stage, PEOPLE.filter(({ name }) => name !== 'desk'));
  await until(async () => (await stage.http('/v1/key', { headers: { authorization: `Bearer ${keyOf('desk')}` } })).status === 401, 'the key to be revoked');
  await publish(page);
  await page.locator('#key-error', { hasText: 'not in force any more. What you wrote is kept.' }).waitFor();
  await setKeys(stage, PEOPLE);
  await until(async () => (await stage.http('/v1/key', { headers: { authorization: `Bearer ${keyOf('desk')}` } })).status === 200, 'the key to be back');
  assert.equal((await stage.feed()).items.length, 0);
  await signIn(page, 'desk');
  assert.equal(await page.locator('#headline').inputValue(), 'Written before');
  await publish(page);
  await outcome(page, 'Sent. Written before');
  assert.equal(await timesOut(stage, 'Written before'), 1);
});

test('the form offers what the key may; what the server refuses all the same is said in its words, at its field', async (t) => {
  const stage = await openStage(t);
  const page = await sit(t, browser, stage, { who: 'intern' });
  assert.deepEqual(await page.locator('#class option:disabled').allInnerTexts(), ['flash (your key may not)']);
  assert.equal(await page.locator('#embargo').isDisabled(), true);
  assert.equal(await page.locator('#drill').isDisabled(), true);
  await page.locator('#channel-more').fill('sport');
  await page.getByRole('button', { name: 'Add' }).click();
  await fault(page, 'channels').filter({ hasText: 'Your key may not send to sport.' }).waitFor();
  assert.equal(await page.locator('#channel-more').getAttribute('aria-describedby'), 'channels-error');

  await page.locator('#channel-more').fill('');
  await setKeys(stage, [publisher('intern', ['publish'], { channels: ['sport'] })]); // the page does not know
  await until(async () => (await stage.http('/v1/key', { headers: { authorization: `Bearer ${keyOf('intern')}` } })).body.channels?.[0] === 'sport', 'the new rights');
  await write(page, { headline: 'For the world' });
  await publish(page);
  await fault(page, 'channels').filter({ hasText: 'This key may not send to world.' }).waitFor();
  await outcome(page, 'channel_forbidden');
  assert.equal(await page.locator('#headline').inputValue(), 'For the world');
  assert.equal(await page.locator('#headline').isEditable(), true);
});

test('what one person wrote is not shown to the next who sits down in the same tab', async (t) => {
  const stage = await openStage(t);
  const page = await sit(t, browser, stage);
  await write(page, { headline: 'For my eyes' });
  await page.locator('#saved', { hasText: 'Kept in this browser' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signIn(page, 'chief');
  assert.equal(await page.locator('#headline').inputValue(), '');
  assert.equal(await page.locator('#found').isVisible(), false);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signIn(page, 'desk');
  await page.locator('#found', { hasText: 'For my eyes' }).getByRole('button', { name: 'Take it up' }).click();
  assert.equal(await page.locator('#headline').inputValue(), 'For my eyes');
});

test('a story that was killed while it was corrected is not sent again, and what was written can become another', async (t) => {
  const stage = await openStage(t);
  await stage.post(item({ uri: 'urn:gone', headline: 'Going' }), { channels: 'world', key: keyOf('desk') });
  const page = await sit(t, browser, stage);
  await line(page, 'Going').getByRole('button', { name: 'Correct' }).click();
  await page.locator('#correction').fill('Something.');
  await page.locator('#headline').fill('Written anew');
  await stage.post({ uri: 'urn:gone', pubStatus: 'canceled' }, { key: keyOf('chief') });
  await publish(page);
  await outcome(page, 'Not sent. chief has killed this story, which cannot be undone.');
  await page.getByRole('button', { name: 'Make it a new story' }).click();
  await page.getByRole('heading', { name: 'New story' }).waitFor();
  await publish(page);
  await outcome(page, 'Sent. Written anew');
  assert.equal((await stage.http('/v1/items/urn:gone')).status, 410);
});
