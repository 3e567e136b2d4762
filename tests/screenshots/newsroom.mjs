#!/usr/bin/env node
// newsroom.mjs - the composer as it looks, for docs/newsroom.md: a real newswired, a real browser, stories of nowhere.
//
//   tests/screenshots/newsroom.mjs [DIRECTORY]       docs/screenshots unless another is named; --all: every state, width and light
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { changeKeys, keyOf, publisher } from '../scenario/keys.mjs';
import { Stage, item } from '../scenario/stage.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const words = process.argv.slice(2);
const all = words.includes('--all');
const out = resolve(words.find((word) => !word.startsWith('--')) ?? join(here, '../../docs/screenshots'));
const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

const PICTURE = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="750"><linearGradient id="s" x2="0" y2="1">' +
  '<stop stop-color="#e8c9a0"/><stop offset="1" stop-color="#a9bccb"/></linearGradient><rect width="1200" height="750" fill="url(#s)"/><rect y="480" width="1200" height="270" fill="#4d6a7d"/>' +
  '<path d="M250 440h640l-70 90H330z" fill="#f4f1ea"/><path d="M420 380h300v60H420z" fill="#fff"/><path d="M560 320h60v60h-60z" fill="#b5482f"/></svg>')}`;
const STORY = {
  headline: 'Night ferry between Ostrel and Vand starts in May', summary: 'Two boats will make four crossings a night. The harbour council voted 7 to 2 after three years of talks.',
  place: 'Ostrel', author: 'Ilse Marrow', role: 'Reporter',
};

const endings = [];
const t = { after: (end) => endings.unshift(end) };

async function stageOfToday() {
  const stage = await Stage.open(t);
  await changeKeys(stage, { keys: [publisher('world-desk', ['publish', 'correct', 'kill', 'flash', 'embargo'], { channels: ['world', 'sport', 'harbour', 'exercise'] }),
    publisher('chief', ['publish', 'correct', 'kill', 'all'])] });
  const post = (what, channels, who = 'world-desk') => stage.post(what, { channels, key: keyOf(who) });
  const later = (minutes) => new Date(Date.now() + minutes * 60e3).toISOString();
  await Promise.all([...Array(31)].map((_, i) => stage.reader({ channels: [i % 3 ? 'world' : 'sport'] })));
  await post(item({ uri: 'urn:shot:1', headline: 'Tide gates closed for the first time since 2019' }), 'world,harbour');
  await post(item({ uri: 'urn:shot:1', version: '2', headline: 'Tide gates closed for the first time since 2018' }), 'world,harbour', 'chief');
  await post(item({ uri: 'urn:shot:2', headline: 'Strong earthquake shakes Vand', urgency: 1 }), 'world');
  await post({ uri: 'urn:shot:2', version: '2', pubStatus: 'canceled' }, 'world');
  await post(item({ uri: 'urn:shot:3', headline: 'Council publishes its budget', embargoedUntil: later(134) }), 'world');
  await post(item({ uri: 'urn:shot:4', headline: 'Ostrel wins the island cup' }), 'sport');
  return stage;
}

async function sit(browser, stage, { width, height = 900, dark = false, drill = false }) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'Europe/Stockholm' });
  endings.unshift(() => context.close());
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(String(error)));
  await page.goto(`${stage.url}/newsroom`);
  if (width === 360 && !dark && all) await page.screenshot({ path: join(out, 'newsroom-sign-in-360.png') });
  await page.getByLabel('Key').fill(keyOf('world-desk'));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#sent-list > li').nth(3).waitFor();
  await page.locator('#sent-list', { hasText: 'island cup' }).waitFor();
  await page.locator('.chip', { hasText: /world 2\d/ }).waitFor();
  if (drill) await page.getByRole('button', { name: 'Exercise' }).click();
  for (const [name, text] of Object.entries(STORY)) await page.locator(`#${name}`).fill(text);
  await page.locator('#body').click();
  await page.keyboard.type('The first boat leaves Ostrel at 22.15 and lies in Vand by midnight, the company said.');
  await page.keyboard.press('Enter');
  await page.keyboard.type('“We will pay for the second boat,” said the mayor. Tickets cost as much as by day.');
  if (!drill) await page.locator('.chip', { hasText: 'world' }).click();
  return page;
}

async function shoot(page, name, options) {
  await page.screenshot({ path: join(out, `newsroom-${name}.png`), ...options });
}

const browser = await chromium.launch({ executablePath, args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
endings.unshift(() => browser.close());
try {
  await mkdir(out, { recursive: true });
  const stage = await stageOfToday();
  for (const dark of all ? [false, true] : [false]) {
    const light = dark ? '-dark' : '';
    for (const width of all ? [360, 768, 1280, 1680] : [360, 768, 1280]) {
      const page = await sit(browser, stage, { width, dark });
      await page.keyboard.press('Control+Enter');
      await page.getByText('Ctrl+Enter again sends it').waitFor();
      await page.evaluate(() => scrollTo(0, 0));
      await shoot(page, `${width}${light}`, { fullPage: true });
      if (width !== 1280) continue;
      await page.locator('#class').selectOption('flash');
      await page.keyboard.press('Control+Enter');
      await page.keyboard.press('Control+Enter');
      await page.getByLabel('Type FLASH').fill('FLASH');
      await shoot(page, `flash${light}`);
      await page.keyboard.press('Escape');
    }
    const page = await sit(browser, stage, { width: dark || all ? 768 : 1280, dark, drill: true });
    await shoot(page, `exercise${light}`);
    if (!all) continue;
    await page.locator('#picture-part summary').click();
    await page.locator('#picture').fill(PICTURE);
    await page.locator('#embargo').fill('2020-01-01T10:00');
    await page.getByRole('button', { name: 'Preview' }).click();
    await shoot(page, `faults${light}`, { fullPage: true });
  }
} finally {
  for (const end of endings) await end();
}
