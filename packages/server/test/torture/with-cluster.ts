import { CRASH_SETTINGS } from '../crash/settings.ts';
import { makeWorld, type World, type WorldPlan } from '../crash/world.ts';
import { Cluster, type ClusterNode, type ClusterOptions } from './cluster.ts';
import type { TrialOptions } from './trial.ts';

/** What a trial may choose of its cluster; Redis is there unless it says otherwise. */
export type ClusterChoices = Partial<Pick<ClusterOptions, 'redis' | 'environment' | 'balancer' | 'settings'>>;

/** Where the machine is slower than the load, questions are refused for now before thousands wait. */
const BOUNDED = { TASKS_RUNNING: '20', TASKS_QUEUED: '100' };

/** Makes people and conversations, starts nodes on them, does something, and ends what is left of the nodes. */
export async function withCluster<T>(
  { database, directory, nodes }: Pick<TrialOptions, 'database' | 'directory' | 'nodes'>,
  plan: WorldPlan,
  { redis = 'direct', settings: chosen, ...choices }: ClusterChoices,
  work: (cluster: Cluster, world: World) => Promise<T>,
): Promise<T> {
  const store = await database.open();
  const world = await makeWorld(store, plan);
  await store.close();
  const settings = { ...CRASH_SETTINGS, ...BOUNDED, ...database.settings, ...chosen };
  const cluster = await Cluster.start({ directory, nodes, settings, redis, main: database.main, ...choices });
  try {
    return await work(cluster, world);
  } finally {
    await cluster.close();
  }
}

/** A figure of a node's `/metrics`, all its labels together. */
export async function metricOf({ url }: ClusterNode, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
