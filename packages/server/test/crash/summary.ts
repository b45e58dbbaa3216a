import type { CrashRun } from './crash-run.ts';
import { entriesOf, groupBy, markOf, type Entry, type Fault } from './history.ts';

/** What a run of crashes did and found, for people. */
export function summaryOf(run: CrashRun, seed: number): string {
  const { faults, crashes, gaps, takeovers } = run;
  const rows: [string, string | number][] = [
    ['seed', seed],
    ['cycles', crashes.length],
    ...countsOf(run),
    ['restart, ms', spread(crashes.map(({ killedAt, readyAt }) => readyAt - killedAt))],
    ['client gap, ms', spread(gaps)],
    ['takeover as clients see it, ms', spread(takeovers)],
    ['streams with dropped deltas', faults.filter(({ kind }) => kind === 'gap').length],
    ['faults', seriousFaults(faults).length],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(38)}${value}`).join('\n');
}

/** How much happened in a run. */
export function countsOf({ history, drained }: Pick<CrashRun, 'history' | 'drained'>): [string, string | number][] {
  const stored = new Set([...drained.messages.values()].flat().map(({ content }) => markOf(content)));
  const unknown = new Set(entriesOf(history, 'unknown').map(({ client_msg_id }) => client_msg_id));
  const acked = new Set(entriesOf(history, 'ok').map(({ client_msg_id }) => client_msg_id));
  const again = drained.tasks.filter(({ attempt }) => attempt > 1);
  return [
    ['messages acknowledged', acked.size],
    ['retries', entriesOf(history, 'retry').length],
    ['refused for now, and sent again', entriesOf(history, 'refused').length],
    ['refused for good', entriesOf(history, 'fail').length],
    ['unknown', `${unknown.size}, of which stored ${[...unknown].filter((id) => stored.has(id)).length}`],
    ['overtaken by the sender’s next', overtaken(history)],
    ['events seen by clients', entriesOf(history, 'event').length],
    ['tasks interrupted', again.length],
    ['further calls of the assistant', again.reduce((sum, { attempt }) => sum + attempt - 1, 0)],
    ['tasks given up after three attempts', again.filter(({ status }) => status === 'failed').length],
  ];
}

/** Messages of one client to one conversation that stand after its next one: nobody promises otherwise, yet people expect it. */
function overtaken(history: readonly Entry[]): number {
  const seqs = new Map(entriesOf(history, 'ok').map(({ client_msg_id, seq }) => [client_msg_id, seq]));
  const streams = groupBy(
    entriesOf(history, 'invoke'),
    ({ client, conversation_id }) => `${client} ${conversation_id}`,
  );
  return [...streams].flatMap(([, sent]) => {
    const stored = sent.flatMap(({ client_msg_id, conversation_id }) => {
      const seq = seqs.get(client_msg_id);
      return seq === undefined || conversation_id === null ? [] : [seq];
    });
    return stored.slice(1).filter((seq, index) => seq < stored[index]!);
  }).length;
}

/** All but dropped deltas: on a machine that is too busy a socket may be behind, and is sent none (G9). */
export function seriousFaults(faults: readonly Fault[]): Fault[] {
  return faults.filter(({ kind }) => kind !== 'gap');
}

/** The middle, the 99th percentile and the greatest of some times. */
export function spread(times: readonly number[]): string {
  if (times.length === 0) return 'none';
  const at = (share: number) => Math.round(percentile(times, share));
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`;
}

/** The time that this share of all is at most; 0 where there are none. */
export function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
