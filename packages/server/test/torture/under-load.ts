import { checkRun } from '../crash/check-run.ts';
import { Crowd, type Device } from '../crash/crowd.ts';
import type { Drained, Entry, Fault } from '../crash/history.ts';
import { startLoad, type LoadRates } from '../crash/load.ts';
import { randomFrom } from '../crash/random.ts';
import { CRASH_SETTINGS } from '../crash/settings.ts';
import { drain, makeWorld, type World } from '../crash/world.ts';
import { Cluster, type ClusterNode, type ClusterOptions } from './cluster.ts';
import type { Moment } from './figures.ts';
import type { TrialOptions } from './trial.ts';

/** Of so many people one has a second device. */
const SECOND_DEVICES = 4;
/** What else is sent, a second: questions whose answers are streamed slowly, and first messages of conversations. */
const SLOW_RATES = { streams: 2, openings: 1 };

/** What a fault finds. */
export interface Stage {
  readonly cluster: Cluster;
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

/** What a trial may choose of its stage. */
export type StageChoices = Partial<Pick<ClusterOptions, 'redis' | 'balancer' | 'settings'>> & {
  readonly rates?: LoadRates;
};

/** Has everybody talk, breaks things meanwhile, lets all come to rest, and compares what clients saw with what is stored. */
export async function underLoad(
  options: TrialOptions,
  disrupt: (stage: Stage) => Promise<void>,
  { redis = 'direct', balancer, settings: chosen = {}, rates }: StageChoices = {},
): Promise<LoadedRun> {
  const { database, directory, nodes, seed, cycles, rate, say } = options;
  const world = await makeWorldIn(options);
  const settings = { ...CRASH_SETTINGS, ...database.settings, ...chosen };
  const cluster = await Cluster.start({
    directory,
    nodes,
    settings,
    main: database.main,
    redis,
    ...(balancer && { balancer }),
  });
  const history: Entry[] = [];
  const moments: Moment[] = [];
  const names = cluster.nodes.map(({ name }) => name);
  const crowd = new Crowd(world, devicesOf(world, cluster.url), names, history);
  const lastLines = () => cluster.lastLines;
  const allBack = () => crowd.allBack(lastLines);
  let stopLoad = () => {};
  try {
    await allBack();
    stopLoad = startLoad(crowd.loads, rates ?? { ...SLOW_RATES, chats: rate }, randomFrom(seed));
    const broke = (node: ClusterNode | null) => {
      moments.push({ at: performance.now(), node: node?.name ?? null });
    };
    await disrupt({ cluster, cycles, history, random: randomFrom(seed + 1), broke, allBack, say });
    await allBack();
    stopLoad();
    await crowd.calmDown(lastLines);
    const exitCodes = await cluster.stop();
    const drained = await readAll(options, world);
    return { history, drained, moments, exitCodes, violations: checkRun(history, drained) };
  } finally {
    stopLoad();
    crowd.close();
    await cluster.close();
  }
}

async function makeWorldIn({ database }: TrialOptions): Promise<World> {
  const store = await database.open();
  const world = await makeWorld(store, database.plan);
  await store.close();
  return world;
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
function devicesOf({ people }: World, url: string): Device[] {
  return [...people, ...people.slice(0, people.length / SECOND_DEVICES)].map((person, index) => ({
    person,
    layer: index % 4 === 3 ? 'base' : 'extended',
    polls: index % 3 === 0,
    url,
  }));
}
