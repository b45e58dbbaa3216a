import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConversationEvent } from '@tertulia/protocol';
import { PAGE_EVENTS } from '../../src/delivery/page-bounds.ts';
import { RecentEvents } from '../../src/delivery/recent-events.ts';
import type { ConversationStore } from '../../src/store/store.ts';
import { LogBuilder, ME } from '../store/log-builder.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';
import type { TestClient } from '../support/test-client.ts';

describe('the kept end of a log', () => {
  const log = new LogBuilder();
  const message = (seq: number, text = `message ${seq}`): ConversationEvent => {
    log.seq = seq - 1;
    return log.event('message_created', { message: log.message(text) }).event;
  };
  const head = (last_seq: number, is_answering = false) => ({ last_seq, is_answering });
  const seqs = (recent: RecentEvents, after: number, last: number) =>
    recent.page(log.id, ME, after, head(last))?.events.map(({ seq }) => seq);

  function kept(from: number, to: number): RecentEvents {
    const recent = new RecentEvents();
    for (let seq = from; seq <= to; seq += 1) recent.pass(message(seq));
    return recent;
  }

  test('is a page where it reaches from the reader to the end of the log, and nothing else is', () => {
    const recent = kept(5, 9);
    expect(seqs(recent, 4, 9)).toEqual([5, 6, 7, 8, 9]);
    expect(seqs(recent, 9, 9)).toEqual([]);
    expect(seqs(recent, 6, 7)).toEqual([7, 8, 9]);
    expect(seqs(recent, 3, 9)).toBeUndefined();
    expect(seqs(recent, 8, 10)).toBeUndefined();
    expect(seqs(recent, 10, 9)).toBeUndefined();
    expect(seqs(recent, 6, 3)).toBeUndefined(); // who was a member at 3 may not be one at 5
  });

  test('has no hole: it begins anew after one', () => {
    const recent = kept(5, 6);
    recent.pass(message(8));
    expect(seqs(recent, 5, 8)).toBeUndefined();
    expect(seqs(recent, 7, 8)).toEqual([8]);
  });

  test('is no longer than a page, and none where it would be larger than one', () => {
    const recent = kept(1, PAGE_EVENTS + 10);
    expect(seqs(recent, 9, PAGE_EVENTS + 10)).toBeUndefined();
    expect(seqs(recent, 10, PAGE_EVENTS + 10)).toHaveLength(PAGE_EVENTS);
    for (let seq = 1; seq <= 5; seq += 1) recent.pass(message(seq + PAGE_EVENTS + 10, '漢'.repeat(16_000)));
    expect(seqs(recent, PAGE_EVENTS + 10, PAGE_EVENTS + 15)).toBeUndefined();
    expect(seqs(recent, PAGE_EVENTS + 14, PAGE_EVENTS + 15)).toHaveLength(1);
  });

  test('is not for whoever left since, nor while an answer is written', () => {
    const recent = kept(5, 6);
    log.seq = 6;
    recent.pass(log.event('member_left', { user_id: ME, username: '' }).event);
    expect(seqs(recent, 5, 6)).toBeUndefined();
    expect(recent.page(log.id, 'another', 5, head(6))?.events).toHaveLength(2);
    expect(recent.page(log.id, 'another', 5, head(7, true))).toBeNull();
    log.seq = 7;
    recent.pass(log.question('?').given.event);
    expect(recent.page(log.id, 'another', 7, head(7))).toBeNull();
  });

  test('goes with a deletion, which takes text that it holds', () => {
    const recent = kept(5, 6);
    log.seq = 6;
    recent.pass(log.event('task_deleted', { task_id: 'some' }).event);
    expect(recent.has(log.id)).toBe(false);
  });
});

describe('coming back after a short absence', () => {
  let server: TestServer;
  let alice: Person;
  let writer: TestClient;
  let conversation_id: string;
  let reads = 0;

  beforeEach(async () => {
    server = await startServer({ settings: { ASSISTANT: 'none' } });
    alice = await server.signUp('alice');
    writer = await server.connect(alice, { protocol: 1 });
    ({ conversation_id } = await writer.ask('chat', { message: 'one' }));
    for (const message of ['two', 'three']) await writer.ask('chat', { message, conversation_id });
    const store: { -readonly [K in keyof ConversationStore]: ConversationStore[K] } =
      server.context.store.conversations;
    const events = store.events.bind(store);
    reads = 0;
    store.events = (...values) => {
      reads += 1;
      return events(...values);
    };
  });

  afterEach(() => server.close());

  const join = async (after_seq: number) => {
    const client = await server.connect(alice, { protocol: 1 });
    return client.ask('join_conversation', { conversation_id, after_seq });
  };

  test('reads nothing of the log, and gets what the log has', async () => {
    const { body } = await server.call('GET', `/conversations/${conversation_id}/events?after_seq=1`, alice);
    const page = await join(1);
    const synced = await writer.ask('sync', { conversation_id, after_seq: 1 });
    expect(reads).toBe(0);
    const stored = await server.context.store.conversations.events(alice.id, conversation_id, 1, 100, 1_000_000);
    for (const { events, last_seq, complete, running } of [body, page, synced]) {
      expect({ events, last_seq, complete, running }).toEqual(stored);
    }
  });

  test('is as strict as a read: who was removed gets nothing', async () => {
    const bob = await server.signUp('bob');
    const members = `/conversations/${conversation_id}/members`;
    await server.call('POST', members, { token: alice.token, json: { username: 'bob' } });
    const client = await server.connect(bob, { protocol: 1 });
    expect(await client.ask('sync', { conversation_id, after_seq: 3 })).toMatchObject({ ok: true });
    await server.call('DELETE', `${members}/bob`, alice);
    expect(await client.ask('sync', { conversation_id, after_seq: 3 })).toMatchObject({ error: { code: 'not_found' } });
  });
});
