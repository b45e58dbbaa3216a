// Runs Vitest and ends with what no reporter says: which parts did not run and how to get them, and as the last
// line `N passed, N failed`, made from the runner's JSON report. With REQUIRE_ALL=1 a part left out is a failure.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOW_TO_GET, type Requirement } from '../packages/server/test/support/requirements.ts';

interface Report {
  numPassedTests: number;
  testResults: {
    name: string;
    status: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
}

const { report, status } = runVitest(process.argv.slice(2));
const tests = report.testResults.flatMap((file) => file.assertionResults);
const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
for (const line of leftOut(skipped.map((test) => test.fullName))) console.log(line);

const requireAll = process.env['REQUIRE_ALL'] === '1';
const failed = countFailed() + (requireAll ? skipped.length : 0);
console.log(`${report.numPassedTests} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function runVitest(options: string[]): { report: Report; status: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'tertulia-tests-'));
  const file = join(folder, 'report.json');
  try {
    const vitest = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...options];
    const run = spawnSync('vitest', vitest, { stdio: ['ignore', 'inherit', 'inherit'] });
    return { report: readReport(file), status: run.status };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    // Vitest ended before its report, and has said why: that is one failure.
    return { numPassedTests: 0, testResults: [] };
  }
}

/** A file that could not be loaded has no tests to fail, and an unhandled error belongs to none: each counts as one. */
function countFailed(): number {
  const failedTests = tests.filter((test) => test.status === 'failed').length;
  const failedFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return Math.max(failedTests + failedFiles, status === 0 ? 0 : 1);
}

function leftOut(names: string[]): string[] {
  const lines: string[] = [];
  for (const [requirement, how] of Object.entries(HOW_TO_GET) as [Requirement, string][]) {
    const count = names.filter((name) => name.includes(`[needs ${requirement}]`)).length;
    if (count > 0) lines.push(`Not run: ${count} tests that need ${requirement}. ${how}`);
  }
  const others = names.filter((name) => !name.includes('[needs '));
  if (others.length > 0) lines.push(`Not run: ${others.length} tests that are skipped by themselves.`);
  return lines;
}
