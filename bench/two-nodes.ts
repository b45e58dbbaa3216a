/** What two nodes carry on one MongoDB, linked by Redis, against one, where each may use the same share of a core. */
import { createLogger } from '../packages/server/src/log.ts';
import { MongoStore } from '../packages/server/src/store/mongodb/mongo-store.ts';
import { startMongodb, type MongodbServer } from '../packages/server/test/support/mongodb-server.ts';
import { has } from '../packages/server/test/support/requirements.ts';
import { RedisServer } from '../packages/server/test/support/redis-server.ts';
import { CpuShare } from './cpu-share.ts';
import { prepare, type Load, type Loader, type Sample } from './exchange.ts';
import { seedUsersIn } from './seed-users.ts';
import { startTertulia, withDirectory, type MeasuredServer } from './servers.ts';

/** So little that neither the database nor Redis nor the load is the limit on a machine with two cores. */
const SHARE = 0.2;
/** What the compiler has not seen often costs several times as much, and with such a share it sees little a second. */
const WARM_UP_SECONDS = 20;

/**
 * Samples of one node and of two in turn, each with as many clients. Null where there is no Redis, no right to make
 * control groups, or no MongoDB: the one that the tests bring along would be the limit, so TEST_MONGODB_URL has to name one.
 */
export async function measureTwoNodes(load: Load): Promise<{ one: Sample[]; two: Sample[] } | null> {
  const shares = [1, 2, 3].map((number) => CpuShare.make(`node-${number}`, SHARE));
  const [alone, first, second] = shares;
  try {
    if (!alone || !first || !second || !has('redis-server') || !process.env['TEST_MONGODB_URL']) return null;
    const redis = await RedisServer.start();
    const mongodb = await startMongodb();
    const samples = await onNodes([alone], { load, mongodb, redis }, (one) =>
      onNodes([first, second], { load, mongodb, redis }, (two) => inTurn(load, one, two)),
    );
    await mongodb.stop();
    await redis.stop();
    return samples;
  } finally {
    for (const share of shares) share?.remove();
  }
}

async function inTurn({ rounds, seconds }: Load, one: Loader, two: Loader) {
  for (const loader of [one, two]) await loader.run(WARM_UP_SECONDS);
  const samples = { one: [] as Sample[], two: [] as Sample[] };
  for (let round = 0; round < rounds; round += 1) {
    samples.one.push(await one.run(seconds));
    samples.two.push(await two.run(seconds));
  }
  return samples;
}

interface Around {
  readonly load: Load;
  readonly mongodb: MongodbServer;
  readonly redis: RedisServer;
}

function onNodes<T>(
  shares: readonly CpuShare[],
  { load, mongodb, redis }: Around,
  work: (loader: Loader) => Promise<T>,
): Promise<T> {
  return withDirectory(async (directory) => {
    const url = mongodb.newDatabase();
    const store = await MongoStore.open({ url, log: createLogger({ level: 'silent', node: 'bench' }) });
    const users = await seedUsersIn(store, load.clients * shares.length);
    await store.close();
    const servers: MeasuredServer[] = [];
    for (const [index, share] of shares.entries()) {
      const settings = { NODE_ID: `node-${index + 1}`, MONGODB_URL: url, REDIS_URL: redis.url };
      const server = await startTertulia(directory, settings);
      share.add(server.process.pid ?? 0);
      servers.push(server);
    }
    const auths = users.map(({ token }) => ({ token }));
    const loader = await prepare(servers, load, auths);
    const result = await work(loader);
    loader.close();
    for (const server of servers) await server.stop();
    return result;
  });
}
