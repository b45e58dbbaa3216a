import { isIPv6 } from 'node:net';
import { ChatError } from '@tertulia/protocol';
import { RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimiters } from '../rate-limiters.ts';

/** A limit on how often something may be tried under one key. */
export interface TryLimit {
  /** Counts one try. @throws {ChatError} `rate_limited` with when to try again */
  take(key: string): Promise<void>;
  /** The try that was counted last was an honest one, and does not count. */
  giveBack(key: string): Promise<void>;
}

/** Makes the limit of this name: so many tries a minute. */
export function createTryLimit(limiters: RateLimiters, name: string, perMinute: number): TryLimit {
  const limiter = limiters(name, perMinute, 60);
  return {
    async take(key) {
      try {
        await limiter.consume(key);
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        throw new ChatError('rate_limited', { limit: `${perMinute} a minute`, retry_after_ms: refusal.msBeforeNext });
      }
    },
    async giveBack(key) {
      await limiter.reward(key);
    },
  };
}

/** What counts as one address: an IPv4 address, or an IPv6 network of 64 bits, all of which one home has to itself. */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const start = head === '' ? [] : head.split(':');
  const end = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - start.length - end.length }, () => '0');
  const network = [...start, ...zeros, ...end].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
