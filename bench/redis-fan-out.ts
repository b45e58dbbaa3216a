/** What a message between nodes costs Redis itself: its CPU for each publish, by how many nodes hear it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseRedisUrl } from '../packages/server/src/redis/address.ts';
import type { RedisLink } from '../packages/server/src/redis/link.ts';
import { connectServer } from '../packages/server/src/redis/server-link.ts';
import { cpuOf, freePort, SERVER_CORE, wait } from './servers.ts';

const CHANNEL = 'conversation:0123456789abcdef0123456789abcdef';
const AT_ONCE = 500;
/** About what a piece of an answer or a short message takes as JSON. */
const TEXT = 'x'.repeat(400);
const START_MS = 500;
const CONNECT_MS = 5_000;

/** CPU of Redis in microseconds for a publish that so many nodes hear. */
export interface RedisSample {
  readonly nodes: number;
  readonly cpuMicroseconds: number;
}

/** Publishes `count` messages for each number of nodes. Needs `redis-server`. */
export async function measureRedis(nodes: readonly number[], count: number): Promise<RedisSample[]> {
  const port = await freePort();
  const words = [
    '-c',
    String(SERVER_CORE),
    'redis-server',
    '--port',
    String(port),
    '--save',
    '',
    '--bind',
    '127.0.0.1',
  ];
  const redis = spawn('taskset', words, { stdio: 'ignore' });
  await wait(START_MS);
  const publisher = await link(port, () => undefined);
  const samples: RedisSample[] = [];
  for (const number of nodes) {
    let missing = count * number;
    const all = Promise.withResolvers<void>();
    const hear = () => {
      missing -= 1;
      if (missing === 0) all.resolve();
    };
    const hearers: RedisLink[] = [];
    for (let node = 0; node < number; node += 1) hearers.push(await link(port, hear));
    await Promise.all(hearers.map((hearer) => hearer.subscribe([CHANNEL])));
    const before = cpuOf(redis.pid ?? 0);
    for (let done = 0; done < count; done += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => publisher.publish(CHANNEL, TEXT)));
    }
    await all.promise;
    samples.push({ nodes: number, cpuMicroseconds: (cpuOf(redis.pid ?? 0) - before) / count });
    for (const hearer of hearers) hearer.destroy();
  }
  publisher.destroy();
  redis.kill();
  await once(redis, 'exit');
  return samples;
}

/** A node's link, as the server makes it. */
function link(port: number, onMessage: () => void): Promise<RedisLink> {
  const address = parseRedisUrl(`redis://127.0.0.1:${port}`);
  if (!address) throw new Error('no address');
  return connectServer(address, 'echo', { onMessage, onLost: () => undefined }, AbortSignal.timeout(CONNECT_MS));
}
