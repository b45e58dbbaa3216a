import { setTimeout as delay } from 'node:timers/promises';
import { crossNodeDelays } from '../figures.ts';
import { atMost, outcomeOf } from '../load-figures.ts';
import type { Trial } from '../trial.ts';
import { underLoad, type Stage } from '../under-load.ts';
import { isWithin, noteWindow, type Window } from '../windows.ts';

/** Redis is away for 1 s and up to this much longer. */
const AWAY_MS = 4_000;
/** It is back for 1 s and up to this much longer. */
const BACK_MS = 2_000;
/** How long other nodes' events may take while it is away. */
const DELAY_MS = 2_000;

export const redisKilled: Trial = {
  id: 'F6',
  about: 'kill -9 of Redis under load; it comes back empty after 1 to 5 s',
  mustHold: 'nothing lost, doubled, out of order; the same for all; cross-node delay p99 at most 2 s while it is away',
  cycles: 50,
  disrupt: (stage) => killRedis(stage, []),
  async run(options) {
    const away: Window[] = [];
    const run = await underLoad(options, (stage) => killRedis(stage, away));
    const delays = crossNodeDelays(run.history, (at) => isWithin(away, at));
    return outcomeOf(run, [atMost('cross-node delay while Redis was away, ms', delays, DELAY_MS)]);
  },
};

async function killRedis({ cluster, cycles, random, say }: Stage, away: Window[]): Promise<void> {
  const { redis } = cluster;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const awayMs = 1_000 + random() * AWAY_MS;
    await noteWindow(away, null, async () => {
      await redis.kill();
      await delay(awayMs);
    });
    await redis.start();
    await delay(1_000 + random() * BACK_MS);
    say(`${cycle} of ${cycles}: Redis was away for ${Math.round(awayMs)} ms`);
  }
}
