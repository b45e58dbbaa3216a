import type { Cluster, ClusterNode } from '../support/start-cluster.ts';
import type { Person } from '../support/start-server.ts';
import type { TestClient } from '../support/test-client.ts';

/** Somebody at a node, with a socket of protocol 1 that has joined the room. */
export interface Guest {
  readonly node: ClusterNode;
  readonly person: Person;
  readonly client: TestClient;
}

/** One person at each node, all in one conversation. */
export async function room(
  cluster: Cluster,
  ...names: string[]
): Promise<{ conversation_id: string; guests: Guest[] }> {
  const [first] = cluster.nodes;
  const people = await Promise.all(names.map((name) => first!.signUp(name)));
  const [owner, ...others] = people;
  const created = await first!.call('POST', '/conversations', { token: owner!.token, json: { title: 'a room' } });
  const conversation_id: string = created.body.id;
  for (const { username } of others) {
    await first!.call('POST', `/conversations/${conversation_id}/members`, { token: owner!.token, json: { username } });
  }
  const guests = await Promise.all(
    people.map(async (person, index) => {
      const node = cluster.nodes[index % cluster.nodes.length]!;
      const client = await node.connect(person, { protocol: 1 });
      await client.ask('join_conversation', { conversation_id, after_seq: names.length });
      return { node, person, client };
    }),
  );
  return { conversation_id, guests };
}

/** The texts of the messages that a client was told of, in order. */
export function textsOf({ client }: Guest): string[] {
  return client.received
    .filter(({ name, payload }) => name === 'conversation_event' && payload.type === 'message_created')
    .map(({ payload }) => payload.data.message.content);
}

/** The seqs of all that a client was told of, in order. */
export function seqsOf({ client }: Guest): number[] {
  return client.received.filter(({ name }) => name === 'conversation_event').map(({ payload }) => payload.seq);
}

/** Waits until the client is told of this message. */
export async function hears({ client }: Guest, text: string): Promise<void> {
  await client.next('conversation_event', (event) => event.data.message?.content === text);
}
