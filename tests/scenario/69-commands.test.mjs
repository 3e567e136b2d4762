// The rest of the command line against a real server, on pipes and on a terminal: correct, kill, show, rejects, audit --follow,
// top, bench; and what each command says of a server that makes no sense.
import test from 'node:test';
import assert from 'node:assert/strict';
import { chmod, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Stage, item, sample, until } from './stage.mjs';
import { Cli, Terminal, files, impostor } from './cli.mjs';

const runs = (t, stage, ...args) => new Cli(t, args, { dir: stage.dir }).ended;
const story = (uri) => item({ uri, headline: 'Ferry approved', body: 'Two boats will cross.', version: '1' });

/* --- correct ------------------------------------------------------------------------------------- */

test('a story is corrected by options: the next version, what was not named stays, readers are told why', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['harbour'] });
  await stage.post({ ...story('urn:a'), by: 'Ilse Marrow' }, { channels: 'world,harbour' });
  const [text] = await files(t, '<p>Three boats will cross.</p>');
  const run = await runs(t, stage, 'correct', 'urn:a', '--headline', 'Ferry refused', '--body', text, '--note', 'It was refused.');
  assert.match(run.out, /^sent urn:a version 2 correct id \d+-\d+ \(fsync\)\n$/);
  assert.equal(run.code, 0);
  const [, { item: now, channels, action }] = await reader.hasRead(2);
  assert.equal(action, 'correct');
  assert.deepEqual(now.headlines.map((h) => h.value), ['Ferry refused']);
  assert.deepEqual(now.bodies.map((b) => b.value), ['<p>Three boats will cross.</p>']);
  assert.deepEqual(now.descriptions, [{ role: 'correction', value: 'It was refused.' }]);
  assert.equal(now.by, 'Ilse Marrow');
  assert.ok(['world', 'harbour'].every((c) => channels.includes(c)), 'on the channels that it had');
});

test('a file is the whole new version: it follows what is public, and a higher version of its own stays', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(story('urn:a'), { channels: 'world' });
  const [same, high, old, headless] = await files(t, story('urn:a'), { ...story('urn:a'), version: '7', headlines: [{ value: 'Seven' }] },
    { guid: 'urn:a', version: '1', type: 'text', headline: 'As Superdesk says it' }, { headlines: [] });
  assert.match((await runs(t, stage, 'correct', same, '--note', 'A word was wrong.')).out, /^sent urn:a version 2 correct /);
  assert.match((await runs(t, stage, 'correct', high)).out, /^sent urn:a version 7 correct /);
  assert.match((await runs(t, stage, 'correct', old, '--note', 'Once more.')).out, /^sent urn:a version 8 correct /);
  const { body } = await stage.http('/v1/items/urn:a');
  assert.deepEqual(body.item.descriptions, [{ role: 'correction', value: 'Once more.' }]);
  const none = await runs(t, stage, 'correct', headless);
  assert.match(none.err, /it has no uri/);
  assert.equal(none.code, 2);
});

test('what cannot be corrected is said: unknown, killed, nothing to change', async (t) => {
  const stage = await Stage.open(t);
  for (const [args, complaint, code] of [
    [['urn:unknown', '--headline', 'x'], /nothing of it is public/, 1],
    [['urn:a'], /what is to change\?/, 2],
    [['urn:a', '--headline', ''], /needs a value/, 2],
    [['no-such-file', '--headline', 'x'], /no file, and no URI/, 2],
    [['urn:a', 'urn:b'], /one story at a time/, 2],
    [['urn:a', '--body', '/nonexistent'], /cannot open it/, 2],
  ]) {
    const run = await runs(t, stage, 'correct', ...args);
    assert.match(run.err, complaint);
    assert.equal(run.code, code, args.join(' '));
    assert.equal(run.out, '');
  }
  await stage.post(sample(3));
  await stage.post(sample(5));
  const killed = await runs(t, stage, 'correct', sample(3).uri, '--headline', 'It lives');
  assert.match(killed.err, /killed, and nothing can follow/);
  assert.equal(killed.code, 1);
});

test('on a terminal a story is changed in the editor; what was typed stays until the server has it', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(story('urn:a'), { channels: 'world' });
  const [better, nothing, broken] = await files(t, '#!/bin/sh\nsed -i "s/Ferry approved/Ferry delayed/" "$1"\n', '#!/bin/sh\n:\n', '#!/bin/sh\necho "{" > "$1"\n');
  for (const script of [better, nothing, broken]) await chmod(script, 0o700);
  const edit = (editor) => new Terminal(t, ['correct', 'urn:a'], { dir: stage.dir, env: { EDITOR: editor, VISUAL: '', TMPDIR: dirname(better) } }).ended;

  const done = await edit(better);
  assert.match(done.out, /sent urn:a version 2 correct/);
  assert.equal((await stage.http('/v1/items/urn:a')).body.item.headlines[0].value, 'Ferry delayed');
  const same = await edit(nothing);
  assert.match(same.out, /nothing was changed, and nothing sent/);
  assert.equal(same.code, 0);
  const spoilt = await edit(broken);
  const [, kept] = spoilt.out.match(/what you wrote is in (\S+)/);
  assert.equal(await readFile(kept, 'utf8'), '{\n');
  assert.equal(spoilt.code, 2);
  assert.equal((await stage.http('/v1/items/urn:a')).body.item.version, '2');
});

/* --- kill ---------------------------------------------------------------------------------------- */

test('stories are killed for a reason, by a script that says --yes', async (t) => {
  const stage = await Stage.open(t);
  const reader = await stage.reader({ channels: ['world'] });
  await stage.post({ ...story('urn:a'), version: '4' }, { channels: 'world' });
  const refused = await runs(t, stage, 'kill', 'urn:a');
  assert.match(refused.err, /nobody is there to confirm it; --yes/);
  assert.equal(refused.code, 2);
  const run = await runs(t, stage, 'kill', '--yes', 'urn:a', 'urn:never', '--reason', 'The source was wrong.');
  assert.match(run.lines[0], /^sent urn:a version 5 kill id /);
  assert.match(run.lines[1], /^sent urn:never version 1 kill/);
  assert.equal(run.code, 0);
  const [, kill] = await reader.hasRead(2);
  assert.deepEqual([kill.action, kill.uri, kill.version, kill.notice], ['kill', 'urn:a', '5', 'The source was wrong.']);
  const again = await runs(t, stage, 'kill', '--yes', 'urn:a');
  assert.match(again.err, /killed already: urn:a/);
  assert.equal(again.code, 0);
  assert.equal((await runs(t, stage, 'kill', '--yes', '-r', 'x'.repeat(501), 'urn:a')).code, 2);
});

test('on a terminal the word must be typed, and the headline is shown', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(story('urn:a'), { channels: 'world' });
  const no = new Terminal(t, ['kill', 'urn:a'], { dir: stage.dir });
  await no.prints(/urn:a\r\n +Ferry approved[^]*Type kill to go on: $/);
  no.type('yes\n');
  await no.ended;
  assert.match(no.out, /nothing was killed/);
  assert.equal(no.code, 2);
  assert.equal((await stage.http('/v1/items/urn:a')).status, 200);
  const yes = new Terminal(t, ['kill', 'urn:a'], { dir: stage.dir });
  await yes.prints(/Type kill to go on: $/);
  yes.type('kill\n');
  await yes.ended;
  assert.match(yes.out, /sent urn:a version 2 kill/);
  assert.equal((await stage.http('/v1/items/urn:a')).status, 410);
});

/* --- show ---------------------------------------------------------------------------------------- */

test('a story is shown as a page to read, and as JSON', async (t) => {
  const stage = await Stage.open(t);
  const text = `<p>${'A harbour is a place where ships may shelter. '.repeat(5)}</p><ul><li>One &amp; two</li></ul>`;
  await stage.post({ ...story('urn:a'), located: 'Ostrel', bodies: [{ role: 'main', contentType: 'text/html', value: text }],
    descriptions: [{ role: 'correction', value: 'It was \u001b[31mthree.' }, { role: 'summary', value: 'In short.' }] }, { channels: 'world' });
  const run = await runs(t, stage, 'show', 'urn:a');
  assert.equal(run.code, 0, run.err);
  assert.match(run.out, /^Ferry approved\nregular · 2026-\S+ \S+Z · Ostrel · publish · urn:a version 1 · world\n\nCorrection:\nIt was \[31mthree\.\n\nIn short\.\n\nA harbour is/);
  assert.match(run.out, /\n\n• One & two\n$/);
  assert.ok(run.lines.every((line) => line.length <= 80));
  assert.doesNotMatch(run.out, /\u001b/);
  assert.equal(JSON.parse((await runs(t, stage, 'show', '--json', 'urn:a')).out).item.uri, 'urn:a');

  const wide = await new Terminal(t, ['show', 'urn:a'], { dir: stage.dir, cols: 40 }).ended;
  assert.match(wide.out, /^\u001b\[1mFerry approved\u001b\[0m/);
  assert.ok(wide.out.split('\r\n').slice(2).every((line) => line.replaceAll(/\u001b\[\d*m/g, '').length <= 40));
  const plain = await new Terminal(t, ['show', 'urn:a'], { dir: stage.dir, env: { NO_COLOR: '1' } }).ended;
  assert.doesNotMatch(plain.out, /\u001b/);
});

test('of a killed story show says when and why', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(sample(3));
  await stage.post(sample(5));
  const run = await runs(t, stage, 'show', sample(3).uri);
  assert.match(run.err, /^newswire: killed at \d{4}-\d\d-\d\d [\d:]+Z: urn:newsml:wire\.example:20260110:quake-vand version 2: This report has been withdrawn\. The alert/);
  assert.equal(run.out, '');
  assert.equal(run.code, 1);
  const stranger = await new Cli(t, ['show', '--url', stage.url, sample(3).uri]).ended;
  assert.match(stranger.err, /^newswire: killed: urn:/, 'without a key it cannot ask when');
  const unknown = await runs(t, stage, 'show', 'urn:unknown');
  assert.match(unknown.err, /not_found: no item has this uri/);
  assert.equal(unknown.code, 1);
});

/* --- looking back -------------------------------------------------------------------------------- */

test('what was refused is listed, narrowed, and followed', async (t) => {
  const stage = await Stage.open(t);
  const [broken] = await files(t, '{"uri":7}');
  await runs(t, stage, 'publish', broken);
  await stage.post(sample(5));
  await stage.post(sample(3));
  await until(async () => (await stage.rejects()).length === 2, 'both to be written down');
  const all = await runs(t, stage, 'rejects');
  assert.match(all.lines[0], /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}node {2}killed {2}urn:newsml:wire\.example:20260110:quake-vand version 1 · \d+ bytes: This uri was killed/);
  assert.match(all.lines[1], /node {2}wrong_type · news · 9 bytes: .* at \/uri$/);
  assert.equal((await runs(t, stage, 'rejects', '--reason', 'killed')).lines.length, 1);
  assert.equal(JSON.parse((await runs(t, stage, 'rejects', '--who', 'node', '--json', '-n', '1')).out).rejects.length, 1);
  assert.match((await runs(t, stage, 'rejects', '--uri', 'urn:none')).err, /nothing there/);

  const follow = new Cli(t, ['rejects', '--follow', '--json'], { dir: stage.dir });
  await until(() => follow.lines.length === 2, 'what was');
  await runs(t, stage, 'publish', (await files(t, '{"uri":"urn:new"}'))[0]);
  await until(() => follow.lines.length === 3, 'what came');
  assert.deepEqual(follow.lines.map((line) => JSON.parse(line).reason), ['wrong_type', 'killed', JSON.parse(follow.lines[2]).reason]);
  follow.child.kill('SIGINT');
  assert.equal((await follow.ended).code, 0);
  const both = await runs(t, stage, 'rejects', '--follow', '--before', '1-1');
  assert.match(both.err, /not both/);
  assert.equal(both.code, 2);
});

test('the audit trail is followed: each entry once, in order', async (t) => {
  const stage = await Stage.open(t);
  await stage.post(item({ uri: 'urn:0' }));
  const follow = new Cli(t, ['audit', '-f'], { dir: stage.dir });
  await follow.prints(/urn:0/);
  for (let i = 1; i <= 130; i++) await stage.post(item({ uri: `urn:${i}` }));
  await until(() => follow.lines.length >= 131, 'all of them');
  assert.deepEqual(follow.lines.map((line) => line.match(/ (urn:\d+) /)[1]), Array.from({ length: 131 }, (_, i) => `urn:${i}`));
});

/* --- top ----------------------------------------------------------------------------------------- */

/** The lines that are on the screen now: what was drawn last. */
const screen = (top) => top.since.split('\u001b[H').at(-1).replaceAll(/\u001b\[[\d;?]*[A-Za-z]/g, '').split(/\r+\n/);
/** Once a whole frame has been drawn since the mark for which `test` is true. */
const shows = (top, test, what) => until(() => top.since.endsWith('\u001b[J') && test(screen(top)) && screen(top), what);

test('top shows readers by transport, live, at any size, and gives the terminal back on q', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const readers = await Promise.all([1, 2, 3].map(() => stage.reader({ channels: ['world'] })));
  const top = new Terminal(t, ['top'], { dir: stage.dir });
  const first = await shows(top, (lines) => /^readers +3 +websocket 3 · sse 0/.test(lines[2] ?? ''), 'three readers');
  assert.match(first[0], /^newswire top {2}1 of 1 nodes .*q quits$/);
  assert.match(first.find((line) => line.startsWith('Redis')), /ready +2 of 2 workers follow it/);
  assert.ok(first.find((line) => line.startsWith(stage.url)));
  readers[0].close();
  await shows(top, (lines) => /^readers +2 /.test(lines[2] ?? ''), 'two readers');
  for (const [rows, cols] of [[10, 40], [3, 20], [1, 5], [60, 200]]) {
    top.mark();
    top.resize(rows, cols);
    const lines = await shows(top, (now) => now.length <= rows && now.every((line) => [...line].length < cols), `${rows} x ${cols}`);
    assert.ok(lines.length >= Math.min(rows, 10), `${lines.length} lines of ${rows}`);
  }
  top.type('xq');
  assert.equal((await top.ended).code, 0);
  assert.ok(top.out.endsWith('\u001b[?25h\u001b[?1049l'), 'cursor and screen are back');
  assert.equal(top.modes, '1 1\n', 'and so are echo and line mode');
  assert.equal(top.out.match(/\u001b\[2J/g).length, 1, 'cleared once: no flicker');
});

test('however top ends, the terminal is as it was', async (t) => {
  const stage = await Stage.open(t);
  const where = async (typed) => {
    const top = new Terminal(t, ['top'], { dir: stage.dir });
    await top.prints(/readers +\S*0/);
    await typed(top);
    await top.ended;
    assert.ok(top.out.includes('\u001b[?25h\u001b[?1049l'));
    assert.equal(top.modes, '1 1\n');
    return top.code;
  };
  assert.equal(await where((top) => top.type('\u0003')), 0, 'Ctrl-C');
  assert.equal(await where((top) => top.child.stdin.end()), 0, 'the terminal hangs up');
  const pid = async (top) => Number((await readFile(`/proc/${top.child.pid}/task/${top.child.pid}/children`, 'utf8')).trim());
  assert.equal(await where(async (top) => process.kill(await pid(top), 'SIGTERM')), 0, 'SIGTERM');
});

test('top goes on when a node goes away, and comes back to it', async (t) => {
  const stage = await Stage.open(t);
  const top = new Terminal(t, ['top', stage.url, 'http://127.0.0.1:1'], { dir: stage.dir, cols: 160 });
  await shows(top, (lines) => lines.some((line) => /127\.0\.0\.1:1 +cannot connect/.test(line)) && /1 of 2 nodes/.test(lines[0]), 'one of two');
  stage.options.port = stage.state.port;
  await stage.stop();
  await shows(top, (lines) => /0 of 2 nodes/.test(lines[0]), 'none of two');
  await stage.start();
  await shows(top, (lines) => /1 of 2 nodes/.test(lines[0]), 'one again');
  top.type('q');
  assert.equal((await top.ended).code, 0);
});

test('top prints once where there is no terminal, and JSON for scripts', async (t) => {
  const stage = await Stage.open(t);
  await stage.reader({ channels: ['world'] });
  await stage.post(item(), { channels: 'world' });
  const once = await runs(t, stage, 'top');
  assert.match(once.out, /^newswire top {2}1 of 1 nodes/);
  assert.match(once.out, /\nlast reader +\d+ms +of 1, for the last post\n/);
  assert.doesNotMatch(once.out, /\u001b/);
  assert.equal(once.code, 0);
  const json = JSON.parse((await runs(t, stage, 'top', '--once', '--json')).out);
  assert.deepEqual([json.answered, json.total.readers, json.total.websocket, json.total.workers, json.last_post.readers], [1, 1, 1, 1, 1]);
  assert.ok(json.total.memory_bytes > 1e6);
  const away = await new Cli(t, ['top', '--once', 'http://127.0.0.1:1']).ended;
  assert.match(away.err, /^newswire: http:\/\/127\.0\.0\.1:1: cannot connect/);
  assert.equal(away.code, 3);
  const stranger = await new Cli(t, ['top', '--once', await impostor(t, 'html')]).ended;
  assert.match(stranger.err, /what answered is not newswired/);
  assert.equal(stranger.code, 3);
});

/* --- bench --------------------------------------------------------------------------------------- */

test('bench loads the server and says how it did', async (t) => {
  const stage = await Stage.open(t, { workers: 2 });
  const args = ['--readers', '40', '--rate', '50', '--seconds', '1'];
  const bystander = await stage.reader();
  const json = JSON.parse((await runs(t, stage, 'bench', ...args, '--json')).out);
  assert.deepEqual([json.readers, json.posts, json.accepted, json.deliveries, json.lost, json.doubled], [40, 50, 50, 2000, 0, 0]);
  assert.ok(json.latency_us.p50 > 0 && json.latency_us.p50 <= json.latency_us.p99 && json.latency_us.p99 <= json.latency_us.max);
  const shown = await new Terminal(t, ['bench', ...args], { dir: stage.dir }).ended;
  assert.match(shown.out, /\[#+\.*\] \d+\/50 posts/);
  assert.match(shown.out, /2,000 deliveries of 50 posts to 40 readers\r\n/);
  assert.match(shown.out, /p50 [\d.]+ [µm]?s · p90/);
  assert.match(shown.out, / ms {2}#+ [\d,]+\r\n/);
  assert.equal(shown.code, 0);
  assert.deepEqual([bystander.posts, (await stage.feed()).items], [[], []], 'nobody else sees any of it');
});

test('bench loads no server elsewhere by accident, and says why it cannot', async (t) => {
  const stage = await Stage.open(t);
  for (const [args, complaint, code] of [
    [['--url', 'https://news.example'], /not on this machine; --far/, 2],
    [['--url', 'http://127.example.org:8080'], /not on this machine/, 2],
    [['--url', 'http://localhost.example.org/'], /not on this machine/, 2],
    [['--rate', '1000', '--seconds', '600'], /more than 20000 posts/, 2],
    [['--readers', '5001'], /a number from 1 to 5000/, 2],
    [['-c', 'feed:all'], /no channel to publish on/, 2],
    [['--url', 'http://127.0.0.1:1'], /cannot connect|Connection refused|closed|connect/i, 3],
    [['--url', stage.url], /unauthorized/, 1],
  ]) {
    const run = await new Cli(t, ['bench', ...args], {}).ended;
    assert.match(run.err, complaint);
    assert.equal(run.code, code, args.join(' '));
    assert.equal(run.out, '');
  }
});

/* --- bad answers --------------------------------------------------------------------------------- */

for (const [kind, complaint, code] of [
  ['html', /what answered is not newswired/, 1], ['json', /what answered is not newswired/, 1], ['broken', /HTTP status 500/, 3],
  ['redirect', /HTTP status 302/, 1], ['half', /broke in the middle/, 3], ['nothing', /no answer came|without an answer/, 3], ['noise', /no answer came|without an answer|cannot connect/, 3]]) {
  test(`a server that answers ${kind}: each command says it in words, with status ${code}`, async (t) => {
    const url = await impostor(t, kind);
    const [file] = await files(t, story('urn:a'));
    for (const args of [['feed'], ['show', 'urn:a'], ['audit'], ['audit', '--follow'], ['rejects'], ['channels'], ['purge', '--yes', 'urn:a'],
      ['kill', '--yes', 'urn:a'], ['correct', file], ['correct', 'urn:a', '--headline', 'x']]) {
      const run = await new Cli(t, [...args, '--url', url], { env: { NEWSWIRE_KEY: 'k' } }).ended;
      assert.match(run.err, complaint, args.join(' '));
      assert.equal(run.code, code, `${args.join(' ')}: ${run.err}`);
      assert.equal(run.out, '', args.join(' '));
      assert.match(run.err, /^newswire: [^\n]+\n$/, `${args.join(' ')} in one line`);
    }
    for (const args of [['top', '--once', url], ['bench', '--url', url]]) {
      const run = await new Cli(t, args, { env: { NEWSWIRE_KEY: 'k' } }).ended;
      assert.match(run.err, /^newswire: [^\n]+\n$/, `${args[0]} in one line`);
      assert.equal(run.code, 3, args[0]);
    }
    const tail = new Cli(t, ['tail', '--url', url]);
    await tail.says(/^newswire: no link, trying again in [\d.]+ s: [^\n]+\n/);
    if (kind === 'html') assert.match(tail.err, /what answered is not newswired: no WebSocket/);
  });
}
