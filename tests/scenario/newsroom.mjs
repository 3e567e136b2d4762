// What the scenarios of the composer share: a stage with publishers, a browser, somebody who sits at /newsroom, and readers beside.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Stage, PATIENCE_MS, until } from './stage.mjs';
import { keyOf, publisher } from './keys.mjs';

const executablePath = process.env.CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const openBrowser = () => chromium.launch({ executablePath, args });

export const PEOPLE = [
  publisher('desk', ['publish', 'correct', 'kill', 'flash', 'embargo'], { channels: ['world', 'sport', 'exercise', 'exercise.*'] }),
  publisher('chief', ['publish', 'correct', 'kill', 'audit', 'all']),
  publisher('intern', ['publish'], { channels: ['world'] }),
];

/** A stage where these may publish; the keys are there from the beginning. */
export async function openStage(t, options = {}, people = PEOPLE) {
  const dir = await mkdtemp(join(tmpdir(), 'nw-keys-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const keys = join(dir, 'keys.json');
  await writeFile(keys, JSON.stringify({ keys: people }), { mode: 0o600 });
  const stage = await Stage.open(t, { keys, ...options });
  stage.keysFile = keys;
  return stage;
}

/** Somebody at the composer. `errors`: what went wrong in the page. Returns the page, signed in unless `who` is null. */
export async function sit(t, browser, stage, { who = 'desk', width = 1280, height = 900, colorScheme = 'light', context, allow = () => false } = {}) {
  const mine = context ?? await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce', colorScheme, locale: 'en-GB', timezoneId: 'Europe/Stockholm' });
  if (!context) {
    t.after(() => mine.close());
    await mine.route((url) => url.origin !== new URL(stage.url).origin && url.protocol !== 'data:' && !allow(url), (route) => route.abort());
  }
  const page = await mine.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(String(error)));
  page.on('console', (message) => {
    if (/Content.Security.Policy/.test(message.text())) page.errors.push(message.text());
  });
  t.after(() => assert.deepEqual(page.errors, [], 'errors in the page'));
  await page.goto(`${stage.url}/newsroom`);
  if (who) await signIn(page, who);
  return page;
}

export async function signIn(page, who) {
  await page.getByLabel('Key').fill(keyOf(who));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#desk').waitFor();
}

/** A reader at the page, live. */
export async function read(t, browser, stage, path = '/') {
  const context = await browser.newContext({ reducedMotion: 'reduce' });
  t.after(() => context.close());
  await context.route((url) => url.origin !== new URL(stage.url).origin && url.protocol !== 'data:', (route) => route.abort());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(stage.url + path);
  await page.locator('#link', { hasText: 'Live' }).waitFor();
  return page;
}

export const story = (page, text) => page.locator('article', { hasText: text });
export const line = (page, text) => page.locator('#sent-list > li', { hasText: text });
export const chip = (page, name) => page.locator(`.chip[data-channel="${name}"]`);
export const outcome = (page, text) => page.locator('#outcome', { hasText: text }).waitFor();
export const fault = (page, field) => page.locator(`[data-field="${field}"] .error:not([hidden])`);

/** Writes a story: texts by the ids of their fields, channels, class. */
export async function write(page, { channels = ['world'], kind, body, ...texts }) {
  for (const [id, text] of Object.entries(texts)) await page.locator(`#${id}`).fill(text);
  if (body) await page.locator('#body').pressSequentially(body);
  if (kind) await page.locator('#class').selectOption(kind);
  for (const name of channels)
    if (await chip(page, name).getAttribute('aria-pressed').catch(() => 'false') !== 'true') await chip(page, name).click();
}

/** Previews and publishes, by the keyboard. */
export async function publish(page) {
  await page.keyboard.press('Control+Enter');
  await page.locator('#publish:enabled').waitFor();
  await page.keyboard.press('Control+Enter');
}

/** How often readers could have been sent this headline: every post that was ever on the wire with it. */
export async function timesOut(stage, headline) {
  const { items } = await until(async () => { // not while a link to Redis is only coming back
    const page = await stage.feed('?limit=100');
    return page.items && page;
  }, 'the feed');
  const entries = await stage.redis.xrange('{newswire}:wire', '-', '+');
  const uris = new Set(items.filter((p) => p.item.headlines?.[0]?.value === headline).map((p) => p.item.uri));
  return entries.filter(([, fields]) => [...uris].some((uri) => fields.join(' ').includes(`"${uri}"`))).length;
}

export { Stage, PATIENCE_MS, until, keyOf, publisher };
