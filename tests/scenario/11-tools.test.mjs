// The goal: whoever mistypes what a tool of ./dev takes reads what is wrong in a sentence, before anything is started.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
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
