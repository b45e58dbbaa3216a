import { fileURLToPath } from 'node:url';
import { FAIL_AT, FAILPOINTS } from '../../crash/failpoint.ts';
import { none, outcomeOf } from '../load-figures.ts';
import type { Trial } from '../trial.ts';
import { underLoad, type Stage } from '../under-load.ts';

const PRELOAD = fileURLToPath(new URL('../../crash/die-at-failpoint.ts', import.meta.url));
/** A node dies at the latest when it comes by for this time. */
const MOST_PASSES = 40;
/** One that has no clients may never come by. */
const REACHED_MS = 20_000;

export const sendPath: Trial = {
  id: 'F2',
  about: `a node dies at a certain moment of a message's way, or of its answer's: ${FAILPOINTS.length} moments in turn (SQLite only)`,
  mustHold: 'every message of unknown fate is stored once or not at all; nothing lost, doubled, out of order',
  cycles: FAILPOINTS.length * 25,
  async run(options) {
    let reached = 0;
    const run = await underLoad(options, async (stage) => {
      reached = await dieAtEachMoment(stage);
    });
    const missed = Math.floor(options.cycles / 2) - reached;
    return outcomeOf(run, [
      { name: 'deaths at the moment that was chosen', value: reached },
      none('of half the cycles, deaths that never came', Math.max(0, missed)),
    ]);
  },
};

/** Answers how many died by themselves. */
async function dieAtEachMoment({ cluster, cycles, random, broke, allBack, say }: Stage): Promise<number> {
  let reached = 0;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const point = FAILPOINTS[cycle % FAILPOINTS.length]!;
    const node = cluster.nodes[Math.floor(random() * cluster.nodes.length)]!;
    const nth = 1 + Math.floor(random() * MOST_PASSES);
    broke(node);
    await node.kill();
    await node.start({ preload: [PRELOAD], environment: { [FAIL_AT]: `${point}/${nth}` } });
    const late = setTimeout(() => void node.kill(), REACHED_MS);
    const started = performance.now();
    await node.gone;
    clearTimeout(late);
    broke(node);
    if (performance.now() - started < REACHED_MS) reached += 1;
    await node.start();
    await allBack();
    say(`${cycle} of ${cycles}: ${node.name} ${point}, the ${nth}th time`);
  }
  return reached;
}
