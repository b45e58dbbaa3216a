import { RedisServer } from './redis-server.ts';
import { has } from './requirements.ts';

/** One Redis for all tests on three nodes, where there is one: each database has channels of its own there. */
export default async function startRedis(): Promise<() => Promise<void>> {
  const redis = has('redis-server') ? await RedisServer.start() : null;
  if (!redis && process.env['REQUIRE_ALL'] === '1') throw new Error('the tests on three nodes need redis-server');
  if (redis) process.env['TEST_REDIS_URL'] = redis.url;
  return async () => redis?.stop();
}
