// What reading an item costs, in instructions: item_read() and item_free() against jansson's own
// decode and free of the same bytes. valgrind counts them, so the machine may be busy meanwhile.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MOST = 1.3;
const FEW = 20;
const MANY = 120;

async function instructions(program, args) {
  const { stderr } = await promisify(execFile)('valgrind', ['--tool=callgrind', '--callgrind-out-file=/dev/null', program, ...args])
    .catch((error) => { throw error.code === 'ENOENT' ? new Error('valgrind is not there: install it') : error; });
  return Number(/Collected : (\d+)/.exec(stderr)[1]);
}

// Of one reading: what a hundred more cost, so that starting the program is no part of it.
async function cost(program, how, file) {
  const few = await instructions(program, [how, file, String(FEW)]);
  const many = await instructions(program, [how, file, String(MANY)]);
  return (many - few) / (MANY - FEW);
}

async function measure(program, file) {
  const item = await cost(program, 'item', file);
  const json = await cost(program, 'json', file);
  return { item, json, ratio: item / json };
}

// A row a sample: as it is, in lines and columns, and without the white space.
async function measureAll({ build, samples, scratch }) {
  const program = join(build, 'nw-parse');
  const place = mkdtempSync(join(scratch, 'newswire-parse-'));
  const rows = [];
  try {
    for (const name of readdirSync(samples).filter((file) => file.endsWith('.json')).sort()) {
      const file = join(samples, name);
      const compact = join(place, name);
      writeFileSync(compact, JSON.stringify(JSON.parse(readFileSync(file, 'utf8'))));
      rows.push({ name, asItIs: await measure(program, file), compact: await measure(program, compact) });
    }
  } finally {
    rmSync(place, { recursive: true });
  }
  return rows;
}

const count = (n) => Math.round(n).toLocaleString('en-US');
const verdict = ({ asItIs }) => (asItIs.ratio <= MOST ? 'PASS' : 'MISS');
const HEAD = ['sample', 'item', 'jansson', 'ratio', 'bar', '', 'without white space'];
const cells = (row) => [row.name, count(row.asItIs.item), count(row.asItIs.json), `${row.asItIs.ratio.toFixed(3)} ×`,
  `≤ ${MOST} ×`, verdict(row), `${row.compact.ratio.toFixed(3)} ×`];

function table(rows) {
  return [
    `| ${HEAD.join(' | ')} |`,
    `|${HEAD.map((_, i) => (i === 0 ? '---' : '--:')).join('|')}|`,
    ...rows.map((row) => `| ${cells(row).join(' | ')} |`),
  ].join('\n');
}

// Returns how many samples missed the bar.
export async function parse(settings) {
  const rows = await measureAll(settings);
  const lines = table(rows);
  const where = join(settings.build, 'bench');
  console.log(lines);
  mkdirSync(where, { recursive: true });
  writeFileSync(join(where, 'parse.json'), JSON.stringify(rows, null, 1));
  if (settings.writeDocs) settings.writeDocs('parse', lines);
  return rows.filter((row) => verdict(row) === 'MISS').length;
}
