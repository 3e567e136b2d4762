// What is installed is what people build against: libnewswire shared and static, by pkg-config and by CMake, against a real
// server; every file where Debian expects it, and nothing of the library's own that gets in a program's way.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Stage, buildDir, item } from './stage.mjs';

const source = join(dirname(fileURLToPath(import.meta.url)), '../library');
const cache = readFileSync(join(buildDir, 'CMakeCache.txt'), 'utf8');
const cached = (name) => cache.match(new RegExp(`^${name}:\\w+=(.*)$`, 'm'))?.[1] ?? '';
const sanitizers = cached('NEWSWIRE_SANITIZE') ? [`-fsanitize=${cached('NEWSWIRE_SANITIZE')}`] : [];
const run = async (program, args, options = {}) => (await promisify(execFile)(program, args, { ...options, env: { ...process.env, ...options.env } })).stdout;
const words = (text) => text.trim().split(/\s+/).filter(Boolean);

/** The tree, installed below a directory of the test's. */
async function install(t) {
  const root = await mkdtemp(join(tmpdir(), 'nw-install-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const prefix = join(root, 'usr');
  await run('cmake', ['--install', buildDir, '--prefix', prefix]);
  return { root, prefix, lib: join(prefix, cached('CMAKE_INSTALL_LIBDIR')) };
}

test('all is installed where Debian expects it, and names its own place', async (t) => {
  const { prefix, lib } = await install(t);
  const files = (await readdir(prefix, { recursive: true, withFileTypes: true })).filter((f) => !f.isDirectory())
    .map((f) => join(f.parentPath ?? f.path, f.name).slice(prefix.length + 1)).sort();
  const libdir = lib.slice(prefix.length + 1);
  for (const file of ['bin/newswire', 'sbin/newswired', 'include/newswire/client.h', 'include/newswire/protocol.h',
    `${libdir}/libnewswire.so`, `${libdir}/libnewswire.so.0`, `${libdir}/libnewswire.a`, `${libdir}/pkgconfig/newswire.pc`,
    `${libdir}/cmake/newswire/newswire-config.cmake`, `${libdir}/cmake/newswire/newswire-config-version.cmake`,
    'share/man/man1/newswire.1', 'share/man/man1/newswire-top.1', 'share/man/man8/newswired.8', 'share/bash-completion/completions/newswire',
    'share/bash-completion/completions/newswired', 'share/zsh/vendor-completions/_newswire', 'share/zsh/vendor-completions/_newswired',
    'lib/systemd/system/newswired.service', 'etc/default/newswired', 'share/doc/newswire/LICENSE'])
    assert.ok(files.includes(file), `${file} is missing; there are\n${files.join('\n')}`);
  assert.ok(!files.some((file) => /nw_|\.cmake\.in|test/.test(file)), 'nothing of the tree\'s own');
  const unit = await readFile(join(prefix, 'lib/systemd/system/newswired.service'), 'utf8');
  assert.ok(unit.includes(`ExecStart=${prefix}/sbin/newswired\n`) && unit.includes(`EnvironmentFile=-${prefix}/etc/default/newswired\n`), unit);
  assert.doesNotMatch(unit, /@\w+@/);
  assert.equal((await stat(join(prefix, 'sbin/newswired'))).mode & 0o777, 0o755);

  await writeFile(join(prefix, 'etc/default/newswired'), 'NEWSWIRE_PORT=1\n');
  await run('cmake', ['--install', buildDir, '--prefix', prefix]);
  assert.equal(await readFile(join(prefix, 'etc/default/newswired'), 'utf8'), 'NEWSWIRE_PORT=1\n', 'options of the machine stay');
});

test('only newswire_ is to be seen of the library, shared or static', async (t) => {
  const { lib } = await install(t);
  const header = readFileSync(join(source, '../../include/newswire/client.h'), 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
  const declared = [...header.matchAll(/NEWSWIRE_API[^;(]*?\b(newswire_\w+)\(/g)].map(([, name]) => name).sort();
  assert.ok(declared.length > 20);
  for (const args of [['-D', '--defined-only', join(lib, 'libnewswire.so')], ['-g', '--defined-only', join(lib, 'libnewswire.a')]]) {
    const names = (await run('nm', args)).split('\n').map((line) => line.match(/ [A-TV-Z] (\S+)$/)?.[1]).filter(Boolean);
    assert.deepEqual(names.filter((name) => !/^_|asan|odr/.test(name)).sort(), declared);
  }
  assert.match(await run('objdump', ['-p', join(lib, 'libnewswire.so')]), /SONAME +libnewswire\.so\.0\n/);
});

/** Runs a built program against a server: it follows, publishes, and receives. */
async function follows(t, stage, program, env) {
  const story = item({ headline: 'From C' });
  const out = await run(program, [stage.url, stage.key, JSON.stringify(story)], { env });
  assert.equal(out, `version ${cached('CMAKE_PROJECT_VERSION')}\nlive\n${[`receipt 0 ${story.uri}`, `post ${story.uri}`].sort((a, b) => out.indexOf(a) - out.indexOf(b)).join('\n')}\n`);
}

test('a C program follows, publishes and receives: built by pkg-config, shared and static', async (t) => {
  const [{ prefix, lib, root }, stage] = [await install(t), await Stage.open(t)];
  const env = { PKG_CONFIG_PATH: join(lib, 'pkgconfig') };
  assert.equal((await run('pkg-config', ['--modversion', 'newswire'], { env })).trim(), cached('CMAKE_PROJECT_VERSION'));
  const strict = ['-std=gnu11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', ...sanitizers];
  const cc = cached('CMAKE_C_COMPILER');

  const shared = join(root, 'shared');
  await run(cc, [...strict, join(source, 'follow.c'), '-o', shared, ...words(await run('pkg-config', ['--cflags', '--libs', 'newswire'], { env }))]);
  assert.match(await run('objdump', ['-p', shared]), /NEEDED +libnewswire\.so\.0\n/);
  await follows(t, stage, shared, { LD_LIBRARY_PATH: lib });

  const alone = join(root, 'static');
  const libs = words(await run('pkg-config', ['--static', '--cflags', '--libs', 'newswire'], { env })).map((word) => (word === '-lnewswire' ? '-l:libnewswire.a' : word));
  await run(cc, [...strict, join(source, 'follow.c'), '-o', alone, ...libs]);
  assert.doesNotMatch(await run('objdump', ['-p', alone]), /NEEDED +libnewswire/);
  await follows(t, stage, alone);
  assert.ok(prefix);
});

test('a C program is built by CMake with find_package, shared and static', async (t) => {
  const [{ prefix, lib, root }, stage] = [await install(t), await Stage.open(t)];
  const build = join(root, 'build');
  await run('cmake', ['-S', source, '-B', build, '-G', 'Ninja', `-DCMAKE_PREFIX_PATH=${prefix}`, `-DCMAKE_C_COMPILER=${cached('CMAKE_C_COMPILER')}`,
    `-DCMAKE_C_FLAGS=${sanitizers.join(' ')}`]);
  await run('cmake', ['--build', build]);
  assert.match(await run('objdump', ['-p', join(build, 'follow')]), /NEEDED +libnewswire\.so\.0\n/);
  await follows(t, stage, join(build, 'follow'), { LD_LIBRARY_PATH: lib });
  await follows(t, stage, join(build, 'follow-static'));
});

test('with the prefix /usr the libraries go where Debian keeps those of this architecture', async (t) => {
  const { root } = await install(t);
  await run('cmake', ['-S', join(source, '../..'), '-B', join(root, 'build'), '-G', 'Ninja', '-DCMAKE_INSTALL_PREFIX=/usr', '-DBUILD_TESTING=OFF']);
  const triplet = (await run('cc', ['-print-multiarch'])).trim();
  const plan = await readFile(join(root, 'build/clients/cmake_install.cmake'), 'utf8');
  assert.ok(plan.includes(`/lib/${triplet}/libnewswire.so`), `lib/${triplet}`);
});
