import type { FaultKind } from '../crash/history.ts';
import { countsOf, percentile, seriousFaults, spread } from '../crash/summary.ts';
import { crossNodeDelays, gapsOf, sendTimes, takeoversOf } from './figures.ts';
import type { Figure, Outcome } from './trial.ts';
import type { LoadedRun } from './under-load.ts';

/** What the issue of torture promises, and what else the checker finds. */
const NONE_OF: [string, readonly FaultKind[]][] = [
  ['lost', ['lost', 'unresolved']],
  ['doubled', ['dup']],
  ['out of order', ['reorder', 'misplaced']],
  ['holes', ['hole']],
  ['diverging views', ['diverge', 'phantom']],
  ['tasks without exactly one end', ['task']],
  ['streamed text that is not the stored text', ['stream']],
  ['events by or to people who were no members', ['access']],
  ['base-layer answers missing or twice', ['exchange']],
];

/** How long a client may be without acknowledgements. */
const GAP_MS = 5_000;

/** The figures of a run under load; `further` are those of its fault. */
export function outcomeOf(run: LoadedRun, further: readonly Figure[] = [], gapMs = GAP_MS): Outcome {
  const { history, moments, exitCodes } = run;
  const violations = seriousFaults(run.violations);
  const gaps = gapsOf(history, moments);
  return {
    violations,
    figures: [
      ...NONE_OF.map(([name, kinds]) => none(name, violations.filter(({ kind }) => kinds.includes(kind)).length)),
      none('nodes that did not stop as asked', exitCodes.filter((code) => code !== 0).length),
      atMost('client gap, ms', gaps, gapMs),
      { name: 'message sent until acknowledged, ms', value: spread(sendTimes(history)) },
      { name: 'cross-node delay, ms', value: spread(crossNodeDelays(history)) },
      { name: 'takeover as clients see it, ms', value: spread(takeoversOf(history)) },
      ...further,
      ...countsOf(run).map(([name, value]) => ({ name, value })),
    ],
  };
}

/** A figure that must be 0. */
export function none(name: string, count: number): Figure {
  return { name, value: count, target: { text: '0', isMet: count === 0 } };
}

/** Times whose 99th percentile must not be above a limit. */
export function atMost(name: string, times: readonly number[], milliseconds: number): Figure {
  const isMet = percentile(times, 0.99) <= milliseconds;
  return { name, value: spread(times), target: { text: `p99 at most ${milliseconds}`, isMet } };
}
