// Who may post what: keys in a file, permissions, owners, and what a raw PUBLISH may do; and that no key is ever shown.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stage, Store, item, program, until } from './stage.mjs';
import { changeKeys, keyOf, publisher, putKeys } from './keys.mjs';

const soon = () => new Date(Date.now() + 3600e3).toISOString();
const bearer = (name) => ({ authorization: `Bearer ${keyOf(name)}` });
const wireLength = (stage) => stage.redis.xlen('{newswire}:wire');
/** Posts with a publisher's key; says `[status, status word or problem code]`. */
const as = (stage, name) => async (what, channels = 'world') => {
  const { status, body } = await stage.post(what, { channels, key: keyOf(name) });
  return [status, body.code ?? body.status];
};

test('each permission is asked for by its name, and a refusal changes nothing, is counted and written down', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const all = ['publish', 'correct', 'kill', 'flash', 'embargo'];
  const without = (word) => publisher(`no-${word}`, all.filter((w) => w !== word));
  await changeKeys(stage, { keys: [...all.map(without), publisher('full', [...all, 'all']), publisher('sport', all, { channels: ['sport.*'] })] });
  const full = as(stage, 'full');
  const uri = 'urn:keys:1';
  assert.deepEqual(await full(item({ uri })), [201, 'accepted']);
  const before = await wireLength(stage);

  assert.deepEqual(await as(stage, 'no-publish')(item({ uri: 'urn:keys:2' })), [403, 'may_not_publish']);
  assert.deepEqual(await as(stage, 'no-flash')(item({ uri: 'urn:keys:3', urgency: 1 })), [403, 'may_not_flash']);
  assert.deepEqual(await as(stage, 'no-embargo')(item({ uri: 'urn:keys:4', embargoedUntil: soon() })), [403, 'may_not_embargo']);
  assert.deepEqual(await as(stage, 'no-kill')({ uri: 'urn:keys:5', version: '1', pubStatus: 'canceled' }), [403, 'may_not_kill']);
  assert.deepEqual(await as(stage, 'no-kill')({ uri: 'urn:keys:5', version: '1', pubStatus: 'withheld' }), [403, 'may_not_kill']);
  assert.deepEqual(await as(stage, 'sport')(item({ uri: 'urn:keys:6' }), 'world'), [403, 'channel_forbidden']);
  assert.deepEqual(await as(stage, 'sport')(item({ uri: 'urn:keys:6', channels: ['world'] }), 'sport.golf'), [403, 'channel_forbidden']);
  const nowhere = await stage.post(item({ uri: 'urn:keys:6' }), { key: keyOf('sport') });
  assert.deepEqual([nowhere.status, nowhere.body.code], [403, 'channel_forbidden'], 'without a channel all would read it');
  assert.equal(await wireLength(stage), before);
  assert.equal(await stage.redis.zcard('{newswire}:embargo'), 0);
  assert.equal((await stage.http('/v1/items/urn:keys:5')).status, 404);

  const own = 'urn:keys:7', first = item({ uri: own });
  assert.deepEqual(await as(stage, 'no-correct')(first), [201, 'accepted']);
  assert.deepEqual(await as(stage, 'no-correct')(item({ uri: own, version: '2' })), [403, 'may_not_correct']);
  assert.deepEqual(await as(stage, 'no-correct')(first), [200, 'duplicate'], 'a retry asks for nothing new');
  assert.deepEqual(await as(stage, 'no-correct')({ ...first, edNote: 'other bytes, the same news' }), [200, 'duplicate']);
  assert.deepEqual(await as(stage, 'sport')(item({ uri: 'urn:keys:8' }), 'sport.golf'), [201, 'accepted']);

  const reasons = (await stage.rejects()).map((r) => [r.owner, r.reason]);
  for (const word of all) assert.ok(reasons.some(([who, why]) => who === `no-${word}` && why === `may_not_${word}`), word);
  for (const word of ['publish', 'correct', 'flash', 'embargo'])
    assert.equal(await stage.metric(`newswire_rejects_total{reason="may_not_${word}"}`).read(), 1, word);
  assert.equal(await stage.metric('newswire_rejects_total{reason="channel_forbidden"}').read(), 3);
  assert.doesNotMatch(stage.log, /-key-0123456789abcdef/);
});

test('a story belongs to who posted it first: others change it only with the right to all', async (t) => {
  const stage = await Stage.open(t);
  const may = ['publish', 'correct', 'kill'];
  await changeKeys(stage, { keys: [publisher('desk', may), publisher('other', may), publisher('chief', [...may, 'all'])] });
  const reader = await stage.reader({ channels: ['world'] });
  const uri = 'urn:owned';
  await as(stage, 'desk')(item({ uri }));
  assert.deepEqual(await as(stage, 'other')(item({ uri, version: '2' })), [403, 'not_owner']);
  assert.deepEqual(await as(stage, 'other')({ uri, version: '2', pubStatus: 'canceled' }), [403, 'not_owner']);
  assert.deepEqual(await as(stage, 'chief')(item({ uri, version: '2' })), [201, 'accepted']);
  assert.deepEqual(await as(stage, 'desk')(item({ uri, version: '3' })), [201, 'accepted'], 'it still belongs to the desk');
  await reader.hasRead(3);
  assert.deepEqual(await as(stage, 'desk')({ uri, version: '4', pubStatus: 'canceled' }), [201, 'accepted']);
  assert.equal((await reader.hasRead(4)).at(-1).action, 'kill');
  const trail = (await stage.http('/v1/audit', { headers: { authorization: `Bearer ${stage.key}` } })).body.entries;
  assert.deepEqual(trail.map((e) => [e.who, e.what]), [['desk', 'kill'], ['desk', 'correct'], ['chief', 'correct'], ['desk', 'publish']]);
});

test('the trail is for keys that may audit, purging for those that may change all', async (t) => {
  const stage = await Stage.open(t);
  await changeKeys(stage, { keys: [publisher('desk', ['publish']), publisher('auditor', ['audit']), publisher('chief', ['all'])] });
  await as(stage, 'desk')(item({ uri: 'urn:old' }));
  const audit = async (name) => (await stage.http('/v1/audit', { headers: bearer(name) }));
  assert.equal((await audit('auditor')).status, 200);
  for (const name of ['desk', 'chief']) {
    const { status, body, headers } = await audit(name);
    assert.deepEqual([status, body.code, headers.get('cache-control')], [403, 'may_not_audit', 'no-store']);
  }
  const purge = async (name) => (await stage.http('/v1/items/urn:old', { method: 'DELETE', headers: bearer(name) }));
  for (const name of ['desk', 'auditor']) assert.deepEqual([(await purge(name)).status, (await purge(name)).body.code], [403, 'may_not_purge']);
  assert.equal((await purge('chief')).status, 200);
  assert.equal((await audit('auditor')).body.entries[0].who, 'chief');
  assert.ok(await stage.metric('newswire_forbidden_total').read() >= 6);
});

test('who proves nothing learns nothing, and a flood of wrong keys is no flood of lines', async (t) => {
  const stage = await Stage.open(t, { 'log-level': 'debug' });
  await changeKeys(stage, { keys: [publisher('desk', ['publish'])] });
  const answers = new Set();
  const tries = [null, '', 'x', keyOf('desk').slice(0, -1), `${keyOf('desk')}x`, keyOf('desk').toUpperCase(), stage.key.slice(1), 'x'.repeat(2000)];
  for (const key of tries) {
    const { status, headers, text } = await stage.post(item(), { key });
    assert.deepEqual([status, headers.get('www-authenticate')], [401, 'Bearer'], key);
    answers.add(text);
  }
  assert.equal(answers.size, 1, 'the same words, however near it was');
  for (let i = 0; i < 300; i++) await stage.post(item(), { key: `guess-${i}-guess-guess` });
  await stage.metric('newswire_unauthorized_total{way="key"}').becomes(300 + tries.length - 2);
  assert.equal(await stage.metric('newswire_unauthorized_total{way="nothing"}').read(), 2);
  await until(() => {
    const told = [...stage.log.matchAll(/event=unauthorized last_from=127\.0\.0\.1 times=(\d+)/g)].map((m) => Number(m[1]));
    return told.reduce((a, b) => a + b, 0) === 300 + tries.length - 2 && told.length;
  }, 'every wrong key to be told of in a sum').then((lines) => assert.ok(lines < 60, `${lines} lines`));
  assert.equal(await wireLength(stage), 0);
  // Keys in odd clothes: none of them lets anybody in that the plain one would not.
  const authorization = async (...values) => {
    const { hostname, port } = new URL(stage.url);
    const socket = net.connect(Number(port), hostname).setEncoding('latin1');
    let answer = '';
    socket.on('error', () => {}).on('data', (data) => { answer += data; });
    socket.write(`POST /v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n${values.map((v) => `Authorization: ${v}\r\n`).join('')}\r\n{}`);
    await new Promise((done) => { socket.on('close', done); }); // by a reset too
    return Number(answer.match(/^HTTP\/1\.1 (\d+)/)?.[1]);
  };
  const good = keyOf('desk');
  assert.equal(await authorization(`bearer ${good}`), 422, 'the scheme in any case (RFC 9110), an item without content');
  for (const odd of [[good], [`Basic ${good}`], [`Bearer: ${good}`], [`Bearer ${good} ${good}`], [`Bearer ${good}, Bearer x`], ['Bearer'], ['Bearer x', `Bearer ${good}`]])
    assert.equal(await authorization(...odd), 401, odd.join(' & '));
  assert.doesNotMatch(stage.log, /guess-|-key-0123456789abcdef/);
  assert.ok(!stage.log.includes(stage.key));
});

test('the file is read again when it changes: a new key works, a revoked one does not, a broken file changes nothing', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  assert.deepEqual(await as(stage, 'desk')(item({ uri: 'urn:r:0' })), [401, 'unauthorized']);
  await changeKeys(stage, { keys: [publisher('desk', ['publish'])] });
  assert.deepEqual(await as(stage, 'desk')(item({ uri: 'urn:r:1' })), [201, 'accepted']);
  await changeKeys(stage, `{"keys":[{"name":"desk","secret":"hush-hush-hush"`, 'keys_broken');
  assert.deepEqual(await as(stage, 'desk')(item({ uri: 'urn:r:2' })), [201, 'accepted'], 'the old keys stay in force');
  await changeKeys(stage, { keys: [{ ...publisher('desk', ['publish']), chanels: [] }] }, 'keys_broken');
  await stage.logged(/event=keys_broken file=\S+ reason="\/keys\/0\/chanels: there is no such property/);
  assert.ok(await stage.metric('newswire_keys_broken_total').read() >= 4);
  await changeKeys(stage, { keys: [publisher('other', ['publish'])] });
  assert.deepEqual(await as(stage, 'desk')(item({ uri: 'urn:r:3' })), [401, 'unauthorized']);
  assert.deepEqual(await as(stage, 'other')(item({ uri: 'urn:r:4' })), [201, 'accepted']);
  await changeKeys(stage, { keys: [publisher('other', ['publish', 'correct', 'flash'], { urgency: { 1: 'urgent', 5: 'flash' } })] });
  const reader = await stage.reader({ channels: ['world'] });
  await as(stage, 'other')(item({ uri: 'urn:r:5', urgency: 1 }));
  await as(stage, 'other')(item({ uri: 'urn:r:6', urgency: 5 }));
  assert.deepEqual((await reader.hasRead(2)).map((p) => p.class), ['urgent', 'flash'], 'and urgency means what the file says');
  assert.doesNotMatch(stage.log, /hush|-key-0123456789abcdef/);
});

test('newswired does not start with a file of keys that it cannot read, and says where the fault is', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'nw-keys-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await putKeys(dir, { keys: [publisher('desk', ['publsh'])] });
  const run = spawnSync(program('newswired'), [`--state-dir=${dir}`, '--port=0'], { encoding: 'utf8' });
  assert.equal(run.status, 1);
  assert.match(run.stderr, /event=cannot_start.*keys\.json cannot be used: \/keys\/0\/may\/0: this is no permission: publish, correct/);
  const wrong = spawnSync(program('newswired'), [`--state-dir=${dir}`, '--raw-publish=publish,korrect'], { encoding: 'utf8' });
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /--raw-publish: "publish,korrect" is not what is wanted/);
});

test('a key that posts more than it may is told when to come back', async (t) => {
  const stage = await Stage.open(t, { 'publish-rate': 1 });
  await changeKeys(stage, { keys: [publisher('wild', ['publish']), publisher('calm', ['publish'])] });
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => stage.post(item({ uri: `urn:w:${i}` }), { key: keyOf('wild'), channels: 'world' })));
  const refused = answers.filter((a) => a.status === 429);
  assert.ok(refused.length > 0 && answers.filter((a) => a.status === 201).length >= 2, answers.map((a) => a.status).join(' '));
  assert.deepEqual([refused[0].body.code, refused[0].headers.get('retry-after')], ['too_many_posts', '1']);
  assert.equal(await stage.metric('newswire_rate_limited_total').read(), refused.length);
  assert.deepEqual(await as(stage, 'calm')(item({ uri: 'urn:calm' })), [201, 'accepted'], 'others are not held up');
  for (let i = 0; i < 8; i++) assert.equal((await stage.post(item({ uri: `urn:node:${i}` }))).status, 201, "nor is the node's own key");
});

test('a raw PUBLISH may do everything in the private Redis, and only publish and correct in another, unless told otherwise', async (t) => {
  const life = async (stage, uri) => {
    await stage.publish(item({ uri }));
    await stage.metric('newswire_desk_total{result="accepted"}').reaches(1);
    await stage.publish(item({ uri, version: '2' }));
    await stage.metric('newswire_desk_total{result="accepted"}').reaches(2);
    await stage.publish(item({ uri: `${uri}:f`, urgency: 1 }));
    await stage.publish(item({ uri: `${uri}:e`, embargoedUntil: soon() }));
    await stage.publish({ uri, version: '3', pubStatus: 'canceled' });
  };
  const own = await Stage.open(t);
  await life(own, 'urn:raw');
  await own.metric('newswire_desk_total{result="accepted"}').becomes(4);
  await own.metric('newswire_desk_total{result="held"}').becomes(1);

  const store = await Store.open(t);
  const shared = await Stage.open(t, { store, workers: 2 });
  await life(shared, 'urn:raw');
  await shared.metric('newswire_desk_total{result="refused"}').becomes(3);
  assert.deepEqual((await shared.rejects()).map((r) => [r.owner, r.reason, r.channel]).sort(),
    [['redis', 'may_not_embargo', 'world'], ['redis', 'may_not_flash', 'world'], ['redis', 'may_not_kill', 'world']]);
  assert.equal(await wireLength(shared), 2);
  await shared.post(item({ uri: 'urn:mine' }), { channels: 'world' });
  await shared.publish(item({ uri: 'urn:mine', version: '2' }));
  await shared.metric('newswire_rejects_total{reason="not_owner"}').becomes(1);
});

test('the file of keys says for each channel what a raw PUBLISH may do, and a refused one is decided anew when that changes', async (t) => {
  const stage = await Stage.open(t, { 'raw-publish': 'none' });
  await changeKeys(stage, { raw: { world: ['publish', 'kill'], 'sport.*': ['publish'] } });
  await stage.publish(item({ uri: 'urn:p:1' }), 'world');
  await stage.publish(item({ uri: 'urn:p:2' }), 'sport.golf');
  await stage.metric('newswire_desk_total{result="accepted"}').becomes(2);
  await stage.publish(item({ uri: 'urn:p:3' }), 'culture');
  await stage.publish(item({ uri: 'urn:p:4', channels: ['culture'] }), 'world');
  await stage.metric('newswire_rejects_total{reason="may_not_publish"}').becomes(2);
  const kill = { uri: 'urn:p:2', version: '1', pubStatus: 'canceled' };
  await stage.publish(kill, 'sport.golf');
  await stage.metric('newswire_rejects_total{reason="may_not_kill"}').becomes(1);
  await changeKeys(stage, { raw: { '*': ['kill'] } });
  await stage.publish(kill, 'sport.golf');
  await stage.metric('newswire_desk_total{result="accepted"}').becomes(3);
  assert.equal((await stage.http('/v1/items/urn:p:2')).status, 410);
});

/** One run of newswire: {code, out, err}. */
const newswire = (dir, args, env = {}) => new Promise((tell) => {
  execFile(program('newswire'), args, { env: { ...process.env, NEWSWIRE_STATE_DIR: dir, NEWSWIRE_KEY: '', ...env } },
    (error, out, err) => tell({ code: error ? error.code : 0, out, err }));
});
const emptyDirectory = async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'nw-keys-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
};

test('newswire keys gives a key that works within a second, shows it once, and takes it back', async (t) => {
  const stage = await Stage.open(t);
  const keys = (...args) => newswire(stage.dir, ['keys', ...args]);
  const file = join(stage.dir, 'keys.json'), keyFile = join(stage.dir, 'desk.key'), secretFile = join(stage.dir, 'token');
  assert.match((await keys('list')).err, /nobody but the node itself/);
  const added = await keys('add', '--name', 'desk', '--channels', 'world,sport.*', '--may', 'publish,correct', '--urgency', '1=urgent');
  assert.equal(added.code, 0, added.err);
  assert.match(added.out, /^[0-9a-f]{64}\n$/);
  await writeFile(keyFile, added.out);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.ok(!(await readFile(file, 'utf8')).includes(added.out.trim()), 'the file has its hash only');
  await stage.logged(/event=keys_read .*keys=1/);

  const itemFile = join(stage.dir, 'item.json');
  await writeFile(itemFile, JSON.stringify(item({ uri: 'urn:by-desk', urgency: 1 })));
  const sent = await newswire(stage.dir, ['publish', '--to', stage.url, '-k', keyFile, '-c', 'world', itemFile]);
  assert.match(sent.out, /^sent urn:by-desk version 1 publish/, sent.err);
  assert.equal(await stage.redis.hget('{newswire}:item:urn:by-desk', 'owner'), 'desk');
  assert.equal(await stage.redis.hget('{newswire}:item:urn:by-desk', 'class'), 'urgent');

  await writeFile(secretFile, 'a token of superdesk\nand no more');
  const other = await keys('add', '-n', 'superdesk', '-c', '*', '-m', 'publish', '--secret', secretFile, '--no-key');
  assert.deepEqual([other.code, other.out], [0, ''], other.err);
  assert.deepEqual((await keys('list')).out.split('\n'), [
    'desk  channels world,sport.*  may publish,correct  urgency 1=urgent  key', 'superdesk  channels *  may publish  secret', '']);
  assert.equal(JSON.parse(await readFile(file, 'utf8')).keys[1].secret, 'a token of superdesk');
  await stage.logged(/event=keys_read .*keys=2/);

  assert.equal((await keys('revoke', 'desk', 'nobody')).code, 1);
  assert.equal(JSON.parse(await readFile(file, 'utf8')).keys.length, 2, 'all or none');
  assert.equal((await keys('revoke', 'desk')).code, 0);
  await until(async () => (await stage.post(item(), { key: added.out.trim() })).status === 401, 'the key to be taken back');
  assert.ok(!stage.log.includes(added.out.trim()) && !stage.log.includes('a token of'));
});

test('newswire keys refuses what makes no sense, and leaves a file that it cannot read alone', async (t) => {
  const dir = await emptyDirectory(t);
  const file = join(dir, 'keys.json');
  const keys = (...args) => newswire(dir, ['keys', ...args]);
  const add = (more = {}) => keys('add', ...Object.entries({ '--name': 'desk', '--channels': 'world', '--may': 'publish', ...more }).filter(([, v]) => v).flat());
  for (const [more, says] of [[{ '--name': null }, /needs --name/], [{ '--may': null }, /needs --name, --channels and --may/], [{ '--name': 'The Desk' }, /--name The Desk/],
    [{ '--name': 'node' }, /not node, redis/], [{ '--may': 'publish,korrect' }, /--may korrect: publish, correct/], [{ '--channels': 'sp*' }, /--channels sp\*/],
    [{ '--urgency': '0=flash' }, /--urgency 0=flash/], [{ '--urgency': '1=hot' }, /--urgency 1=hot/], [{ '--secret': join(dir, 'none') }, /no secret in/]]) {
    const run = await add(more);
    assert.deepEqual([run.code, run.out], [2, ''], JSON.stringify(more));
    assert.match(run.err, says);
  }
  assert.equal((await keys('borrow')).code, 2);
  assert.equal((await keys('list', 'desk')).code, 2);
  assert.equal((await keys('revoke')).code, 2);
  await assert.rejects(stat(file), 'nothing was made');
  for (const broken of ['{"keys":[', '{"keys":{}}', '[]', '{"keys":[{"secret":"hush-hush" "x"}]}']) {
    await writeFile(file, broken);
    const run = await add();
    assert.equal(run.code, 2, broken);
    assert.doesNotMatch(run.err, /hush/);
    assert.equal(await readFile(file, 'utf8'), broken);
  }
  await writeFile(file, '{"raw":{"*":["publish"]},"keys":[]}');
  assert.equal((await add()).code, 0);
  assert.equal((await add()).code, 1, 'a second key of the same name');
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')).raw, { '*': ['publish'] }, 'what else is there stays');
});

test('ten who edit the file of keys at once lose nothing', async (t) => {
  const dir = await emptyDirectory(t);
  const runs = await Promise.all(Array.from({ length: 10 }, (_, i) => newswire(dir, ['keys', 'add', '-n', `desk-${i}`, '-c', '*', '-m', 'publish'])));
  assert.deepEqual(runs.map((r) => r.code), Array(10).fill(0));
  assert.equal(JSON.parse(await readFile(join(dir, 'keys.json'), 'utf8')).keys.length, 10);
});
