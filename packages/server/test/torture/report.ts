import type { Outcome } from './trial.ts';

/** How many violations are told in full. */
const TOLD = 20;

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
