import type { Config } from './config.ts';
import { NoBus, type Bus } from './delivery/bus.ts';
import type { Logger } from './log.ts';
import { watchBus, type Metrics } from './metrics.ts';
import { limitersInMemory, type RateLimiters } from './rate-limiters.ts';

/** What a process or a test gives a server to link it with. */
export interface LinkParts {
  readonly log: Logger;
  /** In place of the one that the settings name: links the servers that share a database. */
  readonly bus?: Bus;
  /** Other servers use the data folder beside this one; whoever starts them all keeps further ones out. */
  readonly sharesFolder?: boolean;
  /** In place of those that count for this process alone. */
  readonly limiters?: RateLimiters;
}

/** What the servers of one database share besides it. */
export interface NodeLink {
  readonly bus: Bus;
  readonly limiters: RateLimiters;
}

/** How this server is linked to others on its database. Redis's client takes 0.1 s to load, and is loaded where it is used. */
export async function linkNodes(
  { REDIS_URL, MONGODB_URL }: Config,
  epoch: string,
  metrics: Metrics,
  { log, sharesFolder = false, bus, limiters = limitersInMemory }: LinkParts,
): Promise<NodeLink> {
  const isShared = sharesFolder || MONGODB_URL !== undefined;
  if (bus || !REDIS_URL) return { bus: bus ?? new NoBus(isShared), limiters };
  const { linkByRedis } = await import('./redis/link-by-redis.ts');
  const link = linkByRedis(REDIS_URL, epoch, log);
  watchBus(metrics, link.bus);
  return link;
}
