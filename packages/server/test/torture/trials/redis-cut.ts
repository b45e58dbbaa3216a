import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterNode } from '../cluster.ts';
import { crossNodeDelays } from '../figures.ts';
import { atMost, outcomeOf } from '../load-figures.ts';
import type { Trial } from '../trial.ts';
import { underLoad, type Stage } from '../under-load.ts';
import { isWithin, noteWindow, type Window } from '../windows.ts';

/** Most cuts are short, some last a minute. */
const SHORT_MS = 10_000;
const LONG_MS = 60_000;
const LONG_SHARE = 0.1;
const BETWEEN_MS = 2_000;
/** How old may be what clients of the node that is cut off see. */
const STALE_MS = 11_000;

export const redisCut: Trial = {
  id: 'F7',
  about:
    'one node is cut off from Redis for 1 to 60 s under load: connections end, or nothing passes any more, or the node is started so',
  mustHold: 'nothing lost, doubled, out of order; the same for all; what clients of that node see is at most 11 s old',
  cycles: 40,
  disrupt: (stage) => cutAgainAndAgain(stage, []),
  async run(options) {
    const cuts: Window[] = [];
    const run = await underLoad(options, (stage) => cutAgainAndAgain(stage, cuts), { redis: 'by way of links' });
    const delays = crossNodeDelays(run.history, (at, from, to) => isWithin(cuts, at, [from, to]));
    return outcomeOf(run, [atMost('cross-node delay to or from a node cut off from Redis, ms', delays, STALE_MS)]);
  },
};

async function cutAgainAndAgain(stage: Stage, cuts: Window[]): Promise<void> {
  const { cluster, cycles, random, allBack, say } = stage;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const node = cluster.nodes[Math.floor(random() * cluster.nodes.length)]!;
    const way = WAYS[Math.floor(random() * WAYS.length)]!;
    const cutMs = 1_000 + random() * (random() < LONG_SHARE ? LONG_MS : SHORT_MS);
    await noteWindow(cuts, node.name, async () => {
      await way.cut(node, stage);
      await delay(cutMs);
    });
    way.mend(linkOf(node));
    await allBack();
    await delay(random() * BETWEEN_MS);
    say(`${cycle} of ${cycles}: ${node.name} for ${Math.round(cutMs)} ms: ${way.about}`);
  }
}

type Link = NonNullable<ClusterNode['link']>;

function linkOf({ link, name }: ClusterNode): Link {
  if (!link) throw new Error(`${name} is linked to Redis directly`);
  return link;
}

interface Way {
  readonly about: string;
  cut(node: ClusterNode, stage: Stage): Promise<void> | void;
  mend(link: Link): void;
}

function refuse(link: Link): void {
  link.refuses = true;
  link.cut();
}

const accept = (link: Link) => {
  link.refuses = false;
};

const WAYS: readonly Way[] = [
  { about: 'connections ended', cut: (node) => refuse(linkOf(node)), mend: accept },
  {
    about: 'nothing passed',
    cut(node) {
      linkOf(node).isBlackhole = true;
    },
    mend(link) {
      link.isBlackhole = false;
    },
  },
  {
    about: 'it had never reached Redis',
    async cut(node, { broke }) {
      refuse(linkOf(node));
      broke(node);
      await node.kill();
      await node.start();
    },
    mend: accept,
  },
];
