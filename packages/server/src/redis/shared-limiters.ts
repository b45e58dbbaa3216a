import { hash } from 'node:crypto';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Logger } from '../log.ts';
import { limitersInMemory, type RateLimiters } from '../rate-limiters.ts';
import { reasonOf } from './connect.ts';
import type { Redis } from './redis.ts';

/** A failure to count is told of once in this time. */
const TELL_MS = 60_000;

/**
 * Limiters that nodes share. Each node decides at once, by what it counted itself and by what Redis last said of the key;
 * Redis is told afterwards and not waited for. So a limit costs no round trip, keeps a socket's messages in order, and
 * goes on for each node by itself while Redis is away or slow. A burst that comes to several nodes before one of them has
 * Redis's answer may pass on each.
 */
export function sharedLimiters(redis: Redis, log: Logger): RateLimiters {
  let toldAt = -TELL_MS;
  const tellFailure = (error: unknown) => {
    if (!redis.isUp || performance.now() - toldAt < TELL_MS) return;
    toldAt = performance.now();
    log.warn({ reason: reasonOf(error) }, 'Redis does not count: each node counts limits by itself');
  };
  return (name, points, seconds) => {
    const own = limitersInMemory(name, points, seconds);
    const shared = countersInRedis(redis, name, points, seconds);
    const refused = new RefusedKeys();
    return {
      async consume(key, taken) {
        const wait = refused.wait(key);
        if (wait > 0) throw new RateLimiterRes(0, wait);
        const answer = await own.consume(key, taken);
        if (redis.isUp) {
          shared.consume(nameOf(key), taken).catch((refusal: unknown) => {
            if (refusal instanceof RateLimiterRes) refused.add(key, refusal.msBeforeNext);
            else tellFailure(refusal);
          });
        }
        return answer;
      },
      reward(key, given) {
        refused.delete(key);
        if (redis.isUp) shared.reward(nameOf(key), given).catch(tellFailure);
        return own.reward(key, given);
      },
    };
  };
}

/** Redis's own limiter takes whole seconds, and keeps a key for ever that has none. */
function countersInRedis(redis: Redis, name: string, points: number, seconds: number): RateLimiterRedis {
  const duration = Math.ceil(seconds);
  return new RateLimiterRedis({
    storeClient: redis,
    useRedisPackage: true,
    keyPrefix: `${redis.prefix}limit:${name}`,
    points: Math.round((points * duration) / seconds),
    duration,
  });
}

/** A key as Redis has it: of one length, and without the names and addresses that people sign in with. */
function nameOf(key: string | number): string {
  return hash('sha256', String(key), 'base64url');
}

/** Keys that are refused by what all nodes counted, until their time is over. */
class RefusedKeys {
  readonly #until = new Map<string | number, number>();

  /** In milliseconds; not above 0 where the key is not refused. */
  wait(key: string | number): number {
    return (this.#until.get(key) ?? 0) - performance.now();
  }

  add(key: string | number, milliseconds: number): void {
    this.#until.set(key, performance.now() + milliseconds);
    setTimeout(() => this.#forget(key), milliseconds + 10).unref(); // a timer may be a little early
  }

  delete(key: string | number): void {
    this.#until.delete(key);
  }

  #forget(key: string | number): void {
    if (this.wait(key) <= 0) this.#until.delete(key);
  }
}
