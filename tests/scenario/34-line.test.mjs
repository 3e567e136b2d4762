// The lasting line of newsroom tools (/v1/publish): items in by WebSocket, each answered once it is durable, in the words of HTTP.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Stage, item, sample, until } from './stage.mjs';
import { changeKeys, keyOf, publisher, putKeys } from './keys.mjs';
import { Tool } from './tool.mjs';

const soon = () => new Date(Date.now() + 3600e3).toISOString();
const told = ({ http, status, code }) => [http, code ?? status];
/** A frame of a client, as bytes: for what `ws` would not send. */
function frame(payload, { opcode = 1, fin = true } = {}) {
  const body = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
  const mask = Buffer.from([1, 2, 3, 4]);
  const head = body.length < 126 ? Buffer.from([body.length | 0x80]) : Buffer.from([126 | 0x80, body.length >> 8, body.length & 255]);
  const masked = Buffer.from(body.map((byte, i) => byte ^ mask[i % 4]));
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode]), head, mask, masked]);
}

test('an item is answered with what HTTP would say, in every case', async (t) => {
  const stage = await Stage.open(t);
  const tool = await Tool.open(stage);
  const hello = await tool.type('hello');
  assert.equal(hello.publisher, 'node');
  assert.deepEqual(hello.may, ['publish', 'correct', 'kill', 'flash', 'embargo', 'audit', 'all']);
  assert.equal(hello.window, 64);
  const cases = (prefix) => [
    item({ uri: `${prefix}:1` }), item({ uri: `${prefix}:1`, version: '2' }), item({ uri: `${prefix}:1`, version: '1', headline: 'late' }),
    item({ uri: `${prefix}:2`, embargoedUntil: '2100-01-01T00:00:00Z' }), item({ uri: `${prefix}:3`, embargoedUntil: soon() }),
    { uri: `${prefix}:1`, version: '3', pubStatus: 'canceled' }, item({ uri: `${prefix}:1`, version: '4' }),
    item({ uri: `${prefix}:4`, urgency: 11 }), item({ uri: `${prefix}:5`, type: 'song' }), { uri: `${prefix}:6`, version: '1' },
    `{"uri":"${prefix}:7","version":"1","headlines":[{"value":"x"}],"version":"2"}`, '"no item"', '{"uri":', '[]',
    `{"uri":"${prefix}:8","x":${'['.repeat(10000)}${']'.repeat(10000)}}`, item({ uri: `${prefix}:9`, body: 'x'.repeat(256 << 10) }),
  ].map((what) => (typeof what === 'string' ? what : JSON.stringify(what)));
  const [lines, posts] = [cases('urn:line:x'), cases('urn:post:x')];
  // The same story told twice differs in its uri, in what is derived of it, and in its place.
  const bare = (body) => JSON.parse(JSON.stringify(body).replaceAll('urn:line', 'urn:post').replace(/"id":"[^"]*",?/, '').replace(/story:[0-9a-f]+/g, 'story'));
  for (const [i, line] of lines.entries()) {
    if (line.startsWith('{"uri":') && line.length < 8) continue; // this one spoils its message: below
    const { type, ref, http, ...said } = await tool.publish(line, i % 2 ? ['world'] : 'world');
    if (line === '[]') { // over HTTP that is a batch of nothing
      assert.deepEqual([http, said.code], [422, 'wrong_type']);
      continue;
    }
    const { status, body: { type: about, ...body } } = await stage.post(posts[i], { channels: 'world' });
    assert.equal(http, status, line.slice(0, 200));
    assert.equal(type, http < 400 ? 'accepted' : 'refused');
    assert.deepEqual(bare(said), bare(body), line.slice(0, 200));
  }
  assert.deepEqual(told(await tool.publish(sample(3), ['world', 'sport'], { idempotency_key: 'k1' })), [201, 'accepted']);
  const again = await tool.publish(sample(3), ['sport', 'world'], { idempotency_key: 'k1' });
  assert.deepEqual([again.http, again.replayed], [201, true]);
  assert.deepEqual(told(await tool.publish(sample(2), ['world'], { idempotency_key: 'k1' })), [422, 'idempotency_mismatch']);
  assert.equal(tool.closed, null, 'no refused item ends the line');
});

test('a line says whose it is by its handshake or by a message, and nobody else publishes', async (t) => {
  const stage = await Stage.open(t);
  await changeKeys(stage, { keys: [publisher('desk', ['publish'], { channels: ['world'] }), publisher('gone', ['publish'])] });
  const desk = await Tool.open(stage, { key: keyOf('desk') });
  const { publisher: name, may } = await desk.type('hello');
  assert.deepEqual([name, may], ['desk', ['publish']]);
  assert.deepEqual(told(await desk.publish(item(), ['sport'])), [403, 'channel_forbidden']);
  assert.deepEqual(told(await desk.publish(item({ urgency: 1 }), ['world'])), [403, 'may_not_flash']);
  assert.deepEqual(told(await desk.publish(item(), ['world'])), [201, 'accepted'], 'and goes on');

  const later = await Tool.open(stage, { key: null });
  assert.equal((await later.type('hello')).publisher, undefined);
  later.send({ type: 'auth', ref: 'a', key: keyOf('desk') });
  assert.deepEqual(await later.type('authorized'), { type: 'authorized', ref: 'a', publisher: 'desk', may: ['publish'] });
  assert.deepEqual(told(await later.publish(item(), ['world'])), [201, 'accepted']);

  const wrong = Tool.connect(stage, { key: 'no-such-key' });
  assert.equal(await wrong.ends(), 401);
  const guess = await Tool.open(stage, { key: null });
  guess.send({ type: 'auth', ref: 1, key: 'no-such-key' });
  assert.equal((await guess.type('error')).code, 'unauthorized');
  assert.deepEqual(await guess.ends(), { code: 4003, reason: 'forbidden' });
  const hasty = await Tool.open(stage, { key: null });
  assert.deepEqual(told(await hasty.publish(item({ uri: 'urn:line:hasty' }), ['world'])), [401, 'unauthorized']);
  assert.deepEqual(await hasty.ends(), { code: 4003, reason: 'forbidden' });
  assert.equal((await stage.http('/v1/items/urn:line:hasty')).status, 404);

  const gone = await Tool.open(stage, { key: keyOf('gone') });
  await changeKeys(stage, { keys: [publisher('desk', ['publish', 'flash'], { channels: ['world'] })] });
  assert.deepEqual(await gone.ends(), { code: 4003, reason: 'forbidden' }, 'a key that is revoked ends its lines');
  assert.deepEqual(told(await desk.publish(item({ urgency: 1 }), ['world'])), [201, 'accepted'], 'and one that may more now, may');
  assert.equal(await stage.metric('newswire_unauthorized_total{way="key"}').read(), 2);
  assert.equal(await stage.metric('newswire_tools_closed_total{reason="forbidden"}').read(), 3);
  assert.doesNotMatch(stage.log, /-key-0123456789abcdef|no-such-key/);
});

test('one who does not say who it is is let go, and a crowd of such leaves room for tools', async (t) => {
  const stage = await Stage.open(t);
  const strangers = await Promise.all(Array.from({ length: 64 }, () => Tool.open(stage, { key: null })));
  assert.equal(await Tool.connect(stage, { key: null }).ends(), 503);
  const tool = await Tool.open(stage);
  assert.deepEqual(told(await tool.publish(item(), ['world'])), [201, 'accepted']);
  for (const stranger of strangers) assert.deepEqual(await stranger.ends(), { code: 4003, reason: 'forbidden' });
  await stage.metric('newswire_tools').becomes(1);
  assert.equal(tool.closed, null);
});

test('a key that posts more than it may is told so on its line, and nothing is lost in silence', async (t) => {
  const stage = await Stage.open(t, { 'publish-rate': 10 });
  await changeKeys(stage, { keys: [publisher('desk', ['publish'])] });
  const desk = await Tool.open(stage, { key: keyOf('desk') });
  for (let i = 0; i < 100; i++) desk.hand({ item: item(), channels: ['world'] });
  const answers = await desk.hasAnswers(100);
  const accepted = answers.filter((a) => a.http === 201).length;
  assert.ok(accepted >= 20 && accepted < 100, `${accepted} of 100`);
  assert.ok(answers.every((a) => a.http === 201 || (a.http === 429 && a.code === 'too_many_posts')));
  assert.equal(await stage.redis.xlen('{newswire}:wire'), accepted);
});

test('items pipeline: thousands in one go are answered each, in order, and a correction follows its story', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const reader = await stage.reader({ channels: ['world'] });
  const tool = await Tool.open(stage);
  const refs = [];
  for (let i = 0; i < 1500; i++) {
    const uri = `urn:line:story-${i}`;
    refs.push(tool.hand({ item: item({ uri, body: 'x'.repeat(i % 700) }), channels: ['world'] }));
    refs.push(tool.hand({ item: item({ uri, version: '2' }), channels: ['world'] }));
  }
  await until(() => tool.answers.length >= 3000 || tool.closed, '3000 answers', 60000);
  const { answers } = tool;
  assert.deepEqual(answers.map((a) => a.ref), refs);
  assert.ok(answers.every((a) => a.http === 201));
  assert.deepEqual(answers.map((a) => a.action), refs.map((_, i) => (i % 2 ? 'correct' : 'publish')));
  // Whoever falls behind for a moment is told of a story that was corrected meanwhile once: its first version is counted instead.
  const conflated = stage.metric('newswire_conflated_total');
  await until(async () => reader.posts.length + await conflated.read() >= 3000, 'every post, or what replaced it');
  const ids = reader.posts.map((p) => p.cursor.split(':')[1]);
  const came = new Set(ids);
  assert.deepEqual(ids, answers.map((a) => a.id).filter((id) => came.has(id)), 'readers see them in the order of the line');
  const left = answers.filter((a) => !came.has(a.id));
  assert.equal(left.length, await conflated.read());
  assert.ok(left.every((a) => a.action === 'publish'), 'the correction of every story came');
});

test('many messages in one segment, and one message in many, are what they are', async (t) => {
  const stage = await Stage.open(t);
  const tool = await Tool.open(stage);
  const small = Array.from({ length: 500 }, (_, i) => `{"type":"publish","ref":${i + 1},"item":{}}`);
  tool.socket._socket.write(Buffer.concat(small.map((text) => frame(text))));
  const answers = await tool.hasAnswers(500);
  assert.deepEqual(answers.map((a) => [a.ref, a.http]), small.map((_, i) => [i + 1, 422]));
  const text = Buffer.from(JSON.stringify({ type: 'publish', ref: 501, channels: ['world'], item: item({ headline: 'Größe «ß» 🗞' }) }));
  for (const cut of [1, 7, 128, 143, 144, 145]) {
    const from = tool.answers.length;
    for (let at = 0; at < text.length; at += cut) {
      const last = at + cut >= text.length;
      tool.socket._socket.write(frame(text.subarray(at, at + cut), { opcode: at === 0 ? 1 : 0, fin: last }));
      if (at === 0) tool.socket._socket.write(frame('between', { opcode: 9 }));
    }
    await tool.hasAnswers(from + 1);
  }
  const six = tool.answers.slice(500);
  assert.deepEqual(six.map(told), [[201, 'accepted'], ...Array(5).fill([200, 'duplicate'])]);
  tool.send({ type: 'ping' });
  assert.deepEqual(await tool.type('tick'), { type: 'tick' });
});

test('a tool that does not read its answers is heard no more until it does; then all are there', async (t) => {
  const stage = await Stage.open(t);
  const tool = await Tool.open(stage);
  tool.stopReading();
  const wanted = 15000; // answers are as long as their uris: more than any socket holds
  let sent = 0;
  const story = item();
  const more = () => { // as much as the line takes, and no more
    while (sent < wanted && tool.socket.bufferedAmount < 1 << 20) {
      tool.hand({ item: { ...story, uri: `urn:line:${sent}:${'x'.repeat(980)}` }, channels: ['world'] });
      sent += 1;
    }
  };
  const messages = stage.metric('newswire_tool_messages_total');
  let before = -1;
  await until(async () => { // it stands still
    more();
    const now = await messages.read();
    const still = now === before && tool.socket.bufferedAmount >= 1 << 20;
    before = now;
    return still;
  }, 'the server to stop hearing');
  assert.ok(before < sent, `${before} heard of ${sent}`);
  const quick = await Tool.open(stage);
  assert.deepEqual(told(await quick.publish(item(), ['world'])), [201, 'accepted'], 'nobody else waits');
  tool.goOnReading();
  await until(() => { more(); return sent === wanted; }, 'all to be taken', 60000);
  await until(() => tool.answers.length === wanted, 'all answers', 60000);
  assert.deepEqual(tool.answers.map((a) => a.ref), Array.from({ length: wanted }, (_, i) => i + 1));
  assert.ok(tool.answers.every((a) => a.http === 201));
});

test('Redis goes away in the middle: each item says what became of it, and posting it again loses and doubles nothing', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const reader = await stage.reader({ channels: ['world'] });
  const tool = await Tool.open(stage);
  const stories = Array.from({ length: 3000 }, (_, i) => item({ uri: `urn:line:away-${i}` }));
  const killed = (async () => {
    await tool.hasAnswers(300);
    process.kill(await stage.redisPid(), 'SIGKILL');
  })();
  let open = stories;
  while (open.length > 0) { // post again what was not decided, until everything is
    const refs = new Map(open.map((story) => [tool.hand({ item: story, channels: ['world'] }), story]));
    let heard;
    await until(() => { // of all at once: thousands that wait one by one take the time of each other
      heard = new Map(tool.messages.map((m) => [m.ref, m]));
      return [...refs.keys()].every((ref) => heard.has(ref)) || assert.equal(tool.closed, null);
    }, `${refs.size} answers`, 60000);
    const answers = [...refs.keys()].map((ref) => heard.get(ref));
    assert.ok(answers.every((a) => [200, 201, 503].includes(a.http)), JSON.stringify(answers.find((a) => ![200, 201, 503].includes(a.http))));
    open = answers.filter((a) => a.http === 503).map((a) => refs.get(a.ref));
    if (open.length > 0) await until(async () => (await stage.http('/readyz/publish')).status === 200, 'Redis to be back');
  }
  await killed;
  await until(() => reader.posts.length >= stories.length, `${stories.length} posts`, 60000);
  assert.deepEqual(reader.posts.map((p) => p.item.uri).sort(), stories.map((s) => s.uri).sort());
});

test('a tool that leaves: what it had handed in is decided, and the worker lives', async (t) => {
  const stage = await Stage.open(t);
  for (let round = 0; round < 20; round++) {
    const tool = await Tool.open(stage);
    for (let i = 0; i < 300; i++) tool.hand({ item: item(), channels: ['world'] });
    await tool.hasAnswers(round * 5);
    tool.close();
  }
  await stage.metric('newswire_tools').becomes(0);
  const heard = await stage.metric('newswire_desk_heard_total').read();
  await until(async () => (await stage.metric('newswire_desk_total{result="accepted"}').read()) === heard, 'all that was heard to be decided');
  assert.equal(await stage.redis.xlen('{newswire}:wire'), heard);
  assert.equal(await stage.metric('newswire_workers_died_total').read(), 0);
});

test('a drain answers what was handed in, says bye, and closes 1001', async (t) => {
  const stage = await Stage.open(t, { 'drain-time': '1s' });
  const tool = await Tool.open(stage);
  const idle = await Tool.open(stage);
  for (let i = 0; i < 2000; i++) tool.hand({ item: item(), channels: ['world'] });
  await tool.hasAnswers(10);
  const ended = stage.stop();
  assert.deepEqual(await tool.ends(), { code: 1001, reason: 'drain' });
  assert.deepEqual(await idle.ends(), { code: 1001, reason: 'drain' });
  assert.equal(await ended, 0);
  for (const one of [tool, idle]) {
    const bye = one.messages.find((m) => m.type === 'bye');
    assert.equal(bye.reason, 'drain');
    assert.ok(bye.retry_ms >= 100);
  }
  const accepted = tool.answers.filter((a) => a.http === 201).length;
  await stage.start();
  assert.equal(await stage.redis.xlen('{newswire}:wire'), accepted, 'what is on the wire was answered, and the other way round');
});

test('messages that make no sense are answered or close the line, with the right code', async (t) => {
  const stage = await Stage.open(t);
  const answered = async (text, type, code, http) => {
    const tool = await Tool.open(stage);
    tool.send(text);
    const answer = await tool.type(type);
    assert.deepEqual([answer.code, answer.http], [code, http], text.slice(0, 100));
    tool.serial = 100; // our own refs come behind the text's
    return tool;
  };
  const stays = async (text, ...expected) => {
    const tool = await answered(text, ...expected);
    assert.deepEqual(told(await tool.publish(item(), ['world'])), [201, 'accepted'], `after ${text.slice(0, 100)}`);
  };
  const ends = async (text, code, ...expected) => {
    const tool = await answered(text, ...expected);
    assert.equal((await tool.ends()).code, code, text.slice(0, 100));
  };
  await stays('{"type":"publish","ref":1}', 'refused', 'empty', 400);
  await stays('{"type":"publish","ref":1,"item":}', 'refused', 'empty', 400);
  await stays('{"type":"publish","ref":1,"item":{},"channels":7}', 'refused', 'bad_channel', 400);
  await stays('{"type":"publish","ref":1,"item":{},"channels":[["world"]]}', 'refused', 'bad_channel', 400);
  await stays(`{"type":"publish","item":{},"channels":"${Array.from({ length: 257 }, (_, i) => `c${i}`)}"}`, 'refused', 'too_many_channels', 422);
  await stays('{"type":"publish","item":{},"idempotency_key":"two words"}', 'refused', 'bad_idempotency_key', 400);
  await stays('{"type":"publish","item":{},"idempotency_key":7}', 'refused', 'bad_idempotency_key', 400);
  await stays('{"type":"publish","item":{"a":[1,2}]}', 'refused', 'not_json', 400);
  await stays('{"type":"publish","item":nul}', 'refused', 'not_json', 400);
  await stays('{"type":"publish","item":{} {}}', 'refused', 'not_json', 400);
  await stays('{"type":"subscribe","ref":1}', 'error', 'bad_type');
  await stays('{"type":"auth"}', 'error', 'bad_key');
  await stays('{"type":"ping","ref":{}}', 'error', 'bad_ref');
  await ends('nonsense', 4000, 'error', 'bad_json');
  await ends('[{"type":"publish"}]', 4000, 'error', 'bad_json');
  await ends('{"type":"publish","item":{}', 4000, 'error', 'bad_json');
  await ends('{"type":"publish","item":{}}}', 4000, 'error', 'bad_json');
  await ends('{"type":"publish","item":{},"item":{}}', 4000, 'error', 'bad_json');
  await ends('{"type":"publish","item":{},"\\u0069tem":{}}', 4000, 'error', 'bad_json');
  await ends('{"type":"publish","type":"publish","item":{}}', 4000, 'error', 'bad_json');
  await ends(`{"type":"publish","x":"${'x'.repeat(33000)}","item":{}}`, 1009, 'error', 'too_large');

  const binary = await Tool.open(stage);
  binary.socket.send(Buffer.from('{}'), { binary: true });
  assert.equal((await binary.ends()).code, 1003);
  const long = await Tool.open(stage);
  long.send(`{"type":"publish","item":"${'x'.repeat(300 << 10)}"}`);
  assert.equal((await long.ends()).code, 1009);
  const stranger = await Tool.open(stage, { key: null });
  stranger.send(`{"type":"auth","key":"${'x'.repeat(5000)}"}`);
  assert.equal((await stranger.ends()).code, 1009);
  const latin = await Tool.open(stage);
  latin.socket._socket.write(frame(Buffer.concat([Buffer.from('{"type":"publish","ref":1,"item":{"uri":"urn:x","headline":"'), Buffer.from([0xe9]), Buffer.from('"}}')])));
  assert.deepEqual(told(await latin.type('refused')), [400, 'not_utf8']);
  assert.equal((await latin.ends()).code, 1007, 'RFC 6455, 8.1');
  const around = await Tool.open(stage);
  around.socket._socket.write(frame(Buffer.concat([Buffer.from('{"type":"publish","x":"'), Buffer.from([0xe9]), Buffer.from('","item":{}}')])));
  assert.equal((await around.ends()).code, 1007);
  const nul = await Tool.open(stage);
  assert.equal((await nul.publish('{"uri":"urn:nul","headlines":[{"value":"a\\u0000b"}]}', ['world'])).http, 422);
  assert.equal((await stage.http('/v1/publish')).status, 426);
  assert.equal(await stage.metric('newswire_workers_died_total').read(), 0);
});

test('the node without keys.json, and one whose keys come later, have lines all the same', async (t) => {
  const stage = await Stage.open(t);
  const tool = await Tool.open(stage);
  assert.deepEqual(told(await tool.publish(item(), ['world'])), [201, 'accepted']);
  await putKeys(stage.dir, { keys: [publisher('desk', ['publish'])] });
  await until(() => stage.log.includes('event=keys_read'), 'the keys to be read');
  assert.deepEqual(told(await tool.publish(item(), ['world'])), [201, 'accepted'], 'the node\'s own key is in no book');
  assert.deepEqual(told(await (await Tool.open(stage, { key: keyOf('desk') })).publish(item(), ['world'])), [201, 'accepted']);
});
