import { createCluster } from '@redis/client';
import type { RedisAddress } from './address.ts';
import {
  clientOptions,
  connectAll,
  credentialsOf,
  untilAborted,
  versionIn,
  type LinkListener,
  type RedisLink,
} from './link.ts';

/** Names that are tried to find a channel on each part of a cluster. */
const MOST_NAMES = 10_000;

/**
 * Connects to a cluster (Redis 7 or newer). Channels are sharded there: a message stays on the part that its channel
 * lies on, where a plain one would go to every part. When one part fails the whole link counts as lost.
 * @throws where the cluster is not there, or not whole
 */
export async function connectCluster(
  address: RedisAddress,
  echo: string,
  { onMessage, onLost }: LinkListener,
  signal: AbortSignal,
): Promise<RedisLink> {
  const options = { ...clientOptions(address), ...credentialsOf(address) };
  const cluster = createCluster({
    rootNodes: address.hosts.map((host) => ({ ...options, ...clientOptions(address, host) })),
    defaults: options,
  });
  let failure: unknown = null;
  let onFailure = (error: unknown): void => {
    failure ??= error;
  };
  for (const event of ['error', 'node-error', 'sharded-channel-moved-error']) {
    cluster.on(event, (error: unknown) => onFailure(error));
  }
  try {
    await connectAll([cluster], signal); // an error here may be of one host of several
    const echoes = await untilAborted(echoOnEachPart(cluster, echo), signal);
    onFailure = onLost;
    return {
      echoes,
      publish: (channel, text) => cluster.sPublish(channel, text),
      // One by one: the channels of one command would have to lie in one slot.
      subscribe: (channels) => Promise.all(channels.map((channel) => cluster.sSubscribe(channel, onMessage))),
      unsubscribe: (channel) => cluster.sUnsubscribe(channel, onMessage),
      eval: (script, given) => cluster.eval(script, given),
      version: async () => versionIn(await (await cluster.nodeClient(cluster.masters[0]!)).info('server')),
      destroy: () => cluster.destroy(),
    };
  } catch (error) {
    cluster.destroy();
    throw signal.aborted ? error : (failure ?? error);
  }
}

/** What is looked at of a cluster. */
interface Parts {
  readonly masters: readonly object[];
  readonly slots: readonly ({ readonly master: object } | undefined)[];
  sendCommand(firstKey: undefined, isReadonly: boolean, command: string[]): Promise<unknown>;
}

async function echoOnEachPart(cluster: Parts, echo: string): Promise<string[]> {
  const found = new Map<object, string>();
  for (let number = 0; found.size < cluster.masters.length; number += 1) {
    if (number === MOST_NAMES) throw new Error('a part of the cluster has no slots');
    const channel = `${echo}:${number}`;
    const part = cluster.slots[Number(await cluster.sendCommand(undefined, true, ['CLUSTER', 'KEYSLOT', channel]))];
    if (part && !found.has(part.master)) found.set(part.master, channel);
  }
  return [...found.values()];
}
