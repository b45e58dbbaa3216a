import { setTimeout as delay } from 'node:timers/promises';
import { entriesOf } from '../../crash/history.ts';
import type { Moment } from '../figures.ts';
import { atMost, outcomeOf } from '../load-figures.ts';
import type { Trial } from '../trial.ts';
import { underLoad, type LoadedRun, type Stage } from '../under-load.ts';

const PAUSE_MS = 60_000;
/** Sockets ping each 10 s and wait 5 s for the answer. */
const NOTICE_MS = 16_000;
/** After a client has noticed, it comes back as after any other fault. */
const GAP_MS = NOTICE_MS + 5_000;

export const nodePaused: Trial = {
  id: 'F5',
  about: 'SIGSTOP of a node with clients for 60 s under load; then it goes on as if nothing had been',
  mustHold:
    'its clients notice within 16 s and go elsewhere; nothing lost, doubled, out of order, also when it wakes up',
  cycles: 5,
  disrupt: pauseAgainAndAgain,
  async run(options) {
    const run = await underLoad(options, pauseAgainAndAgain);
    return outcomeOf(run, [atMost('until clients noticed, ms', noticeTimes(run), NOTICE_MS)], GAP_MS);
  },
};

async function pauseAgainAndAgain({ cluster, cycles, random, broke, allBack, say }: Stage): Promise<void> {
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const node = cluster.nodes[Math.floor(random() * cluster.nodes.length)]!;
    broke(node);
    node.pause();
    await delay(PAUSE_MS);
    node.resume();
    await allBack();
    say(`${cycle} of ${cycles}: ${node.name}`);
  }
}

/** From the pause of a client's node until the client disconnected. */
function noticeTimes({ history, moments }: LoadedRun): number[] {
  const nodes = new Map<string, string | null>();
  for (const { client, connection, node } of entriesOf(history, 'connected'))
    nodes.set(`${client} ${connection}`, node);
  return entriesOf(history, 'disconnected').flatMap(({ at, client, connection }) => {
    const node = nodes.get(`${client} ${connection}`) ?? null;
    const pause: Moment | undefined = moments.findLast((moment) => moment.at <= at && moment.node === node);
    return pause && at - pause.at < PAUSE_MS ? [at - pause.at] : [];
  });
}
