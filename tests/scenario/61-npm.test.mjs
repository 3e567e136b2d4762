// The goal: the SDK is a package that anybody can install: whole, typed, and the same as what the tests run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as sdk from '../../clients/web/sdk/newswire.js';
import { Stage, item } from './stage.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const web = join(root, 'clients/web');
const tsc = join(root, 'tests/node_modules/.bin/tsc');

let dir;
before(async () => { dir = await mkdtemp(join(tmpdir(), 'nw-npm-')); });
after(() => rm(dir, { recursive: true, force: true }));

/** What a command says, whether it fails or not. */
const attempt = (command, args, cwd) => run(command, args, { cwd }).then(
  ({ stdout }) => ({ code: 0, said: stdout }), (error) => ({ code: error.code, said: error.stdout + error.stderr }));

/** A project of somebody else, with the package installed; nothing comes from the network. */
let installed;
function project() {
  installed ??= (async () => {
    await cp(web, join(dir, 'source/clients/web'), { recursive: true });
    await cp(join(root, 'LICENSE'), join(dir, 'source/LICENSE'));
    const { stdout } = await run('npm', ['pack', '--json', '--offline', '--pack-destination', dir], { cwd: join(dir, 'source/clients/web') });
    const [packed] = Object.values(JSON.parse(stdout.slice(stdout.search(/^[[{]/m)))).flat(); // behind what older npms say of scripts
    const at = join(dir, 'project');
    await mkdir(at);
    await writeFile(join(at, 'package.json'), '{"name":"reader","private":true,"type":"module"}');
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--no-save', join(dir, packed.filename)], { cwd: at });
    return { at, packed };
  })();
  return installed;
}

const compilerOptions = { strict: true, noEmit: true, target: 'es2022', module: 'nodenext', lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'],
  types: [], skipLibCheck: false };

/** What TypeScript says to a program in that project. */
async function compile(name, source) {
  const { at } = await project();
  await writeFile(join(at, `${name}.ts`), source);
  await writeFile(join(at, `${name}.json`), JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
  return attempt(tsc, ['-p', `${name}.json`], at);
}

test('the sources keep to their types, and the declarations in the tree are made of them', async () => {
  const out = join(dir, 'types');
  const { code, said } = await attempt(tsc, ['-p', join(web, 'tsconfig.json'), '--outDir', out], web);
  assert.equal(code, 0, said);
  const files = (await readdir(out)).sort();
  assert.deepEqual((await readdir(join(web, 'types'))).filter((file) => file !== 'news-feed.d.ts').sort(), files, 'run `npm run types` in clients/web');
  for (const file of files)
    assert.equal(await readFile(join(web, 'types', file), 'utf8'), await readFile(join(out, file), 'utf8'), `types/${file}: run \`npm run types\` in clients/web`);
});

test('the package has the version of the project', async () => {
  const { version } = JSON.parse(await readFile(join(web, 'package.json'), 'utf8'));
  assert.equal(version, (await readFile(join(root, 'CMakeLists.txt'), 'utf8')).match(/project\(newswire VERSION (\S+)/)[1]);
});

test('it has all it needs and nothing else', async () => {
  const { packed } = await project();
  const files = packed.files.map((file) => file.path);
  for (const name of ['package.json', 'README.md', 'LICENSE', 'sdk/newswire.js', 'types/newswire.d.ts', 'dist/news-feed.js', 'types/news-feed.d.ts'])
    assert.ok(files.includes(name), `${name} is missing`);
  assert.deepEqual(files.filter((file) => !/^(sdk|types)\/|^(dist\/news-feed\.js|package\.json|README\.md|LICENSE)$/.test(file)), []);
});

test('a program in strict TypeScript compiles, and knows what it is given', async () => {
  const { code, said } = await compile('right', `
    import { connect, fetchFeed, follow, NewswireError, Store, type Entry, type Feed, type Post, type Status } from 'newswire';
    const wire = connect({ url: 'https://news.example/', channels: ['world'], since: 'e:1-0', view: 'brief', ahead: true, share: false });
    wire.addEventListener('post', ({ detail }) => { const uri: string | undefined = detail.uri; const ahead: boolean | undefined = detail.ahead; void [uri, ahead]; });
    wire.addEventListener('gap', (event) => { const cursor: string = event.detail.cursor; void cursor; });
    wire.addEventListener('status', ({ detail }: { detail: Status }) => { if (detail.state === 'waiting') void detail.retry; });
    wire.addEventListener('error', ({ detail }) => { if (detail instanceof NewswireError && detail.fatal) void detail.code.length; });
    wire.addEventListener('readers', ({ detail }) => { const count: number | undefined = detail['world']; void count; });
    export async function read(): Promise<string | undefined> {
      for await (const message of wire) {
        if (message.type === 'gap') return message.cursor;
        const post: Post = message;
        if (post.action === 'kill') return post.notice;
      }
      const feed: Feed = await fetchFeed({ url: new URL('https://news.example/'), limit: 5 });
      const at: string | undefined = await wire.subscribe({ channels: ['sport'], types: ['video'] });
      const news = follow({ store: new Store(), keep: 100 });
      news.store.addEventListener('change', ({ detail }) => { const entry: Entry = detail.entry; if (detail.change === 'killed') void entry.notice; });
      const older: Entry[] = await news.older();
      return at ?? feed.before ?? older[0]?.uri ?? [...news.store][0]?.version;
    }
  `);
  assert.equal(code, 0, said);
});

test('the element is in it, whole in one file, and typed', async () => {
  const { at } = await project();
  const file = await readFile(join(at, 'node_modules/newswire/dist/news-feed.js'), 'utf8');
  assert.match(file, /customElements\.define\("news-feed"/);
  assert.doesNotMatch(file, /^import\b/m);
  const { code, said } = await compile('element', `
    import 'newswire/news-feed';
    import type { NewsFeed } from 'newswire/news-feed';
    const feed: NewsFeed = document.createElement('news-feed');
    feed.src = 'https://news.example/';
    feed.channels = ['world', 'sport'];
    feed.limit = 5;
    feed.words = { readMore: 'Läs mer', newStories: { one: '{n} ny nyhet', other: '{n} nya nyheter' } };
    feed.addEventListener('news-story', ({ detail }) => { const headline: unknown = detail.post.item?.['headlines']; void [headline, detail.uri]; });
    feed.addEventListener('news-error', ({ detail }) => { if (detail.error.fatal) feed.pause(); });
    feed.addEventListener('click', (event) => { const x: number = event.clientX; void x; });
    // @ts-expect-error
    feed.view = 'tiny';
    export const more: Promise<void> = feed.older();
  `);
  assert.equal(code, 0, said);
  const [, properties] = (await readFile(join(root, 'docs/element.md'), 'utf8')).match(/## Properties, methods, events(.*?)## Its looks/s);
  const types = await readFile(join(web, 'types/news-feed.d.ts'), 'utf8');
  for (const [, name] of properties.matchAll(/^\| `([\w-]+)/gm)) assert.ok(types.includes(name), `${name} is in docs/element.md and not in types/news-feed.d.ts`);
});

const wrong = {
  'an option that does not exist': `connect({ chanels: ['world'] });`,
  'channels that are no list': `connect({ channels: 'world' });`,
  'a view that does not exist': `connect({ view: 'tiny' });`,
  'an event that does not exist': `connect().addEventListener('posts', () => {});`,
  'an event of the store that does not exist': `follow().store.addEventListener('chang', () => {});`,
  'a detail of another event': `connect().addEventListener('gap', ({ detail }) => detail.headline);`,
  'a post that is taken for granted': `connect().addEventListener('post', ({ detail }) => detail.item.headlines);`,
  'a number where a cursor goes': `connect({ since: 7 });`,
  'a feed before it has come': `fetchFeed().items;`,
};

test('what is used wrongly does not compile', async () => {
  const { at } = await project();
  const files = Object.values(wrong).map((_, n) => `wrong-${n}.ts`);
  for (const [n, line] of Object.values(wrong).entries())
    await writeFile(join(at, files[n]), `import { connect, fetchFeed, follow } from 'newswire';\nvoid fetchFeed, follow, connect;\n${line}\n`);
  await writeFile(join(at, 'wrong.json'), JSON.stringify({ compilerOptions, files }));
  const { said } = await attempt(tsc, ['-p', 'wrong.json'], at);
  for (const [n, what] of Object.keys(wrong).entries())
    assert.match(said, new RegExp(`^wrong-${n}\\.ts\\(3,\\d+\\): error TS`, 'm'), `${what} compiles\n${said}`);
});

test('a program in Node reads a post with it, and one in the inside of the package it cannot reach', async (t) => {
  const stage = await Stage.open(t);
  const { at } = await project();
  await writeFile(join(at, 'read.mjs'), `
    import { connect } from 'newswire';
    const wire = connect({ url: process.argv[2] });
    wire.addEventListener('status', ({ detail }) => detail.state === 'live' && console.log('live', detail.via));
    for await (const post of wire) { console.log(post.item.headlines[0].value); break; }
    wire.close();
  `);
  const reader = run(process.execPath, ['read.mjs', stage.url], { cwd: at });
  await stage.metric('newswire_readers').becomes(1);
  await stage.publish(item({ headline: 'Installed' }));
  assert.match((await reader).stdout, /^live \w+\nInstalled\n$/);
  const inside = await attempt(process.execPath, ['-e', 'import("newswire/sdk/wire.js").catch((e) => console.log(e.code))'], at);
  assert.match(inside.said, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
});

// --- the manual ---------------------------------------------------------------------------------------------------------------

const manual = await readFile(join(root, 'docs/sdk.md'), 'utf8');
const examples = [...manual.matchAll(/```js run\n(.*?)```/gs)].map(([, code]) => code);

test('every example of the manual compiles, and runs', async (t) => {
  assert.ok(examples.length >= 6);
  const stage = await Stage.open(t);
  const { at } = await project();
  for (const [n, code] of examples.entries()) {
    await writeFile(join(at, `example-${n}.mjs`), `globalThis.localStorage ??= /** @type {any} */ ({ setItem() {} });\n${
      code.replaceAll('https://news.example/', stage.url).replaceAll('nw_…', stage.key)}`);
    await writeFile(join(at, 'examples.json'), JSON.stringify({ compilerOptions: { ...compilerOptions, allowJs: true, checkJs: true }, files: [`example-${n}.mjs`] }));
    const { code: failed, said } = await attempt(tsc, ['-p', 'examples.json'], at);
    assert.equal(failed, 0, `${said}\n${code}`);
    let over = false;
    const ran = run(process.execPath, [`example-${n}.mjs`], { cwd: at, timeout: 15_000 }).finally(() => { over = true; });
    while (!over) { // some wait for news
      await stage.publish(item());
      await Promise.race([ran.catch(() => {}), stage.metric('newswire_readers').read()]);
    }
    await ran;
  }
});

test('the manual knows every name that is exported, every option, event and error', async () => {
  const files = await readdir(join(web, 'sdk'));
  const source = (await Promise.all(files.map((file) => readFile(join(web, 'sdk', file), 'utf8')))).join('\n');
  const told = new Set([...manual.replaceAll(/^#+ (.*)$/gm, '`$1`').replaceAll(/```.*?```/gs, '').matchAll(/`([^`]+)`/g)].flatMap(([, code]) => code.match(/\w+/g) ?? []));
  const knows = (what, names) => assert.deepEqual(names.filter((name) => !told.has(name)), [], `${what} that docs/sdk.md does not tell`);
  knows('exports', Object.keys(sdk));
  for (const type of ['Subscription', 'Link', 'Status', 'WireEvents', 'FollowingEvents', 'StoreEvents', 'PublisherOptions', 'PublishOptions', 'PublisherEvents', 'Entry']) {
    const [, body] = source.match(new RegExp(`@typedef \\{object\\} ${type}\\n(.*?)\\*/`, 's'));
    knows(type, [...body.matchAll(/@property \{.*\} \[?(\w+)/g)].map(([, name]) => name));
  }
  for (const type of [sdk.Wire, sdk.Following, sdk.Store, sdk.Publisher])
    knows(type.name, Object.getOwnPropertyNames(type.prototype).filter((name) => name !== 'constructor'));
  knows('errors', [...source.matchAll(/\bcode: '(\w+)'/g), ...source.matchAll(/#complain\('[^']*', '(\w+)'/g)].map(([, code]) => code));
});
