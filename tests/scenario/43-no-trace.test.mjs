// A scan of all that leaves and all that is stored, for texts that were killed and texts whose time has not come.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Stage, Store, item, until } from './stage.mjs';
import { Tool } from './tool.mjs';

const ways = {
  publish: async (stage) => (what) => stage.publish(what, 'world'),
  post: async (stage) => (what) => stage.post(what, { channels: 'world' }),
  batch: async (stage) => (what) => stage.post([what], { channels: 'world' }),
  inbox: async (stage) => (what) => stage.redis.xadd('{newswire}:inbox', '*', 'channel', 'world', 'item', JSON.stringify(what)),
  line: async (stage) => { const tool = await Tool.open(stage); return (what) => tool.publish(what, ['world']); },
};

/** Every place of an item that may hold text, all marked. */
const marked = (mark, more = {}) => item({
  headline: `${mark}headline`, body: `${mark}body`, slugline: `${mark}slug`, title: `${mark}title`, by: `${mark}by`, edNote: `${mark}ednote`,
  descriptions: [{ role: 'summary', value: `${mark}summary` }], subjects: [{ name: `${mark}subject` }],
  associations: [{ name: 'main', type: 'picture', rel: 'featured', headlines: [{ value: `${mark}caption` }], renditions: [{ name: 'o', href: `https://img.example/${mark}.jpg` }] }],
  ...more,
});

async function stored(dir, name) {
  let text = '';
  for (const file of await readdir(dir, { recursive: true, withFileTypes: true }))
    if (file.isFile() && name.test(file.name)) text += await readFile(join(file.path ?? file.parentPath, file.name), 'latin1').catch(() => ''); // gone meanwhile
  return text;
}

/** Every answer that the server gives about these uris. */
async function answers(stage, uris) {
  const headers = { authorization: `Bearer ${stage.key}` };
  const paths = ['/v1/feed?limit=100', '/v1/feed?channels=world&view=brief', '/feed.json', '/feed.atom', '/feed/world.json', '/feed/world.atom', '/v1/channels', '/metrics', '/readyz',
    '/v1/audit?limit=100', ...uris.flatMap((uri) => [`/v1/items/${encodeURIComponent(uri)}`, `/v1/items/${encodeURIComponent(uri)}/reach`, `/v1/audit?uri=${encodeURIComponent(uri)}`])];
  const texts = await Promise.all(paths.map(async (path) => (await stage.http(path, { headers })).text));
  return paths.map((path, i) => [path, texts[i]]);
}

const rawBytes = (reader) => { const all = []; reader.socket.on('message', (data) => all.push(data.toString())); return all; };

test('neither a killed text nor one under embargo is anywhere where it may not be', async (t) => {
  const store = await Store.open(t, ['--loglevel', 'debug', '--logfile', 'redis.log', '--rdbcompression', 'no', '--save', '']);
  const stage = await Stage.open(t, { store, workers: 2, 'log-level': 'debug', 'raw-publish': 'everything' });
  const reader = await stage.reader();
  const briefly = await stage.reader({ channels: ['world'] });
  const start = reader.cursor;
  const heard = [rawBytes(reader), rawBytes(briefly)];
  const uris = [];
  const uri = (name) => { uris.push(`urn:trace:${name}`); return uris.at(-1); };
  const inAnHour = new Date(Date.now() + 3600_000).toISOString();

  for (const [name, open] of Object.entries(ways)) {
    const send = await open(stage);
    // Killed: two public versions and a held one, of one story; and one that was killed before it came.
    const [killed, early, corrected, held, moved] = ['killed', 'early', 'corrected', 'held', 'moved'].map((what) => uri(`${name}:${what}`));
    await send(marked('KILLED1', { uri: killed }));
    await reader.saw((m) => m.item?.uri === killed, 'the story');
    await send(marked('KILLED2', { uri: killed, version: '2', urgency: 3 }));
    await send(marked('KILLED3', { uri: killed, version: '3', embargoedUntil: inAnHour }));
    await send(marked('KILLED4', { uri: killed, version: '4', pubStatus: 'canceled' }));
    await send(marked('KILLED5', { uri: killed, version: '5' }));
    await send(marked('KILLED6', { uri: early, version: '2', pubStatus: 'canceled' }));
    await send(marked('KILLED7', { uri: early }));
    // Under embargo: a new story, a correction, one whose time was moved, and one that comes again.
    await send(item({ uri: corrected, headline: `PUBLIC ${name}` }));
    await send(marked('SECRET1', { uri: corrected, version: '2', embargoedUntil: inAnHour }));
    await send(marked('SECRET2', { uri: held, embargoedUntil: inAnHour }));
    await send(marked('SECRET2', { uri: held, embargoedUntil: inAnHour, version: '2' }));
    await send(marked('SECRET3', { uri: moved, embargoedUntil: new Date(Date.now() + 1800_000).toISOString() }));
    await send(marked('SECRET3', { uri: moved, embargoedUntil: inAnHour, versionCreated: new Date().toISOString() }));
    await send(marked('SECRET4', { uri: uri(`${name}:far`), embargoedUntil: '2126-01-01T00:00:00Z' }));
    await send(marked('SECRET5', { uri: uri(`${name}:bad`), embargoedUntil: inAnHour, urgency: 77 }));
    await send(item({ uri: `urn:trace:${name}:end` }));
    await reader.saw((m) => m.item?.uri === `urn:trace:${name}:end`, 'the end of this way');
  }
  await briefly.settled();
  const back = await stage.reader({ since: start });
  await back.saw((m) => m.item?.uri === 'urn:trace:line:end', 'the end of what was missed');

  const isSilent = (where, text, words) => { for (const word of words) assert.ok(!text.includes(word), `${word} in ${where}`); };
  assert.ok(heard[0].join().includes('KILLED1headline'), 'the scan finds what is there');
  for (const bytes of heard) isSilent('what readers got', bytes.join(), ['SECRET', 'KILLED3', 'KILLED4', 'KILLED5', 'KILLED6', 'KILLED7', 'ednote']);
  isSilent('what one who was away got', JSON.stringify(back.messages), ['SECRET', 'KILLED']);
  for (const [path, text] of await answers(stage, uris)) isSilent(path, text, ['SECRET', 'KILLED']);
  isSilent('the log', stage.log, ['SECRET', 'KILLED']);
  for (const name of await store.redis.keys('{newswire}:*')) {
    const dump = (await store.redis.dumpBuffer(name))?.toString('latin1') ?? ''; // one that ended meanwhile
    isSilent(name, dump, name.startsWith('{newswire}:held:') ? ['KILLED', 'ednote'] : ['SECRET', 'KILLED']);
  }
  assert.ok((await store.redis.dumpBuffer(`{newswire}:held:${uris.find((u) => u.includes(':held'))}`)).toString('latin1').includes('SECRET2headline'), 'and what is held is held');

  await until(async () => !(await stored(store.dir, /aof$/)).includes('KILLED'), 'the append-only files to be written anew', 130_000);
  await store.redis.save();
  isSilent('the snapshot', await stored(store.dir, /rdb$/), ['KILLED', 'ednote']);
  assert.ok((await stored(store.dir, /dump\.rdb$/)).includes('SECRET2headline'), 'the scan reads the snapshot');
  isSilent('the log of Redis', await stored(store.dir, /log$/), ['SECRET', 'KILLED']);
  isSilent('the log', stage.log, ['SECRET', 'KILLED']);
});
