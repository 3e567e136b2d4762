// A worker that holds as many readers as it may: what the next one is told, and that news still comes in and goes out.
import test from 'node:test';
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stage, item, program, until } from './stage.mjs';
import { Events } from './events.mjs';

const accept = { accept: 'text/event-stream' };
const refused = (stage) => stage.metric('newswire_readers_refused_total{reason="full"}');

test('the next one is told when to come again, each something else; and is counted', async (t) => {
  const stage = await Stage.open(t, { 'max-readers': 4 });
  const first = [await stage.reader({ channels: ['world'] }), await stage.reader({ channels: ['world'] }),
    await Events.open(stage, { channels: ['world'] }), await Events.open(stage, { channels: ['world'] })];
  const waits = new Set();
  for (let n = 0; n < 20; n++) {
    const { status, headers, body } = await stage.http('/v1/stream?channels=world', { headers: accept });
    assert.deepEqual([status, body.code, headers.get('content-type')], [503, 'full', 'application/problem+json']);
    assert.match(headers.get('retry-after'), /^([2-9]|10)$/);
    waits.add(headers.get('retry-after'));
  }
  assert.ok(waits.size > 1, 'spread, so that they do not come back together');
  const socket = stage.connect({ channels: ['world'] });
  assert.equal(await socket.ends(), 503);
  assert.equal(await refused(stage).read(), 21);
  first[0].close();
  await stage.metric('newswire_readers').becomes(3);
  await stage.reader({ channels: ['world'] });
  first[2].close();
  await stage.metric('newswire_readers').becomes(3);
  await Events.open(stage, { channels: ['world'] });
});

/** A newswired that may open no more than so many files. */
async function short(t, files) {
  const dir = await mkdtemp(join(tmpdir(), 'nw-short-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'newswired');
  await writeFile(file, `#!/bin/sh\nulimit -n ${files} && exec '${program('newswired')}' "$@"\n`);
  await chmod(file, 0o755);
  return file;
}

test('with as many readers as its open files allow it still takes news in, sends it out and answers', async (t) => {
  const stage = await Stage.open(t, { program: await short(t, 256) });
  const readers = Array.from({ length: 220 }, () => stage.connect({ channels: ['world'] }));
  await until(() => readers.every((reader) => reader.refused || reader.messages.length > 0), 'everybody to be let in or refused');
  const inside = readers.filter((reader) => !reader.refused);
  assert.ok(inside.length >= 100 && inside.length < 220, `${inside.length} are inside`);
  assert.ok(readers.every((reader) => !reader.refused || reader.refused === 503));
  assert.equal(await refused(stage).read(), readers.length - inside.length);
  assert.equal((await stage.post(item(), { channels: 'world' })).status, 201);
  assert.equal((await stage.http('/readyz')).status, 200);
  assert.equal((await stage.http('/v1/feed?channels=world')).status, 200);
  for (const reader of inside) await reader.hasRead(1);
  for (let one; !one?.refused; inside.push(one)) { // in the crush some were refused who would have had room
    one = stage.connect({ channels: ['world'] });
    await until(() => one.refused || one.messages.length > 0, 'one more to be let in or refused');
  }
  inside[0].close();
  await stage.metric('newswire_readers').becomes(inside.length - 2);
  await stage.reader({ channels: ['world'] });
});
