import { setTimeout as delay } from 'node:timers/promises';
import { entriesOf } from '../../crash/history.ts';
import { until } from '../../crash/until.ts';
import { none, outcomeOf } from '../load-figures.ts';
import type { Trial } from '../trial.ts';
import { underLoad, type Stage } from '../under-load.ts';

/** The load balancer asks each second whether a node is ready; before the next one stops, it knows. */
const NOTICED_MS = 2_500;
const READY_MS = 30_000;

export const rollingRestart: Trial = {
  id: 'F12',
  about: 'SIGTERM to one node after the other under load, each started again, as an upgrade does',
  mustHold: 'nothing lost, doubled, out of order; no send that fails; every node ends by itself with 0',
  cycles: 10,
  async run(options) {
    const exitCodes: (number | null)[] = [];
    const run = await underLoad(options, (stage) => restartAll(stage, exitCodes));
    const failed = [...entriesOf(run.history, 'fail'), ...entriesOf(run.history, 'refused')];
    return outcomeOf(run, [
      none('sends that failed', failed.length),
      none('restarts that did not end with 0', exitCodes.filter((code) => code !== 0).length),
    ]);
  },
};

async function restartAll(
  { cluster, cycles, broke, allBack, say }: Stage,
  exitCodes: (number | null)[],
): Promise<void> {
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const started = performance.now();
    for (const node of cluster.nodes) {
      broke(node);
      exitCodes.push(await node.stop());
      await node.start();
      await until(async () => (await fetch(`${node.url}/readyz`)).ok, READY_MS, `${node.name} ready`);
      await delay(NOTICED_MS);
      await allBack();
    }
    say(`${cycle} of ${cycles}: all nodes restarted within ${Math.round((performance.now() - started) / 1_000)} s`);
  }
}
