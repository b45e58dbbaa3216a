/** How long a message is under way to a member on another node, by Redis, against one on the sender's own node. */
import { has } from '../packages/server/test/support/requirements.ts';
import { RedisServer } from '../packages/server/test/support/redis-server.ts';
import { EngineClient } from './engine-client.ts';
import { seedUsers } from './seed-users.ts';
import { startTertulia, wait, withDirectory, type MeasuredServer } from './servers.ts';

/** Between two messages: what is measured is the way, not a queue. */
const PAUSE_MS = 5;

/** Milliseconds from the message's being sent to its being heard, half of which were shorter; a figure each round. */
export interface CrossNode {
  readonly same: number[];
  readonly other: number[];
}

/** Measures both at once, in one conversation. Null where there is no Redis. */
export async function measureCrossNode(rounds: number, seconds: number): Promise<CrossNode | null> {
  if (!has('redis-server')) return null;
  const redis = await RedisServer.start();
  try {
    return await withDirectory(async (directory) => {
      const [user] = await seedUsers(directory, 1);
      if (!user) throw new Error('no user was made');
      const server = await startTertulia(directory, { ASSISTANT: 'none', WORKERS: '2', REDIS_URL: redis.url });
      const samples = await measure(server, user.token, rounds, seconds);
      await server.stop();
      return samples;
    });
  } finally {
    await redis.stop();
  }
}

async function measure(server: MeasuredServer, token: string, rounds: number, seconds: number): Promise<CrossNode> {
  const { sender, same, other } = await meet(server, token);
  const { conversation_id } = await sender.ask('chat', { message: 'hello' });
  for (const client of [same, other]) await client.ask('join_conversation', { conversation_id });
  await wait(1_000);
  const samples: CrossNode = { same: [], other: [] };
  for (let round = 0; round < rounds; round += 1) {
    const trips: CrossNode = { same: [], other: [] };
    for (const end = performance.now() + seconds * 1_000; performance.now() < end;) {
      const since = performance.now();
      const heard = [trip(same, since, trips.same), trip(other, since, trips.other)];
      sender.send('chat', JSON.stringify({ message: 'a message of a usual length', conversation_id }));
      await Promise.all(heard);
      await wait(PAUSE_MS);
    }
    samples.same.push(middle(trips.same));
    samples.other.push(middle(trips.other));
  }
  for (const client of [sender, same, other]) client.close();
  return samples;
}

/** Two sockets on one node and one on the other: a node's sessions begin with its name. */
async function meet(server: MeasuredServer, token: string) {
  const byNode = new Map<string, EngineClient[]>();
  while (byNode.size < 2 || ![...byNode.values()].some(({ length }) => length > 1)) {
    const client = await EngineClient.connect({ port: server.port, auth: { token, protocol: 1 } });
    const node = client.sessionId.slice(0, client.sessionId.lastIndexOf('.'));
    byNode.set(node, [...(byNode.get(node) ?? []), client]);
  }
  const [[sender, same] = [], [other] = []] = [...byNode.values()].toSorted((one, two) => two.length - one.length);
  if (!sender || !same || !other) throw new Error('the nodes could not be told apart');
  return { sender, same, other };
}

function trip(client: EngineClient, since: number, trips: number[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  client.onEvent = (name) => {
    if (name !== 'conversation_event') return;
    trips.push(performance.now() - since);
    resolve();
  };
  return promise;
}

function middle(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
}
