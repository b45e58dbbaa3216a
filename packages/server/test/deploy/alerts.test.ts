import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { anchorsOf, readPage } from '../docs/pages.ts';
import { run } from '../examples/run-program.ts';
import { describeWith } from '../support/describe-with.ts';
import { findPromtool } from '../support/requirements.ts';
import { metricNames } from '../support/metric-names.ts';
import { readDeployFile, readYaml } from './deploy-files.ts';

interface Rules {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const RULES = 'prometheus/alerts.yaml';
const alerts = readYaml<Rules>(RULES)[0]?.groups.flatMap(({ rules }) => rules) ?? [];

describeWith('promtool', 'The alerts for Prometheus', () => {
  test('the rules are ones that Prometheus takes', async () => {
    const { code, stderr } = await run(findPromtool() ?? '', ['check', 'rules', '--lint-fatal', join('deploy', RULES)]);
    expect(code, stderr).toBe(0);
  });

  test('each goes off for its trouble, and none on a healthy cluster', async () => {
    const cases = fileURLToPath(new URL('./alerts-test.yaml', import.meta.url));
    const { code, stdout, stderr } = await run(findPromtool() ?? '', ['test', 'rules', cases]);
    expect(code, stdout + stderr).toBe(0);
    const tried = await readFile(cases, 'utf8');
    expect(alerts.filter(({ alert }) => !tried.includes(`alertname="${alert}"`))).toEqual([]);
  });
});

test('every metric that an alert asks for is measured', async () => {
  const measured = await metricNames();
  const asked = [...readDeployFile(RULES).matchAll(/\b((?:tertulia|nodejs|process)_\w+)/g)].map(
    ([, name = '']) => name,
  );
  expect(asked.length).toBeGreaterThan(15);
  expect(asked.filter((name) => !measured.has(name.replace(/_(bucket|sum|count)$/, '')))).toEqual([]);
});

test('every alert says how urgent it is, and leads to what to do', async () => {
  const anchors = anchorsOf(await readPage('docs/operations.md'));
  expect(alerts.length).toBeGreaterThan(10);
  for (const { alert, labels, annotations } of alerts) {
    expect(['critical', 'warning'], alert).toContain(labels.severity);
    expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`);
    expect(anchors.has(alert.toLowerCase()), alert).toBe(true);
  }
});
