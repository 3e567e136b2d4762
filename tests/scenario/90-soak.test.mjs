// The goal: what newswired holds does not grow, however long it runs. `./dev soak` runs for an hour; here is whether it would see a leak, and
// a quarter of a minute of it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { seeded } from '../chaos/seeded.mjs';
import { slope, verdict } from '../soak/verdict.mjs';

const MIB = 2 ** 20;
const least = { part: 0.03, value: MIB };
/** An hour of looks at a figure, one every five seconds. */
const hour = (of) => Array.from({ length: 720 }, (_, i) => [i * 5, of(i / 720, i)]);

test('a leak is seen through the noise, and noise is no leak', () => {
  const random = seeded(3);
  const noise = () => (random() - 0.5) * MIB;
  assert.equal(verdict(hour(() => 20 * MIB), least).grows, false);
  assert.equal(verdict(hour(() => 20 * MIB + 2 * noise()), least).grows, false);
  assert.equal(verdict(hour((t) => 20 * MIB - 3 * MIB * t + noise()), least).grows, false, 'less is no growth');
  const leak = verdict(hour((t) => 20 * MIB + 3 * MIB * t + noise()), least);
  assert.equal(leak.grows, true);
  assert.ok(Math.abs(leak.growth - 3 * MIB) < MIB / 4, `${leak.growth}`);
  assert.equal(verdict(hour((t) => 1000 + 60 * t), { part: 0.03, value: 5 }).grows, true, 'sixty files of a thousand');
});

test('a saw and a few wild values are no growth; a staircase is', () => {
  assert.equal(verdict(hour((t, i) => 20 * MIB + (i % 60) * MIB / 30), least).grows, false);
  assert.equal(verdict(hour((t, i) => (i % 97 === 0 ? 90 : 20) * MIB), least).grows, false);
  assert.equal(verdict(hour((t) => 20 * MIB + Math.floor(t * 6) * MIB), least).grows, true);
  assert.equal(slope([[0, 1], [1, 2], [2, 3], [3, 4], [4, 100]]), 1, 'one wild value does not tilt it');
});

test('a quarter of a minute: everybody who came is let go of, and nothing is held for them', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'nw-soak-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const svg = join(dir, 'soak.svg');
  const run = fileURLToPath(new URL('../soak/run.mjs', import.meta.url));
  const { code, out } = await new Promise((done) => execFile(process.execPath,
    [run, '--minutes', '0.25', '--readers', '120', '--stay', '3', '--seed', '7', '--svg', svg], (error, stdout) => done({ code: error ? error.code : 0, out: stdout })));
  assert.equal(code, 0, out);
  assert.match(out, /ok {3}when everybody has gone/);
  assert.match(out, /\n\d+ passed, 0 failed\n$/);
  assert.match(await readFile(svg, 'utf8'), /<svg .*<polyline/s);
});
