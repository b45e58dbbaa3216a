import { createClient } from '@redis/client';
import type { Host, RedisAddress } from './address.ts';
import {
  clientOptions,
  connectAll,
  credentialsOf,
  untilAborted,
  versionIn,
  type LinkListener,
  type RedisLink,
} from './link.ts';
import { findMaster } from './sentinel.ts';

/** Connects to one server: the one of the address, or the one that its sentinels name. @throws where there is none */
export async function connectServer(
  address: RedisAddress,
  echo: string,
  { onMessage, onLost }: LinkListener,
  signal: AbortSignal,
): Promise<RedisLink> {
  const host = await hostOf(address, signal);
  // Two connections: what is heard must not wait behind answers, nor be cut off with them by Redis's own bounds.
  const asks = createConnection(address, host);
  const hears = createConnection(address, host);
  const destroy = () => {
    asks.destroy();
    hears.destroy();
  };
  asks.on('error', onLost);
  hears.on('error', onLost);
  await connectAll([asks, hears], signal);
  try {
    if (address.kind === 'sentinel') await untilAborted(assertMaster(asks), signal);
  } catch (error) {
    destroy();
    throw error;
  }
  return {
    echoes: [echo],
    publish: (channel, text) => asks.publish(channel, text),
    subscribe: (channels) => hears.subscribe([...channels], onMessage),
    // With the listener: without it the library takes a channel that is subscribed again before the answer for one it has.
    unsubscribe: (channel) => hears.unsubscribe(channel, onMessage),
    eval: (script, given) => asks.eval(script, given),
    version: async () => versionIn(await asks.info('server')),
    destroy,
  };
}

type Connection = ReturnType<typeof createConnection>;

function createConnection(address: RedisAddress, host: Host) {
  return createClient({ ...clientOptions(address, host), ...credentialsOf(address) });
}

async function hostOf(address: RedisAddress, signal: AbortSignal): Promise<Host> {
  const [first] = address.hosts;
  if (!first) throw new Error('no host is named');
  return address.kind === 'sentinel' ? findMaster(address, signal) : first;
}

/** A sentinel that was cut off from the others may name a server that they have deposed. */
async function assertMaster(connection: Connection): Promise<void> {
  const [role] = (await connection.sendCommand(['ROLE'])) as unknown as [string];
  if (role !== 'master') throw new Error(`the sentinels named a server that is a ${role}`);
}
