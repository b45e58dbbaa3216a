import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Outcome, Trial } from './trial.ts';

/** How many violations are told in full. */
const TOLD = 20;
const PAGE = new URL('../../../../docs/reliability.md', import.meta.url);
/** The table of results stands below this line of the page. */
const HEAD = '| fault | on | cycles, seed | found | figures | when |\n| --- | --- | --- | --- | --- | --- |\n';

/** What a trial found, for people. */
export function table({ figures, violations }: Outcome): string {
  const rows = figures.map(({ name, value, target }) => {
    const judged = target ? `  (${target.text}: ${target.isMet ? 'met' : 'MISSED'})` : '';
    return `  ${name.padEnd(54)}${value}${judged}\n`;
  });
  const told = violations.slice(0, TOLD).map(({ kind, detail }) => `  ${kind}: ${detail}\n`);
  const rest = violations.length > TOLD ? `  and ${violations.length - TOLD} more\n` : '';
  return [...rows, ...told, rest].join('');
}

/** What was run. */
export interface ReportedRun {
  readonly trial: Trial;
  /** The database, or what stood in Tertulia's place. */
  readonly on: string;
  readonly cycles: number;
  readonly seed: number;
  readonly nodes: number;
  readonly rate: number;
}

/** Puts a run into the page's table of results, in place of the last one of the same fault on the same. */
export function report(run: ReportedRun, outcome: Outcome): void {
  const page = readFileSync(PAGE, 'utf8');
  const start = page.indexOf(HEAD) + HEAD.length;
  if (start < HEAD.length) throw new Error('docs/reliability.md has no table of results');
  const end = page.indexOf('\n\n', start - 1) + 1;
  const key = `| ${run.trial.id} | ${run.on} |`;
  const rows = page
    .slice(start, end)
    .split('\n')
    .filter((row) => row !== '' && !row.startsWith(key));
  const sorted = [...rows, rowOf(key, run, outcome)].toSorted((one, other) =>
    one.localeCompare(other, 'en', { numeric: true }),
  );
  writeFileSync(PAGE, page.slice(0, start) + sorted.map((row) => `${row}\n`).join('') + page.slice(end));
}

function rowOf(key: string, { cycles, seed, nodes, rate }: ReportedRun, { figures, violations }: Outcome): string {
  const zeros = figures.filter(({ target }) => target?.text === '0');
  const wrong = zeros.filter(({ target }) => !target?.isMet).map(({ name, value }) => `${value} ${name}`);
  const found = wrong.length > 0 ? `**${wrong.join('; ')}**` : `0 of ${zeros.length} kinds of faults`;
  const judged = figures.filter(({ target }) => target && target.text !== '0');
  const told = judged.map(({ name, value, target }) => {
    return `${name}: ${value} (${target!.text}: ${target!.isMet ? 'met' : '**missed**'})`;
  });
  const others = figures.filter(({ name, target }) => !target && NOTED.some((noted) => name.startsWith(noted)));
  const more = others.map(({ name, value }) => `${name}: ${value}`);
  const load = `${cycles}, ${seed}; ${nodes} nodes, ${rate}/s`;
  const notShown = violations.length > 0 && wrong.length === 0 ? `**${violations.length} violations**` : '';
  return `${key} ${load} | ${notShown || found} | ${[...told, ...more].join('<br>')} | ${stamp()} |`;
}

/** Of what has no target, what the page tells. */
const NOTED = [
  'messages acknowledged',
  'retries',
  'tasks interrupted',
  'cross-node delay',
  'takeover',
  'reconnects',
  'catching up',
];

function stamp(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  return `${new Date().toISOString().slice(0, 10)}, ${commit}, Node ${process.versions.node}, ${cpus().length} cores`;
}
