// The goal: whoever mistypes what a tool of ./dev takes reads what is wrong in a sentence, before anything is started.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const TOOLS = { chaos: 'chaos/run.mjs', soak: 'soak/run.mjs', fuzz: 'fuzz/run.mjs', 'fuzz connection': 'fuzz/connection.mjs', 'bench micro': 'bench/micro/run.mjs' };
const call = (tool, ...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(fileURLToPath(new URL('..', import.meta.url)), TOOLS[tool]), ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
};

for (const tool of Object.keys(TOOLS))
  test(`./dev ${tool}: --help says how, and what it does not know is said in words`, () => {
    const { code, out, err } = call(tool, '--help');
    assert.match(out, new RegExp(`^usage: \\./dev ${tool} `));
    assert.deepEqual([code, err], [0, '']);
    const wrong = call(tool, '--nope');
    assert.match(wrong.err, /^[a-z ]+: unknown option '--nope' \(\.\/dev [a-z ]+ --help\)\n$/);
    assert.deepEqual([wrong.code, wrong.out], [2, '']);
  });

test('a value that cannot be is named with what could be', () => {
  for (const [words, tool, ...args] of [
    ['soak: --minutes wants a number from 0.1 on, not "x"', 'soak', '--minutes', 'x'],
    ['soak: --readers wants a whole number from 1 on, not "1.5"', 'soak', '--readers', '1.5'],
    ['chaos: --minutes wants a number, not "1e3"', 'chaos', '--minutes', '1e3'],
    ['chaos: option \'--rate <value>\' argument missing', 'chaos', '--rate'],
    ['chaos: option \'--minutes\' argument is ambiguous', 'chaos', '--minutes', '-1'],
    ['fuzz: --runs wants a whole number from 1 on, not "0"', 'fuzz', '--runs', '0'],
    ['fuzz: "nothing" is none of the targets: batch, ', 'fuzz', 'nothing'],
    ['fuzz: connection stands before its options', 'fuzz', '--seconds', '3', 'connection'],
    ['fuzz: --only is one of a request, ', 'fuzz connection', '--only', 'x'],
  ]) {
    const { code, out, err } = call(tool, ...args);
    assert.ok(err.startsWith(words), err);
    assert.match(err, /\(\.\/dev [a-z ]+ --help\)\n$/);
    assert.deepEqual([code, out], [2, '']);
  }
});

/** `./dev test web` in a tree of its own, in which the web client's tests are `files`. */
function devTest(t, files, env) {
  const tree = mkdtempSync(join(tmpdir(), 'nw-dev-'));
  t.after(() => rmSync(tree, { recursive: true, force: true }));
  copyFileSync(fileURLToPath(new URL('../../dev', import.meta.url)), join(tree, 'dev'));
  chmodSync(join(tree, 'dev'), 0o755);
  mkdirSync(join(tree, 'clients/web/test'), { recursive: true });
  for (const [name, source] of Object.entries(files))
    writeFileSync(join(tree, 'clients/web/test', `${name}.test.mjs`), `import test from 'node:test'; import fs from 'node:fs';\n${source}\n`);
  const { CI, NODE_TEST_CONTEXT, ...rest } = process.env;
  const { status, stdout } = spawnSync('./dev', ['test', 'web'], { cwd: tree, encoding: 'utf8', env: { ...rest, ...env } });
  return { code: status, out: stdout, last: stdout.trim().split('\n').at(-1) };
}
const GOOD = "test('good', () => {});";
// Fails the first time only.
const ONCE = "test('once', () => { if (!fs.existsSync('seen')) { fs.writeFileSync('seen', ''); throw new Error('at first'); } });";
const NEVER = "test('never', () => { throw new Error('as ever'); });";

test('./dev test: a test that fails is red here, and what it said is shown', (t) => {
  const run = devTest(t, { a: GOOD, b: ONCE });
  assert.deepEqual([run.code, run.last], [1, '2 passed, 1 failed']);
  assert.match(run.out, /FAILED +1 passed, 1 failed[^]*failing tests:[^]*at first/);
});

test('./dev test in CI: a file that failed has a second try, and is called flaky; what fails twice has failed', (t) => {
  const flaky = devTest(t, { a: GOOD, b: ONCE + GOOD }, { CI: 'true' });
  assert.deepEqual([flaky.code, flaky.last], [0, '4 passed, 0 failed']);
  assert.match(flaky.out, /flaky +3 passed, 0 failed[^]*failing tests:[^]*at first[^]*second try of clients\/web\/test\/b[^]*flaky: clients\/web\/test\/b/);
  const red = devTest(t, { a: NEVER, b: ONCE }, { CI: 'true' });
  assert.deepEqual([red.code, red.last], [1, '2 passed, 1 failed']);
  assert.match(red.out, /as ever[^]*second try of[^]*as ever/);
  assert.doesNotMatch(red.out, /flaky: /);
});

test('./dev test in CI: three files that fail are no accident', (t) => {
  const run = devTest(t, { a: ONCE, b: NEVER, c: NEVER }, { CI: 'true' });
  assert.deepEqual([run.code, run.last], [1, '1 passed, 3 failed']);
  assert.doesNotMatch(run.out, /second try/);
});
