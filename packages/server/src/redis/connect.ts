import type { RedisAddress } from './address.ts';
import { connectCluster } from './cluster-link.ts';
import type { LinkListener, RedisLink } from './link.ts';
import { connectServer } from './server-link.ts';

/**
 * Makes a link. `echo` is the channel, or begins the channels, on which it will hear itself.
 * @throws where Redis is not there, refuses, or is slower than `signal`
 */
export function connect(
  address: RedisAddress,
  echo: string,
  listener: LinkListener,
  signal: AbortSignal,
): Promise<RedisLink> {
  return (address.kind === 'cluster' ? connectCluster : connectServer)(address, echo, listener, signal);
}

/** Why it did not come about or was lost, in the words of the system or of Redis. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
