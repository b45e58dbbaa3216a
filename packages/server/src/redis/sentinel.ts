import { createClient } from '@redis/client';
import type { Host, RedisAddress } from './address.ts';
import { clientOptions, connectAll, untilAborted } from './link.ts';

/**
 * Asks all sentinels where the server is that they watch, and takes the first answer. They are asked anew before each
 * connection, and they cut the connections of a server that they depose, so nothing needs to be watched between.
 * @throws where none of them knows
 */
export async function findMaster(address: RedisAddress, signal: AbortSignal): Promise<Host> {
  try {
    return await Promise.any(address.hosts.map((host) => askSentinel(host, address, signal)));
  } catch (error) {
    throw error instanceof AggregateError ? error.errors.at(-1) : error;
  }
}

async function askSentinel(host: Host, address: RedisAddress, signal: AbortSignal): Promise<Host> {
  const sentinel = createClient(clientOptions(address, host));
  sentinel.on('error', () => undefined); // `connect` or the question fails with it
  await connectAll([sentinel], signal);
  try {
    const question = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', address.name ?? ''];
    const answer = (await untilAborted(sentinel.sendCommand(question), signal)) as unknown as [string, string] | null;
    if (!answer) throw new Error(`the sentinel ${host.host}:${host.port} knows no ${address.name}`);
    return { host: answer[0], port: Number(answer[1]) };
  } finally {
    sentinel.destroy();
  }
}
