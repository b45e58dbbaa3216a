import type { CrashRun } from './crash-run.ts';
import { entriesOf, markOf } from './history.ts';

/** What a run did and found, for people. */
export function summaryOf({ history, drained, faults, crashes, gaps, takeovers }: CrashRun, seed: number): string {
  const stored = new Set([...drained.messages.values()].flat().map(({ content }) => markOf(content)));
  const unknown = new Set(entriesOf(history, 'unknown').map(({ client_msg_id }) => client_msg_id));
  const acked = new Set(entriesOf(history, 'ok').map(({ client_msg_id }) => client_msg_id));
  const again = drained.tasks.filter(({ attempt }) => attempt > 1);
  const rows: [string, string | number][] = [
    ['seed', seed],
    ['cycles', crashes.length],
    ['messages acknowledged', acked.size],
    ['retries', entriesOf(history, 'retry').length],
    ['unknown', `${unknown.size}, of which stored ${[...unknown].filter((id) => stored.has(id)).length}`],
    ['events seen by clients', entriesOf(history, 'event').length],
    ['tasks interrupted', again.length],
    ['further calls of the assistant', again.reduce((sum, { attempt }) => sum + attempt - 1, 0)],
    ['tasks given up after three attempts', again.filter(({ status }) => status === 'failed').length],
    ['restart, ms', spread(crashes.map(({ killedAt, readyAt }) => readyAt - killedAt))],
    ['client gap, ms', spread(gaps)],
    ['takeover as clients see it, ms', spread(takeovers)],
    ['faults', faults.length],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(38)}${value}`).join('\n');
}

/** The middle, the 99th percentile and the greatest of some times. */
export function spread(times: readonly number[]): string {
  if (times.length === 0) return 'none';
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${Math.round(sorted.at(-1)!)}`;
}
