// The goal: what docker/metrics/ asks Prometheus for is what /metrics has, and Prometheus, Grafana and compose can read it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml'; // comes with the validator of OpenAPI
import { Stage } from './stage.mjs';

const path = (name) => fileURLToPath(new URL(`../../docker/${name}`, import.meta.url));
const read = (name) => readFileSync(path(name), 'utf8');
const alerts = parse(read('metrics/alerts.yml')).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('metrics/dashboard.json'));
const compose = parse(read('compose.yaml'), { merge: true });
const charts = dashboard.panels.filter((panel) => panel.type !== 'row');
/** Everything that is asked: where, the question, and the labels that its answer is told with. */
const asked = [
  ...alerts.map((rule) => [rule.alert, rule.expr, [...JSON.stringify(rule.annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label)]),
  ...charts.flatMap((panel) => panel.targets.map((target) => [panel.title, target.expr, [...target.legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label)])),
];
const FROM_PROMETHEUS = ['instance', 'job'];

/** name -> label -> values, of all that a node tells. */
async function told(t) {
  const stage = await Stage.open(t);
  const samples = new Map();
  for (const line of (await stage.http('/metrics')).text.split('\n').filter((text) => text && !text.startsWith('#'))) {
    const [, name, labels = ''] = /^([a-z_]+)(?:\{(.*)\})? /.exec(line);
    if (!samples.has(name)) samples.set(name, new Map());
    for (const [, label, value] of labels.matchAll(/(\w+)="([^"]*)"/g)) samples.get(name).set(label, [...samples.get(name).get(label) ?? [], value]);
  }
  return samples;
}

test('every metric, label and value that is asked for is one that /metrics has', async (t) => {
  const samples = await told(t);
  for (const [where, expr, shown] of asked) {
    const labels = new Set(FROM_PROMETHEUS);
    for (const [, name, matchers = ''] of expr.matchAll(/\b(newswire_\w+)(?:\{([^}]*)\})?/g)) {
      const known = samples.get(name);
      assert.ok(known, `${where}: ${name}`);
      for (const label of known.keys()) labels.add(label);
      for (const [, label, operator, value] of matchers.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)) {
        if (FROM_PROMETHEUS.includes(label)) continue;
        for (const one of operator.includes('~') ? value.split('|') : [value]) assert.ok(known.get(label)?.includes(one), `${where}: ${name}{${label}="${one}"}`);
      }
    }
    const grouped = [...expr.matchAll(/\b(?:by|without|on|ignoring|group_left|group_right) ?\(([^)]*)\)/g)].flatMap(([, list]) => list.split(/, */));
    for (const label of [...grouped, ...shown]) assert.ok(labels.has(label), `${where}: ${label}`);
    if (/\b(sum|min|max|avg|count)\b/.test(expr)) for (const label of shown) assert.ok(grouped.includes(label), `${where}: ${label} is summed away`);
    assert.equal(expr.split('(').length, expr.split(')').length, where);
  }
});

test('an alarm has a name of its own, says what to do, and stands in the manual', () => {
  const manual = readFileSync(path('../docs/operations.md'), 'utf8');
  assert.equal(new Set(alerts.map((rule) => rule.alert)).size, alerts.length);
  for (const rule of alerts) {
    assert.ok(rule.annotations.summary && rule.annotations.description, rule.alert);
    assert.ok(['page', 'ticket'].includes(rule.labels.severity), rule.alert);
    for (const [name] of rule.expr.matchAll(/newswire_[a-z_]+?(?=_bucket|\b)/g)) assert.ok(manual.includes(`\`${name}`), `${rule.alert}: ${name}`);
  }
});

test('panels are told apart, and do not lie on one another', () => {
  const taken = new Set();
  assert.equal(new Set(dashboard.panels.map((panel) => panel.id)).size, dashboard.panels.length);
  for (const { title, gridPos } of dashboard.panels)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        assert.ok(x < 24 && !taken.has(`${x} ${y}`), title);
        taken.add(`${x} ${y}`);
      }
});

test('compose gives Prometheus the nodes, and every file that it and Grafana read', () => {
  const [job] = parse(read('metrics/prometheus.yml')).scrape_configs;
  for (const target of job.static_configs[0].targets) assert.equal(compose.services[target.replace(':8080', '')]?.image, 'newswire', target);
  assert.deepEqual(compose.services.prometheus.profiles, ['metrics']);
  assert.deepEqual(compose.services.grafana.profiles, ['metrics']);
  const mounted = [...compose.services.prometheus.volumes, ...compose.services.grafana.volumes].map((volume) => volume.split(':'));
  for (const [from] of mounted.filter(([file]) => file.startsWith('./'))) assert.ok(existsSync(path(from)), from);
  const [{ url }] = parse(read('metrics/grafana-datasource.yml')).datasources;
  assert.ok(compose.services[new URL(url).hostname]);
  const shown = parse(read('metrics/grafana-dashboards.yml')).providers[0].options.path;
  assert.ok(mounted.some(([from, to]) => from.endsWith('dashboard.json') && to.startsWith(shown)));
});

const noPromtool = spawnSync('promtool', ['--version']).error ? 'there is no promtool here (Debian: prometheus)' : false;

test('promtool finds no fault with them', { skip: noPromtool }, () => {
  execFileSync('promtool', ['check', 'config', path('metrics/prometheus.yml')], { stdio: 'pipe' });
});
