// The goal: ./dev chaos fails where it should. A server that was built broken (NEWSWIRE_BREAK, server/base/sabotage.h) is told to break one promise, and that one
// is found; told nothing, it passes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';

const run = new URL('run.mjs', import.meta.url).pathname;

/** A short run against the broken server. Returns what it said and how it ended. */
function chaos(sabotage, only) {
  const child = spawn(process.execPath, [run, '--minutes', '0.13', '--seed', '5', '--clients', '40', '--network', 'relay', '--quiet-end', '1', '--only', only],
    { env: { ...process.env, NEWSWIRE_SABOTAGE: sabotage }, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (data) => { said += data; });
  return new Promise((done) => child.on('close', (code) => done({ code, said })));
}

test('a server that was told nothing passes', async () => {
  const { code, said } = await chaos('', 'readers cut,Redis flushed');
  assert.equal(code, 0, said);
});
for (const [sabotage, verdict, only] of [['drop', 'lost', 'file rewritten'], ['double', 'doubled', 'file rewritten'], ['leak', 'embargo leaked', 'file rewritten'],
  ['silence', 'silent gap', 'Redis flushed']]) {
  test(`a server that has "${sabotage}" in it is found out: ${verdict}`, async () => {
    const { code, said } = await chaos(sabotage, only);
    assert.equal(code, 1, said);
    assert.match(said, new RegExp(`FAIL ${verdict}: [1-9]`), said);
  });
}
