import { RateLimiterRes } from 'rate-limiter-flexible';
import { limitersInMemory, type RateLimiters } from '../rate-limiters.ts';
import type { PrimaryLink } from './primary-link.ts';

/**
 * Limiters that count for all workers of a machine, in the primary; where it does not answer, each worker counts alone.
 * The library's own limiters for clusters send a message for each try, wait 5 s and then fail.
 */
export function limitersOfAllWorkers(link: PrimaryLink): RateLimiters {
  return (name, points, seconds) => {
    const limiter = { name, points, seconds };
    const alone = limitersInMemory(name, points, seconds);
    return {
      async consume(key) {
        const taken = await link.ask('take', { limiter, key: String(key) });
        if (!taken) return alone.consume(key);
        const { is_refused, remaining_points, ms_before_next } = taken;
        const result = new RateLimiterRes(remaining_points, ms_before_next);
        if (is_refused) throw result;
        return result;
      },
      reward(key, given = 1) {
        link.send({ kind: 'give_back', limiter, key: String(key), points: given });
        return Promise.resolve(new RateLimiterRes());
      },
    };
  };
}
