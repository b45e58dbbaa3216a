import { checkRun } from '../crash/check-run.ts';
import { Crowd, type Device } from '../crash/crowd.ts';
import type { Drained, Entry, Fault } from '../crash/history.ts';
import { startLoad, type LoadRates } from '../crash/load.ts';
import { randomFrom } from '../crash/random.ts';
import { drain, type World } from '../crash/world.ts';
import type { Cluster, ClusterNode } from './cluster.ts';
import type { Moment } from './figures.ts';
import type { TrialOptions } from './trial.ts';
import { withCluster, type ClusterChoices } from './with-cluster.ts';

/** Of so many people one has a second device. */
const SECOND_DEVICES = 4;
/** What else is sent, a second: questions whose answers are streamed slowly, and first messages of conversations. */
const SLOW_RATES = { streams: 2, openings: 1 };

/** What a fault finds. */
export interface Stage {
  readonly cluster: Cluster;
  /** Absent where those who talk are no clients of Tertulia. */
  readonly crowd?: Crowd;
  readonly cycles: number;
  /** What clients did and saw so far. */
  readonly history: readonly Entry[];
  readonly random: () => number;
  /** To be called just before something is broken: a node, or (null) what all of them share. */
  readonly broke: (node: ClusterNode | null) => void;
  /** Resolves once every client is connected and has caught up. */
  readonly allBack: () => Promise<void>;
  readonly say: (line: string) => void;
}

/** What a run under load came to. */
export interface LoadedRun {
  readonly history: readonly Entry[];
  readonly drained: Drained;
  readonly violations: readonly Fault[];
  readonly moments: readonly Moment[];
  /** Of the nodes that were asked to stop at the end. */
  readonly exitCodes: readonly (number | null)[];
}

/** What a trial may choose that is otherwise than in workload W. */
type LoadChoices = ClusterChoices & {
  readonly rates?: LoadRates;
  /** Where clients connect, in turn; by default all of them to the balancer. */
  readonly urls?: (cluster: Cluster) => Promise<readonly string[]>;
};

/** Has everybody talk, breaks things meanwhile, lets all come to rest, and compares what clients saw with what is stored. */
export function underLoad(
  options: TrialOptions,
  disrupt: (stage: Stage) => Promise<void>,
  { rates, urls, ...choices }: LoadChoices = {},
): Promise<LoadedRun> {
  return withCluster(options, options.database.plan, choices, async (cluster, world) => {
    const { seed, cycles, rate, say } = options;
    const history: Entry[] = [];
    const moments: Moment[] = [];
    const names = cluster.nodes.map(({ name }) => name);
    const devices = devicesOf(world, (await urls?.(cluster)) ?? [cluster.url]);
    const crowd = new Crowd(world, devices, names, history);
    const lastLines = () => cluster.lastLines;
    const allBack = () => crowd.allBack(lastLines);
    let stopLoad = () => {};
    try {
      await allBack();
      stopLoad = startLoad(crowd.loads, rates ?? { ...SLOW_RATES, chats: rate }, randomFrom(seed));
      const broke = (node: ClusterNode | null) => {
        moments.push({ at: performance.now(), node: node?.name ?? null });
      };
      const random = randomFrom(seed + 1);
      await disrupt({ cluster, crowd, cycles, history, random, broke, allBack, say });
      await allBack();
      stopLoad();
      await crowd.calmDown(lastLines);
    } finally {
      stopLoad();
      crowd.close();
    }
    const exitCodes = await cluster.stop();
    const drained = await readAll(options, world);
    return { history, drained, moments, exitCodes, violations: checkRun(history, drained) };
  });
}

async function readAll({ database }: TrialOptions, { people }: World): Promise<Drained> {
  const store = await database.open();
  const drained = await drain(
    store,
    people.map(({ id }) => id),
  );
  await store.close();
  return drained;
}

/** Every fourth client knows only the base layer, every third begins with polling. */
function devicesOf({ people }: World, urls: readonly string[]): Device[] {
  return [...people, ...people.slice(0, people.length / SECOND_DEVICES)].map((person, index) => ({
    person,
    layer: index % 4 === 3 ? 'base' : 'extended',
    polls: index % 3 === 0,
    url: urls[index % urls.length]!,
  }));
}
