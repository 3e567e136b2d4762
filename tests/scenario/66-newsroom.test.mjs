// The goal: somebody at /newsroom writes, sees what readers will see, sends it, and follows what became of it; a reader's page beside
// shows each deed. The composer never says "sent" before it is.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { item } from './stage.mjs';
import { fault, keyOf, line, openBrowser, openStage, outcome, publish, read, sit, story, write } from './newsroom.mjs';

let browser;
before(async () => { browser = await openBrowser(); });
after(async () => { await browser?.close(); });

const soon = (ms) => { // as the field keeps it (HTML's normalized local date and time: no seconds if they are 0), in the zone of the page
  const at = new Date(Date.now() + ms);
  const parts = Object.fromEntries(new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Stockholm', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit',
    second: '2-digit', hourCycle: 'h23' }).formatToParts(at).map((part) => [part.type, part.value]));
  const seconds = parts.second === '00' ? '' : `:${parts.second}`;
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}${seconds}`;
};

test('a story is written, previewed, and published; readers have it, and the list says how many', async (t) => {
  const stage = await openStage(t);
  const reader = await read(t, browser, stage);
  const page = await sit(t, browser, stage);
  await page.locator('#link', { hasText: 'Connected' }).waitFor();
  await write(page, { headline: 'Ferry starts in May', summary: 'Four crossings a night.', body: 'The first boat leaves at ten.', place: 'Ostrel', author: 'Ilse Marrow', role: 'Reporter', channels: ['world', 'sport'] });
  assert.equal(await page.locator('#publish').isEnabled(), false, 'nothing is sent before it was seen');
  await page.keyboard.press('Control+Enter');
  await page.locator('#publish', { hasText: 'Publish to sport, world' }).waitFor();
  const paper = page.locator('#paper article');
  for (const text of ['Ferry starts in May', 'Four crossings a night.', 'The first boat leaves at ten.', 'By Ilse Marrow', 'Ostrel', 'Reporter']) await paper.getByText(text).first().waitFor();
  assert.equal((await stage.feed()).items.length, 0);
  await page.keyboard.press('Control+Enter');
  await outcome(page, /^Sent\. Ferry starts in May: 1 reader was connected\. It is on disk\./);
  await story(reader, 'Ferry starts in May').getByText('Four crossings a night.').waitFor();
  const mine = line(page, 'Ferry starts in May');
  await mine.locator('.state', { hasText: 'out' }).waitFor();
  await mine.locator('.reach', { hasText: /^1 reader in/ }).waitFor();
  assert.deepEqual([await page.locator('#headline').inputValue(), await page.locator('#body').innerText().then((text) => text.trim()), await page.locator('#author').inputValue()],
    ['', '', 'Ilse Marrow'], 'the desk is free for the next one, by the same author');
  const [{ item: sent, channels }] = (await stage.feed()).items;
  assert.ok(channels.includes('world') && channels.includes('sport'));
  assert.equal(sent.bodies[0].value, '<p>The first boat leaves at ten.</p>');
  assert.deepEqual([sent.by, sent.located, sent.language, sent.urgency], ['Ilse Marrow', 'Ostrel', 'en', 5]);
  assert.equal(sent.associations[0].descriptions[0].value, 'Reporter');
});

test('a correction is the next version, says what it corrects, and keeps what the form does not know', async (t) => {
  const stage = await openStage(t);
  await stage.post(item({ uri: 'urn:c:1', headline: 'Voted 7 to 2', body: 'First.\n\nSecond.', subjects: [{ name: 'transport' }], genres: [{ name: 'Report' }] }), { channels: 'world', key: keyOf('desk') });
  const reader = await read(t, browser, stage);
  const page = await sit(t, browser, stage);
  await line(page, 'Voted 7 to 2').getByRole('button', { name: 'Correct' }).click();
  await page.getByRole('heading', { name: 'Correct version 1' }).waitFor();
  await page.locator('#headline').fill('Voted 6 to 3');
  await page.keyboard.press('Control+Enter');
  await fault(page, 'correction').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'correction');
  await page.keyboard.type('An earlier version gave the vote as 7 to 2.');
  await publish(page);
  await outcome(page, 'Sent.');
  await story(reader, 'Voted 6 to 3').locator('.correction', { hasText: 'An earlier version gave the vote as 7 to 2.' }).waitFor();
  const { body } = await stage.http('/v1/items/urn:c:1');
  assert.deepEqual([body.item.version, body.item.subjects[0].name, body.item.genres[0].name], ['2', 'transport', 'Report']);
  assert.equal(body.item.bodies[0].value, '<p>First.</p>\n<p>Second.</p>');
  await line(page, 'Voted 6 to 3').locator('.history summary', { hasText: 'History (2)' }).waitFor();
});

test('somebody else changed the story meanwhile: that is said before anything is sent', async (t) => {
  const stage = await openStage(t);
  await stage.post(item({ uri: 'urn:m:1', headline: 'As it was' }), { channels: 'world', key: keyOf('desk') });
  const page = await sit(t, browser, stage);
  await line(page, 'As it was').getByRole('button', { name: 'Correct' }).click();
  await page.locator('#correction').fill('Mine.');
  await page.locator('#headline').fill('As I see it');
  await stage.post(item({ uri: 'urn:m:1', version: '2', headline: 'As the chief sees it' }), { channels: 'world', key: keyOf('chief') });
  await publish(page);
  await outcome(page, 'Not sent. chief has changed this story while you wrote: version 2 is there now.');
  assert.equal((await stage.http('/v1/items/urn:m:1')).body.item.headlines[0].value, 'As the chief sees it');
  await line(page, 'As the chief sees it').locator('.who', { hasText: 'touched by chief' }).waitFor();
  await page.getByRole('button', { name: 'Put mine on top of it' }).click();
  await page.locator('#publish:enabled').waitFor();
  await page.keyboard.press('Control+Enter');
  await outcome(page, 'Sent.');
  const { body } = await stage.http('/v1/items/urn:m:1');
  assert.deepEqual([body.item.version, body.item.headlines[0].value], ['3', 'As I see it']);
});

test('an embargo is in the future, counts down in the list, and ends by itself or at once', async (t) => {
  const stage = await openStage(t);
  const reader = await read(t, browser, stage);
  const page = await sit(t, browser, stage);
  await write(page, { headline: 'The budget', embargo: soon(-3600e3) });
  await page.keyboard.press('Control+Enter');
  await fault(page, 'embargo').filter({ hasText: 'An embargo ends in the future' }).waitFor();
  await page.locator('#embargo').fill(soon(3 * 3600e3));
  await page.locator('#embargo-said', { hasText: /Europe\/Stockholm \(GMT[+]\d\), which is \d\d:\d\d UTC: in (3 h|2 h 59 min)/ }).waitFor();
  await page.locator('#headline').focus();
  await publish(page);
  await outcome(page, 'Under embargo. The budget');
  const mine = line(page, 'The budget');
  await mine.locator('.state', { hasText: 'under embargo' }).waitFor();
  await mine.locator('.countdown', { hasText: /out in (3 h|2 h 59 min)/ }).waitFor();
  await mine.getByRole('button', { name: 'Release now' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Release it now' }).click();
  await story(reader, 'The budget').waitFor();
  await mine.locator('.state', { hasText: /^out$/ }).waitFor();

  const ends = Date.now() + 12_000;
  await write(page, { headline: 'By itself', embargo: soon(12_000) });
  await publish(page);
  await line(page, 'By itself').locator('.countdown', { hasText: /out in \d+ s/ }).waitFor();
  const early = await story(reader, 'By itself').count();
  if (Date.now() < ends - 1000) assert.equal(early, 0); /* the field has no milliseconds */
  await story(reader, 'By itself').waitFor();
  await line(page, 'By itself').locator('.state', { hasText: /^out$/ }).waitFor();
});

test('what waits can be changed: another time and another text, before anybody saw it', async (t) => {
  const stage = await openStage(t);
  await stage.post(item({ uri: 'urn:w:1', headline: 'Waits', body: 'Old words.', embargoedUntil: new Date(Date.now() + 3600e3).toISOString() }), { channels: 'world', key: keyOf('desk') });
  const page = await sit(t, browser, stage);
  await line(page, 'Waits').getByRole('button', { name: 'Correct' }).click();
  await page.getByRole('heading', { name: 'Change a story under embargo' }).waitFor();
  assert.equal(await page.locator('#correction').isVisible(), false, 'nobody saw anything to correct');
  assert.equal(await page.locator('#body').innerText(), 'Old words.');
  await page.locator('#headline').fill('Waits longer');
  await page.locator('#embargo').fill(soon(2 * 3600e3));
  await publish(page);
  await outcome(page, 'Under embargo. Waits longer');
  const { body } = await stage.http('/v1/held?uri=urn:w:1', { headers: { authorization: `Bearer ${keyOf('desk')}` } });
  assert.deepEqual([body.version, body.item.headlines[0].value], ['2', 'Waits longer']);
  assert.ok(Date.parse(body.embargo) > Date.now() + 1.9 * 3600e3);
});

test('a kill needs a reason and its word, and is for good', async (t) => {
  const stage = await openStage(t);
  await stage.post(item({ uri: 'urn:k:1', headline: 'All wrong' }), { channels: 'world', key: keyOf('desk') });
  const reader = await read(t, browser, stage);
  await story(reader, 'All wrong').waitFor();
  const page = await sit(t, browser, stage);
  await line(page, 'All wrong').getByRole('button', { name: 'Kill' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Kill it' }).click();
  await dialog.getByText('Say why').waitFor();
  await dialog.getByLabel('Reason').fill('The source took it back.');
  await dialog.getByLabel('Type KILL').fill('yes');
  await dialog.getByRole('button', { name: 'Kill it' }).click();
  await dialog.getByText('Type the word KILL, or press Esc.').waitFor();
  assert.equal((await stage.http('/v1/items/urn:k:1')).status, 200);
  await dialog.getByLabel('Type KILL').fill('kill');
  await page.keyboard.press('Enter');
  await reader.getByText('The source took it back.').waitFor();
  assert.equal(await story(reader, 'All wrong').count(), 0);
  const mine = line(page, 'urn:k:1');
  await mine.locator('.state', { hasText: 'killed' }).waitFor();
  assert.equal(await mine.getByRole('button').filter({ visible: true }).count(), 0);
  assert.doesNotMatch(await page.evaluate(() => document.documentElement.outerHTML), /All wrong/);
});

test('a story is held back, and released with the text that this tab has kept', async (t) => {
  const stage = await openStage(t);
  await stage.post(item({ uri: 'urn:h:1', headline: 'Delicate', body: 'Words that come back.' }), { channels: 'world', key: keyOf('desk') });
  const reader = await read(t, browser, stage);
  const page = await sit(t, browser, stage);
  await line(page, 'Delicate').getByRole('button', { name: 'Hold' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Hold it back' }).click();
  await reader.getByText('temporarily withheld').waitFor();
  await page.locator('#sent-list .state', { hasText: 'held back' }).waitFor();
  await page.locator('#sent-list > li').getByRole('button', { name: 'Release' }).filter({ visible: true }).click();
  await page.getByRole('heading', { name: 'Correct version 2' }).waitFor();
  assert.equal(await page.locator('#body').innerText(), 'Words that come back.');
  await page.locator('#correction').fill('It was checked again.');
  await publish(page);
  await outcome(page, 'Sent.');
  await story(reader, 'Delicate').getByText('It was checked again.').waitFor();
});
