import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';
import type { TestClient } from '../support/test-client.ts';

describe('catching up', () => {
  let server: TestServer;
  let alice: Person;
  let writer: TestClient;
  let conversation_id: string;
  const LENGTH = 250;

  beforeAll(async () => {
    server = await startServer({ settings: { ASSISTANT: 'none' } });
    alice = await server.signUp('alice');
    writer = await server.connect(alice, { protocol: 1 });
    ({ conversation_id } = await writer.ask('chat', { message: 'message 1' }));
    const rest = Array.from({ length: LENGTH - 1 }, (_, index) =>
      writer.ask('chat', { message: `message ${index + 2}`, conversation_id }),
    );
    await Promise.all(rest);
  });
  afterAll(() => server.close());

  /** Joins as the protocol says: page by page, from the last event. */
  async function joinFrom(client: TestClient, after: number): Promise<number[]> {
    const seqs: number[] = [];
    for (;;) {
      const page = await client.ask('join_conversation', { conversation_id, after_seq: seqs.at(-1) ?? after });
      expect(page.ok).toBe(true);
      seqs.push(...page.events.map(({ seq }: { seq: number }) => seq));
      expect(page.joined).toBe(page.complete);
      if (page.joined) return seqs;
    }
  }

  test('a joiner gets the log in pages, then live events, none missing and none twice, while others write', async () => {
    const client = await server.connect(alice, { protocol: 1 });
    const last = (await writer.ask('sync', { conversation_id, after_seq: 10_000 })).last_seq;
    const writing = Array.from({ length: 60 }, (_, index) =>
      writer.ask('chat', { message: `while joining ${index}`, conversation_id }),
    );
    const paged = await joinFrom(client, 0);
    await Promise.all(writing);
    await writer.ask('chat', { message: 'the last', conversation_id });
    await client.next('conversation_event', ({ seq }) => seq === last + 61);
    const live = client.received.filter(({ name }) => name === 'conversation_event').map(({ payload }) => payload.seq);
    expect([...paged, ...live]).toEqual(Array.from({ length: last + 61 }, (_, index) => index + 1));
  });

  test('a join without after_seq starts at the end', async () => {
    const client = await server.connect(alice, { protocol: 1 });
    const page = await client.ask('join_conversation', { conversation_id });
    expect(page).toMatchObject({ joined: true, complete: true, events: [] });
    expect(page.last_seq).toBeGreaterThanOrEqual(LENGTH);
  });

  test('a page ends at 100 events', async () => {
    const page = await writer.ask('sync', { conversation_id, after_seq: 20 });
    expect(page.events.map(({ seq }: { seq: number }) => seq)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 21),
    );
    expect(page.complete).toBe(false);
  });

  test('an after_seq beyond the log is told to start anew', async () => {
    expect(await writer.ask('sync', { conversation_id, after_seq: 1_000_000 })).toMatchObject({
      reset: true,
      events: [],
    });
  });

  test('after leaving nothing more comes, and a second join catches up', async () => {
    const client = await server.connect(alice, { protocol: 1 });
    const { last_seq } = await client.ask('join_conversation', { conversation_id });
    await client.ask('leave_conversation', { conversation_id });
    await writer.ask('chat', { message: 'unseen', conversation_id });
    expect(await joinFrom(client, last_seq)).toEqual([last_seq + 1]);
    expect(client.names()).not.toContain('conversation_event');
  });
});
