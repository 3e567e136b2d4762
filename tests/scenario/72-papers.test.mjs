// Man pages and completion are what the programs take: every option, command and value, in pages without a fault, and in real
// shells.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Stage, buildDir, program, until } from './stage.mjs';
import { Terminal } from './cli.mjs';

const papers = join(buildDir, 'docker/packaging/papers');
const run = promisify(execFile);
const help = (...args) => execFileSync(program(args[0]), args.slice(1), { encoding: 'utf8' });
const commands = [...help('newswire', '--help').split('Exit status')[0].matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name).filter((name) => name !== 'help');
const optionsIn = (text) => [...new Set([...text.matchAll(/^ +(?:-[A-Za-z0-9], )?--([a-z-]+)/gm)].map(([, name]) => name))].sort();
const pages = [['newswire.1', help('newswire', '--help')], ['newswired.8', help('newswired', '--help')],
  ...commands.map((name) => [`newswire-${name}.1`, help('newswire', 'help', name)])];
const source = (page) => readFileSync(join(papers, `man${page.at(-1)}`, page), 'utf8');

test('there is a page for each program and command, and no other', () => {
  assert.ok(commands.length >= 13);
  assert.deepEqual([...readdirSync(join(papers, 'man1')), ...readdirSync(join(papers, 'man8'))].sort(), pages.map(([page]) => page).sort());
});

test('every option of --help is in the page, and every option of the page in --help', () => {
  for (const [page, text] of pages) {
    const heads = [...source(page).matchAll(/^\.TP\n(\\fB\\-.*)$/gm)].map(([, head]) => head.replaceAll(/\\f[BRI]/g, '').replaceAll('\\-', '-'));
    const names = heads.map((head) => head.match(/--([a-z-]+)/)[1]).sort();
    assert.deepEqual(names, optionsIn(text.replace(/ {2}newswire --version.*/, '')), page);
    for (const [, letter, name] of text.matchAll(/^ +-([A-Za-z0-9]), --([a-z-]+)/gm)) assert.ok(heads.some((head) => head.startsWith(`-${letter}, --${name}`)), `${page}: -${letter}`);
  }
});

test('man and mandoc find nothing wrong with any page', async () => {
  for (const [page] of pages) {
    const file = join(papers, `man${page.at(-1)}`, page);
    await run('mandoc', ['-Tlint', '-W', 'warning', file]).catch((error) => assert.fail(`${page}: ${error.stdout}`));
    const { stdout } = await run('mandoc', ['-Tutf8', '-O', 'width=100', file]);
    const text = stdout.replaceAll(/.\u0008/g, '');
    for (const section of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'SEE ALSO']) assert.match(text, new RegExp(`^${section}$`, 'm'), page);
    assert.doesNotMatch(text, /\\f[BIR]|^\||`|\]\(/m, `${page}: no markup is left`);
  }
  assert.match(source('newswire-kill.1'), /^\.SH EXAMPLES$/m);
  assert.match(source('newswired.8'), /^\.SH SIGNALS$/m);
});

/* --- bash ---------------------------------------------------------------------------------------- */

/** What bash offers for a line, the cursor at its end. */
async function offers(line, { dir = '/nonexistent', cwd = papers } = {}) {
  const script = `PATH=${buildDir}:$PATH; . ${papers}/bash/newswire; . ${papers}/bash/newswired
    COMP_LINE=$1 COMP_POINT=\${#1}; read -ra COMP_WORDS <<<"$1"; [[ $1 != *' ' ]] || COMP_WORDS+=('')
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _\${COMP_WORDS[0]}; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run('bash', ['--norc', '-c', script, 'bash', line], { cwd, env: { ...process.env, NEWSWIRE_STATE_DIR: dir } });
  return stdout.split('\n').filter(Boolean);
}

test('bash completes commands, options and values', async (t) => {
  assert.deepEqual(await offers('newswire ki'), ['kill']);
  assert.deepEqual((await offers('newswire ')).filter((word) => !word.startsWith('-')).sort(), [...commands, 'help'].sort());
  for (const command of commands)
    assert.deepEqual((await offers(`newswire ${command} --`)).sort(), optionsIn(help('newswire', 'help', command)).map((name) => `--${name}`), command);
  assert.deepEqual((await offers('newswired --')).sort(), optionsIn(help('newswired', '--help')).map((name) => `--${name}`));
  assert.deepEqual(await offers('newswire tail --class fl'), ['flash']);
  assert.deepEqual(await offers('newswire tail --class=fl'), ['flash']);
  assert.deepEqual(await offers('newswire tail --class flash,bu'), ['flash,bulletin']);
  assert.deepEqual(await offers('newswire keys re'), ['revoke']);
  assert.deepEqual(await offers('newswire keys add --may publish,k'), ['publish,kill']);
  assert.deepEqual(await offers('newswire help pu'), ['publish', 'purge']);
  assert.deepEqual((await offers('newswire publish m')).sort(), ['man1', 'man8']);
  assert.deepEqual(await offers('newswire publish --state-dir b'), ['bash']);
  assert.deepEqual(await offers('newswired --compression o'), ['on', 'off']);
  assert.deepEqual(await offers('newswire kill --reason '), []);
  assert.deepEqual(await offers('newswire nonsense --'), []);

  const stage = await Stage.open(t);
  await stage.reader({ channels: ['world', 'sport'] });
  await until(async () => (await stage.http('/v1/channels')).body.channels?.length === 2, 'both to be counted');
  assert.deepEqual(await offers('newswire tail -c wo', { dir: stage.dir }), ['world']);
  assert.deepEqual(await offers('newswire tail -c wo'), [], 'without a server it offers none');
});

/* --- zsh ----------------------------------------------------------------------------------------- */

test('zsh completes commands, options and values', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'nw-zsh-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  await writeFile(join(home, '.zshrc'), `PS1='ready> '; PATH=${buildDir}:$PATH; fpath=(${papers}/zsh $fpath); autoload -Uz compinit; compinit -D -u
    unsetopt beep; zstyle ':completion:*' list-prompt ''; zstyle ':completion:*' menu no\n`);
  /** A shell of its own for each: what is typed while another completion ends may be lost. */
  const completes = async (typed, pattern) => {
    const shell = new Terminal(t, ['-i'], { command: ['zsh'], rows: 100, cols: 200, env: { ZDOTDIR: home, HOME: home } });
    await shell.prints(/ready> [^]*\u001b\[\?2004h/); // it reads keys now
    const shown = () => shell.out.replaceAll(/\u001b\[[\d;?]*[A-Za-z]|\u001b[=>]|[\r\u0007]/g, '');
    shell.type(`${typed}\t`);
    await until(() => pattern.test(shown()), `${pattern} after ${typed}; it shows ${JSON.stringify(shown())}`);
    assert.doesNotMatch(shown(), /not found|error/);
    shell.child.stdin.end(); // hangs up
    await shell.ended;
  };
  await completes('newswire ki', /newswire kill /);
  await completes('newswire kill --rea', /kill --reason/);
  await completes('newswire tail --class fla', /--class flash/);
  await completes('newswire keys rev', /keys revoke/);
  await completes('newswire publish --pat', /publish --patience/);
  await completes('newswire show --u', /show --url/);
  await completes('newswired --compr', /newswired --compression/);
  await completes('newswired --compression of', /--compression[= ]off/);
  await completes('newswire kill --', /what readers are shown in its place/);
});
