import { RedisBus } from './redis-bus.ts';
import type { Logger } from '../log.ts';
import type { RateLimiters } from '../rate-limiters.ts';
import { isUnprotected, printableRedis, type RedisAddress } from './address.ts';
import { Redis } from './redis.ts';
import { sharedLimiters } from './shared-limiters.ts';

/** Links this node to the others on its database, which is known by its epoch. Redis need not be there yet. */
export function linkByRedis(
  address: RedisAddress,
  epoch: string,
  log: Logger,
): { bus: RedisBus; limiters: RateLimiters } {
  if (isUnprotected(address)) {
    const redis = printableRedis(address);
    log.warn({ redis }, 'REDIS_URL has no password: whoever reaches this Redis can show people false messages');
  }
  const redis = new Redis({ address, prefix: `tertulia:${epoch}:`, log });
  return { bus: new RedisBus(redis, log), limiters: sharedLimiters(redis, log) };
}
