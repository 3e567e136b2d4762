// The goal: a program with the SDK reads every post exactly once, whatever is done to its connection, to itself or to the history.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import test from 'node:test';
import WebSocket from 'ws';
import { connect, follow } from '../../clients/web/sdk/newswire.js';
import { cutter } from './events.mjs';
import { Stage, item, until } from './stage.mjs';
import { judge, publishAll, publishWhileCut } from './thousand.mjs';

const CUTS = 50;

for (const [how, without, more] of [
  ['over WebSocket', [], { WebSocket }],
  ['over Server-Sent Events, since a proxy breaks upgrades', ['upgrade'], { WebSocket }],
  ['over Server-Sent Events, since there is no WebSocket', [], { WebSocket: null }],
])
  test(`a thousand posts ${how}, cut off fifty times: each once and in order`, async (t) => {
    const stage = await Stage.open(t);
    const relay = await cutter(t, stage.url, [Infinity], { without });
    const control = await stage.reader({ channels: ['world'] });
    const wire = connect({ url: relay.url, channels: ['world'], random: () => 0.002, ...more });
    t.after(() => wire.close());
    const posts = [];
    wire.addEventListener('post', ({ detail }) => posts.push(detail));
    wire.addEventListener('gap', () => assert.fail('a gap'));
    await until(() => wire.status.state === 'live', 'the wire');
    await publishWhileCut(stage, relay, control, { cuts: CUTS });
    await until(() => posts.at(-1)?.cursor === control.posts.at(-1).cursor, 'the last post');
    judge('the reader', posts, control.posts);
    assert.ok(relay.heads.length > CUTS, `${relay.heads.length} connections`);
  });

test('a program that is stopped for a while has every post once when it goes on', async (t) => {
  const stage = await Stage.open(t);
  const control = await stage.reader({ channels: ['world'] });
  const program = `
    import { connect } from ${JSON.stringify(new URL('../../clients/web/sdk/newswire.js', import.meta.url).href)};
    import WebSocket from ${JSON.stringify(createRequire(import.meta.url).resolve('ws'))};
    const wire = connect({ url: process.argv[1], channels: ['world'], WebSocket });
    wire.addEventListener('status', ({ detail }) => console.log(JSON.stringify({ state: detail.state })));
    wire.addEventListener('post', ({ detail }) => console.log(JSON.stringify(detail)));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, stage.url], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout.on('data', (data) => { out += data; });
  const lines = () => out.split('\n').slice(0, -1).map((line) => JSON.parse(line));
  const read = () => lines().filter(({ type }) => type === 'post');
  await until(() => lines().some(({ state }) => state === 'live'), 'the program to read');
  await publishAll(stage, control, 50);
  child.kill('SIGSTOP');
  await stage.publish(item({ headline: 'while it sleeps' }), 'world');
  await control.hasRead(51);
  const ticks = () => control.messages.filter(({ type }) => type === 'tick').length;
  const before = ticks();
  await until(() => ticks() > before + 3, 'more than two ticks');
  child.kill('SIGCONT');
  await stage.publish(item({ headline: 'awake' }), 'world');
  await control.hasRead(52);
  await until(() => read().at(-1)?.cursor === control.posts.at(-1).cursor, 'the last post');
  judge('the program', read(), control.posts);
});

test('another epoch: the reader is told of the gap, and the list is what the feed is', async (t) => {
  const stage = await Stage.open(t);
  const news = follow({ url: stage.url, channels: ['world'], WebSocket });
  t.after(() => news.close());
  let gaps = 0;
  news.wire.addEventListener('gap', () => gaps++);
  const shown = () => [...news.store].map(({ post }) => post.item.headlines[0].value);
  const fed = async () => (await stage.feed('?channels=world')).items.map((post) => post.item.headlines[0].value);
  const shows = (what) => until(() => JSON.stringify(shown()) === JSON.stringify(what), `the list to be ${what}`);
  await until(() => news.wire.status.state === 'live', 'the stream');
  for (const headline of ['one', 'two']) await stage.post(item({ headline }), { channels: 'world' });
  await shows(['two', 'one']);
  for (let round = 1; round <= 3; round++) {
    const before = news.wire.cursor.split(':')[0];
    await stage.redis.flushall();
    await until(() => gaps >= round, 'the gap');
    for (const headline of [`three ${round}`, `four ${round}`]) await stage.post(item({ headline }), { channels: 'world' });
    await shows([`four ${round}`, `three ${round}`]);
    assert.deepEqual(shown(), await fed());
    assert.notEqual(news.wire.cursor.split(':')[0], before);
  }
});

test('a cursor of another epoch, and one that nobody knows: a gap, and then the news', async (t) => {
  const stage = await Stage.open(t);
  for (const since of ['other:1768042927000-0', 'other:1-1']) {
    const wire = connect({ url: stage.url, since, WebSocket });
    t.after(() => wire.close());
    const heard = [];
    wire.addEventListener('gap', ({ detail }) => heard.push(detail.type));
    wire.addEventListener('post', ({ detail }) => heard.push(detail.item.headlines[0].value));
    await until(() => heard.length === 1, 'the gap');
    await stage.post(item({ headline: 'news' }));
    await until(() => heard.length === 2, 'the post');
    assert.deepEqual(heard, ['gap', 'news']);
  }
});
