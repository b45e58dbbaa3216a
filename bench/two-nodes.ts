/** What two nodes on one database carry, linked by Redis, against one alone, where each may use the same share of a core. */
import { has } from '../packages/server/test/support/requirements.ts';
import { RedisServer } from '../packages/server/test/support/redis-server.ts';
import { CpuShare } from './cpu-share.ts';
import { prepare, type Load, type Loader, type Sample } from './exchange.ts';
import { seedUsers } from './seed-users.ts';
import { startTertulia, withDirectory, type MeasuredServer } from './servers.ts';

/** Two such nodes, Redis and the load leave time on both cores, so that nothing but a node's share is the limit. */
const SHARE = 0.25;
/** Nodes are programs of their own here, on one file: MongoDB would take more of this machine than they do. */
const SHARING_NODE = '../packages/server/test/torture/sqlite-node.ts';

type Start = (directory: string, name: string) => Promise<MeasuredServer>;

/** A sample of each in turn. Null where there is no Redis, or no right to make control groups. */
export async function measureTwoNodes(load: Load): Promise<{ one: Sample[]; two: Sample[] } | null> {
  const shares = [1, 2, 3].map((number) => CpuShare.make(`node-${number}`, SHARE));
  const [alone, first, second] = shares;
  try {
    if (!alone || !first || !second || !has('redis-server')) return null;
    const redis = await RedisServer.start();
    const start: Start = (directory, name) =>
      startTertulia(directory, { NODE_ID: name, REDIS_URL: redis.url }, SHARING_NODE);
    const samples = await onNodes(
      [alone],
      load,
      (directory) => startTertulia(directory),
      (one) => onNodes([first, second], load, start, (two) => inTurn(load, one, two)),
    );
    await redis.stop();
    return samples;
  } finally {
    for (const share of shares) share?.remove();
  }
}

async function inTurn({ rounds, seconds }: Load, one: Loader, two: Loader) {
  const samples = { one: [] as Sample[], two: [] as Sample[] };
  for (let round = 0; round < rounds; round += 1) {
    samples.one.push(await one.run(seconds));
    samples.two.push(await two.run(seconds));
  }
  return samples;
}

/** Each node carries as many clients as the others, so that one of two has no more to do than one alone. */
function onNodes<T>(
  shares: readonly CpuShare[],
  load: Load,
  start: Start,
  work: (loader: Loader) => Promise<T>,
): Promise<T> {
  return withDirectory(async (directory) => {
    const users = await seedUsers(directory, load.clients * shares.length);
    const servers: MeasuredServer[] = [];
    for (const [index, share] of shares.entries()) {
      const server = await start(directory, `node-${index + 1}`);
      share.add(server.process.pid ?? 0);
      servers.push(server);
    }
    const loader = await prepare(
      servers,
      load,
      users.map(({ token }) => ({ token })),
    );
    const result = await work(loader);
    for (const share of shares)
      process.stderr.write(`throttled in ${Math.round(share.throttled * 100)} % of the time\n`);
    loader.close();
    for (const server of servers) await server.stop();
    return result;
  });
}
