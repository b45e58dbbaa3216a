import { afterEach, beforeEach, expect, test } from 'vitest';
import { chat } from '../../src/events/chat.ts';
import type { ConversationStore } from '../../src/store/store.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';

let server: TestServer;
let ann: Person;
let conversationId: string;

beforeEach(async () => {
  server = await startServer({ settings: { ASSISTANT: 'none' } });
  ann = await server.signUp('ann');
  const opened = await say('It begins.', null);
  conversationId = opened.conversation_id;
  writeDuringEachRead();
});

afterEach(() => server.close());

function say(message: string, conversation_id: string | null) {
  const user = { id: ann.id, username: ann.username, email: 'ann@example.com', full_name: null };
  return chat(server.context, user, { message, conversation_id });
}

/** A conversation so busy that each page is old when it has been read. */
function writeDuringEachRead(): void {
  const conversations: { -readonly [K in keyof ConversationStore]: ConversationStore[K] } =
    server.context.store.conversations;
  const events = conversations.events.bind(conversations);
  conversations.events = async (...given) => {
    const page = await events(...given);
    await say('And on it goes.', conversationId);
    return page;
  };
}

test('a base-layer socket joins a conversation that never pauses', async () => {
  const client = await server.connect(ann);
  client.socket.emit('join_conversation', { conversation_id: conversationId });
  expect(await client.next('joined_conversation')).toMatchObject({ conversation_id: conversationId });
  const { task_id } = await say('Do you hear me?', conversationId);
  await client.next('conversation', (exchange) => exchange.task_id === task_id);
});

test('a socket of protocol 1 joins a conversation that never pauses, and misses nothing of it', async () => {
  const client = await server.connect(ann, { protocol: 1 });
  const page = await client.ask('join_conversation', { conversation_id: conversationId, after_seq: 0 });
  expect(page).toMatchObject({ ok: true, joined: true, complete: true });
  const { seq } = await say('Do you hear me?', conversationId);
  await client.next('conversation_event', (event) => event.seq === seq);
  const live = client.received.filter(({ name }) => name === 'conversation_event').map(({ payload }) => payload.seq);
  const paged = page.events.map((event: { seq: number }) => event.seq);
  expect([...paged, ...live]).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
  expect(page.last_seq).toBe(paged.at(-1));
});
