import { afterEach, beforeEach, expect, test } from 'vitest';
import { chat } from '../../src/events/chat.ts';
import type { LogStore } from '../../src/store/store.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';
import type { TestClient } from '../support/test-client.ts';

let server: TestServer;
let ann: Person;
let sender: TestClient;
let conversation_id: string;

beforeEach(async () => {
  server = await startServer({ settings: { ASSISTANT: 'none' } });
  ann = await server.signUp('ann');
  sender = await server.connect(ann);
  ({ conversation_id } = await say('It begins.', null));
});

afterEach(() => server.close());

function say(message: string, to: string | null = conversation_id) {
  const user = { id: ann.id, username: ann.username, email: 'ann@example.com', full_name: null };
  return chat(server.context, user, { message, conversation_id: to });
}

function log(): { -readonly [K in keyof LogStore]: LogStore[K] } {
  return server.context.store.log;
}

/** The base layer's answers that the sender has had, by task, once everything before now has come. */
async function answered(): Promise<string[]> {
  const { task_id } = await say('And the last one.');
  await sender.next('conversation', (exchange) => exchange.task_id === task_id);
  return sender.received.filter(({ name }) => name === 'conversation').map(({ payload }) => payload.task_id);
}

test('what is written while a conversation is first joined reaches its sender once', async () => {
  const lastSeq = log().lastSeq.bind(log());
  let during = '';
  log().lastSeq = async (id) => {
    const seq = await lastSeq(id);
    during = (await say('While the log is read.')).task_id;
    return seq;
  };
  const joiner = await server.connect(ann, { protocol: 1 });
  await joiner.ask('join_conversation', { conversation_id, after_seq: 0 });
  expect((await answered()).filter((id) => id === during)).toEqual([during]);
  const exchange = sender.received.find(({ payload }) => payload.task_id === during);
  expect(exchange?.payload.assistant_responses).toEqual([]);
});

test('what a first joiner has read before its writer knew of it stored reaches its sender, too', async () => {
  const append = log().append.bind(log());
  const stored = Promise.withResolvers<void>();
  const joined = Promise.withResolvers<void>();
  log().append = async (event) => {
    const result = await append(event);
    stored.resolve();
    await joined.promise;
    return result;
  };
  const saying = say('Stored, and not yet told.');
  await stored.promise;
  const joiner = await server.connect(ann, { protocol: 1 });
  const page = await joiner.ask('join_conversation', { conversation_id, after_seq: 0 });
  joined.resolve();
  const { task_id, seq } = await saying;
  expect(page.last_seq).toBe(seq);
  expect((await answered()).filter((id) => id === task_id)).toEqual([task_id]);
});
