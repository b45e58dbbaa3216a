/** Samples while nothing else uses the cores: on a shared machine the others' work would be measured as ours. */
import { readFileSync } from 'node:fs';
import { wait } from './servers.ts';

/** The share of a core that others may take in a sample that counts. */
const CALM_SHARE = 0.05;
const TRIES = 5;
/** Each sample waits this long at most for the machine to become calm. */
const PATIENCE_SECONDS = 30;
const CLOCK_TICKS = 100;

/** The calmest of the samples that were taken. */
export interface Calm<T> {
  readonly samples: T[];
  /** How much of a core others took, at most, in one of them. */
  readonly others: number;
}

/** Takes samples until `wanted` of them were calm, or it has tried long enough: then the calmest count. */
export async function takeCalm<T>(wanted: number, pids: readonly number[], sample: () => Promise<T>): Promise<Calm<T>> {
  const taken: { share: number; value: T }[] = [];
  const isEnough = () => taken.filter(({ share }) => share <= CALM_SHARE).length >= wanted;
  while (!isEnough() && taken.length < TRIES) {
    await untilCalm(pids);
    const othersShare = watchOthers(pids);
    const value = await sample();
    taken.push({ share: othersShare(), value });
  }
  const best = taken.toSorted((a, b) => a.share - b.share).slice(0, wanted);
  return { samples: best.map(({ value }) => value), others: best.at(-1)?.share ?? 0 };
}

async function untilCalm(pids: readonly number[]): Promise<void> {
  for (let second = 0; second < PATIENCE_SECONDS; second += 1) {
    const othersShare = watchOthers(pids);
    await wait(1_000);
    if (othersShare() <= CALM_SHARE) return;
  }
}

/** Answers what share of a core others have taken since. */
function watchOthers(pids: readonly number[]): () => number {
  const before = { at: performance.now(), others: busyTicks() - ownTicks(pids) };
  return () => {
    const seconds = (performance.now() - before.at) / 1_000;
    return Math.max(0, busyTicks() - ownTicks(pids) - before.others) / CLOCK_TICKS / seconds;
  };
}

/** Ticks in which any core did anything. */
function busyTicks(): number {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, soft = 0] = first.split(/ +/).slice(1).map(Number);
  return user + nice + system + interrupts + soft;
}

function ownTicks(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return sum + Number(fields[11]) + Number(fields[12]);
  }, 0);
}
