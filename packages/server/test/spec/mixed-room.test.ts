import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';
import type { TestClient } from '../support/test-client.ts';

/** Two people who know only the base layer and one on protocol 1 share a conversation. */
describe('a room of both protocols', () => {
  let server: TestServer;
  const people: Record<string, Person> = {};
  const clients: Record<string, TestClient> = {};
  let conversation_id: string;

  beforeAll(async () => {
    server = await startServer();
    for (const name of ['alice', 'bob', 'carol']) people[name] = await server.signUp(name);
    const token = people['alice']!.token;
    const created = await server.call('POST', '/conversations', { token, json: { title: 'a room' } });
    conversation_id = created.body.id;
    for (const username of ['bob', 'carol']) {
      await server.call('POST', `/conversations/${conversation_id}/members`, { token, json: { username } });
    }
    clients['alice'] = await server.connect(people['alice']!);
    clients['bob'] = await server.connect(people['bob']!, { transports: ['polling'] });
    clients['carol'] = await server.connect(people['carol']!, { protocol: 1 });
    for (const name of ['alice', 'bob']) await clients[name]!.ask('join_conversation', { conversation_id });
  });
  afterAll(() => server.close());

  test('each sees exactly what the contract gives them', async () => {
    const [alice, bob, carol] = [clients['alice']!, clients['bob']!, clients['carol']!];
    const joined = await carol.ask('join_conversation', { conversation_id, after_seq: 0 });
    expect(joined).toMatchObject({ ok: true, joined: true, complete: true, last_seq: 3 });
    expect(joined.events.map(({ seq, type }: { seq: number; type: string }) => [seq, type])).toEqual([
      [1, 'conversation_created'],
      [2, 'member_joined'],
      [3, 'member_joined'],
    ]);

    const fromBase = await alice.ask('chat', { message: 'from the base layer', conversation_id });
    const atAlice = await alice.next('conversation');
    const atBob = await bob.next('conversation');
    expect(atAlice).toEqual(atBob);
    expect(atAlice).toMatchObject({ task_id: fromBase.task_id, user_message: fromBase.user_message });
    await carol.next('response_end', (end) => end.task_id === fromBase.task_id);

    const fromExtended = await carol.ask('chat', { message: 'from protocol 1', conversation_id });
    await carol.next('response_end', (end) => end.task_id === fromExtended.task_id);
    for (const client of [alice, bob]) {
      expect(await client.next('conversation')).toMatchObject({
        task_id: fromExtended.task_id,
        user_message: { content: 'from protocol 1', author: { kind: 'user', name: 'carol' } },
      });
    }

    const events = carol.received.filter(({ name }) => name === 'conversation_event').map(({ payload }) => payload);
    expect(events.map(({ seq }) => seq)).toEqual([4, 5, 6, 7]);
    for (const task_id of [fromBase.task_id, fromExtended.task_id]) {
      const deltas = carol.received.filter(
        ({ name, payload }) => name === 'response_delta' && payload.task_id === task_id,
      );
      const final = events.find(({ data }) => data.ends_task?.id === task_id);
      expect(deltas.map(({ payload }) => payload.text).join('')).toBe(final.data.message.content);
    }
    expect(carol.names()).not.toContain('conversation');
    for (const client of [alice, bob]) {
      expect(new Set(client.names())).toEqual(new Set(['connected', 'joined_conversation', 'conversation']));
      expect(client.names().filter((name) => name === 'conversation')).toHaveLength(2);
    }
  });
});
