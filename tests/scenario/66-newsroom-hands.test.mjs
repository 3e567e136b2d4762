// The goal: hands that are quick, doubtful or on a keyboard only do at /newsroom what they mean to: a flash can be undone until it is sent, a double click
// sends once, nothing needs a mouse, and an exercise is one.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { item } from './stage.mjs';
import { chip, fault, keyOf, line, openBrowser, openStage, outcome, publish, read, sit, story, timesOut, until, write } from './newsroom.mjs';

let browser;
before(async () => { browser = await openBrowser(); });
after(async () => { await browser?.close(); });

test('a flash wants its word, shows who will get it, and can be undone until the last second', async (t) => {
  const stage = await openStage(t);
  for (const channels of [['world'], ['world'], ['sport']]) await stage.reader({ channels });
  const page = await sit(t, browser, stage);
  await chip(page, 'world').filter({ hasText: 'world 2' }).waitFor();
  await write(page, { headline: 'Earthquake', channels: ['world', 'sport'], kind: 'flash' });
  await publish(page);
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Type FLASH to send to up to 3 readers of sport, world.').waitFor();
  await stage.reader({ channels: ['sport'] });
  await dialog.getByText('up to 4 readers of sport, world').waitFor();
  await page.keyboard.type('FALSH');
  await page.keyboard.press('Enter');
  await dialog.getByText('Type the word FLASH, or press Esc.').waitFor();
  await dialog.getByLabel('Type FLASH').fill('flash');
  await page.keyboard.press('Enter');
  await dialog.getByText(/The flash goes out in \d s\. Nothing has been sent yet\./).waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.equal((await stage.feed()).items.length, 0);
  assert.equal(await page.locator('#headline').inputValue(), 'Earthquake');

  await publish(page);
  await dialog.getByLabel('Type FLASH').fill('FLASH');
  await page.keyboard.press('Enter');
  await dialog.getByText(/goes out in [1-5] s/).waitFor();
  assert.equal((await stage.feed()).items.length, 0);
  await outcome(page, 'Sent. Earthquake: 4 readers were connected.');
  assert.equal((await stage.feed()).items[0].class, 'flash');
});

test('a double click sends once, and so does an impatient keyboard', async (t) => {
  const stage = await openStage(t);
  const page = await sit(t, browser, stage);
  await write(page, { headline: 'Once' });
  await page.getByRole('button', { name: 'Preview' }).dblclick();
  await page.locator('#publish:enabled').waitFor();
  assert.equal((await stage.feed()).items.length, 0, 'a double click on Preview sends nothing');
  await page.locator('#publish').dblclick();
  await outcome(page, 'Sent.');
  await write(page, { headline: 'Once more' });
  for (let i = 0; i < 6; i++) await page.keyboard.press('Control+Enter');
  await outcome(page, 'Sent. Once more');
  assert.equal(await stage.metric('newswire_desk_total{result="accepted"}').read(), 2);
  assert.deepEqual([await timesOut(stage, 'Once'), await timesOut(stage, 'Once more')], [1, 1]);
});

test('from signing in to sent with the keyboard alone', async (t) => {
  const stage = await openStage(t);
  const page = await sit(t, browser, stage, { who: null });
  const { keyboard } = page;
  const at = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent?.trim());
  const tabTo = async (what) => {
    for (let i = 0; i < 60; i++) {
      if ((await at()).startsWith(what)) return;
      await keyboard.press('Tab');
    }
    assert.fail(`${what} cannot be reached; at ${await at()}`);
  };
  await tabTo('key');
  await keyboard.type(keyOf('desk'));
  await keyboard.press('Enter');
  await until(async () => (await at()) === 'headline', 'the headline to have the keyboard');
  await keyboard.type('By keyboard');
  await tabTo('body');
  await keyboard.type('Plain, ');
  await keyboard.press('Control+B');
  await keyboard.type('bold');
  await keyboard.press('Control+B');
  await tabTo('world');
  await keyboard.press('Space');
  await keyboard.press('Control+Enter');
  await page.locator('#publish:enabled').waitFor();
  assert.equal(await at(), 'reading');
  await keyboard.press('Escape');
  await until(async () => (await at()).startsWith('world'), 'the field to have the keyboard back');
  assert.equal(await page.locator('#publish').isEnabled(), false);
  await publish(page);
  await outcome(page, 'Sent. By keyboard');
  assert.equal((await stage.feed()).items[0].item.bodies[0].value, '<p>Plain, <b>bold</b></p>');
  await line(page, 'By keyboard').waitFor();
  await tabTo('Kill');
  await keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await at(), 'Kill', 'the keyboard is where it was');
});

test('an exercise goes to its own channel, looks like one, and shows no real story', async (t) => {
  const stage = await openStage(t);
  const reader = await read(t, browser, stage);
  const drill = await read(t, browser, stage, '/?channels=exercise');
  await stage.post(item({ headline: 'Real news' }), { channels: 'world', key: keyOf('desk') });
  const page = await sit(t, browser, stage);
  await line(page, 'Real news').waitFor();
  await write(page, { headline: 'Only a drill' });
  await page.getByRole('button', { name: 'Exercise' }).click();
  await page.locator('#drill-banner', { hasText: 'EXERCISE. Nothing written here reaches readers' }).waitFor();
  await line(page, 'Real news').waitFor({ state: 'detached' });
  assert.equal(await page.locator('#headline').inputValue(), 'Only a drill');
  assert.deepEqual(await page.locator('.chip').allInnerTexts().then((all) => all.map((text) => text.split(/\s/)[0])), ['exercise']);
  await page.locator('#channel-more').fill('world');
  await page.getByRole('button', { name: 'Add' }).click();
  await fault(page, 'channels').filter({ hasText: 'only exercise channels' }).waitFor();
  await page.locator('#channel-more').fill('exercise.night');
  await page.keyboard.press('Enter');
  await publish(page);
  await outcome(page, 'Sent. Only a drill');
  await story(drill, 'Only a drill').waitFor();
  await line(page, 'Only a drill').waitFor();
  await page.reload();
  await page.locator('#key').waitFor();
  assert.equal(await story(reader, 'Only a drill').count(), 0);
  assert.equal(await timesOut(stage, 'Only a drill'), 0, 'not in the feed of all');
});
