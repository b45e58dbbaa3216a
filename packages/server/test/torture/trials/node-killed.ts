import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../crash/until.ts';
import type { ClusterNode } from '../cluster.ts';
import { outcomeOf } from '../load-figures.ts';
import type { Trial } from '../trial.ts';
import { underLoad, type Stage } from '../under-load.ts';

/** A killed node comes back after at most this time. */
const AWAY_MS = 2_000;
/** Between everybody's return and the next kill, at most. */
const BETWEEN_MS = 600;
const START_MS = 30_000;

export const nodeKilled: Trial = {
  id: 'F1',
  about: 'kill -9 of a random node under load; it is started again 0 to 2 s later',
  mustHold: 'nothing lost, doubled, out of order; no hole; the same for all; client gap p99 at most 5 s',
  cycles: 200,
  disrupt: killAgainAndAgain,
  run: async (options) => outcomeOf(await underLoad(options, killAgainAndAgain)),
};

/** The next kill waits for the clients, not for the node: as long as another one is up. */
export async function killAgainAndAgain({ cluster, cycles, random, broke, allBack, say }: Stage): Promise<void> {
  const { nodes } = cluster;
  const returns: Promise<void>[] = [];
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    await delay(random() * BETWEEN_MS);
    const [chosen, awayMs] = [random(), random() * AWAY_MS];
    const up = () => nodes.filter(({ isUp }) => isUp);
    await until(() => up().length >= Math.min(2, nodes.length), START_MS, 'two nodes up');
    const node = up()[Math.floor(chosen * up().length)]!;
    broke(node);
    await node.kill();
    const returning = comeBack(node, awayMs);
    returning.catch(() => {}); // told at the end, where it is waited for
    returns.push(returning);
    await allBack();
    say(`${cycle} of ${cycles}: ${node.name}, away for ${Math.round(awayMs)} ms`);
  }
  await Promise.all(returns);
}

async function comeBack(node: ClusterNode, awayMs: number): Promise<void> {
  await delay(awayMs);
  await node.start();
}
