import { RateLimiterMemory, type RateLimiterAbstract } from 'rate-limiter-flexible';

/** Counts what is taken under each key, and refuses with a `RateLimiterRes` what goes beyond the points. */
export type RateLimiter = Pick<RateLimiterAbstract, 'consume' | 'reward'>;

/**
 * Makes the limiter of this name: so many points in so many seconds for each key. Where several servers share one
 * database, limiters of the same name count together.
 */
export type RateLimiters = (name: string, points: number, seconds: number) => RateLimiter;

/** Limiters that count for this process alone. */
export const limitersInMemory: RateLimiters = (_name, points, duration) => new RateLimiterMemory({ points, duration });
