import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ConversationEvent, LogEventData, LogEventType } from '@tertulia/protocol';
import type { Bus } from '../../src/delivery/bus.ts';
import { Delivery } from '../../src/delivery/delivery.ts';
import { newMessage, newTask } from '../../src/events/messages.ts';
import { ConversationLog } from '../../src/store/conversation-log.ts';
import type { LogStore } from '../../src/store/store.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { TestHub } from '../support/test-hub.ts';

// One server, and beside it a second node as far as it matters here: a log and a delivery on the same database.
let hub: TestHub;
let server: TestServer;
let other: ConversationLog;
let otherBus: Bus;
let alice: Person;
let bob: Person;
let conversation_id: string;

beforeEach(async () => {
  hub = new TestHub();
  server = await startServer({ settings: { ASSISTANT: 'external' }, bus: hub.connect() });
  otherBus = hub.connect();
  const { store, log } = server.context;
  const delivery = new Delivery({
    store,
    bus: otherBus,
    log,
    emitter: { emit: () => undefined, hasRoom: () => false, leave: () => undefined },
    isMember: () => true,
    knownHead: () => null,
    onRemote: () => undefined,
    onOver: () => undefined,
  });
  other = new ConversationLog(store.log, true, (event, concerned) => delivery.committed(event, concerned));
  [alice, bob] = [await server.signUp('alice'), await server.signUp('bob')];
  const { body } = await server.call('POST', '/conversations', { token: alice.token, json: { title: 'a room' } });
  conversation_id = body.id;
});

afterEach(() => server.close());

/** Appends on the other node. */
async function append<T extends LogEventType>(type: T, data: LogEventData<T>): Promise<ConversationEvent> {
  const ends_task = endedBy(type, data);
  const { event } = await other.append(conversation_id, (_, seq) => ({
    event: {
      conversation_id,
      seq,
      type,
      actor: { kind: 'user', id: alice.id, name: 'alice' },
      created_at: '2026-01-01T00:00:00.000Z',
      data,
    } as ConversationEvent,
    sender: alice.id,
    client_msg_id: null,
    ends_task,
    claim: null,
  }));
  return event;
}

function endedBy(type: LogEventType, data: LogEventData): string | null {
  if (type === 'task_ended') return (data as LogEventData<'task_ended'>).task.id;
  return type === 'task_deleted' ? (data as LogEventData<'task_deleted'>).task_id : null;
}

const rename = (title: string) => append('conversation_updated', { title });
const fail = (id: string) =>
  append('task_ended', {
    task: { id, attempt: 0, status: 'failed', error: { code: 'assistant_failed', message: 'It broke.' } },
  });

async function join(person = alice): Promise<TestClient> {
  const client = await server.connect(person, { protocol: 1 });
  await client.ask('join_conversation', { conversation_id, after_seq: 1 });
  return client;
}

const titleOf = async (client: TestClient) => (await client.next('conversation_event')).data.title;

test('what another node appends reaches sockets that joined here, and refreshes what decisions rest on', async () => {
  const client = await join();
  await rename('told');
  expect(await titleOf(client)).toBe('told');
  const { seq } = await client.ask('chat', { message: 'next', conversation_id });
  expect(seq).toBe(3);
});

test('what the bus loses is found in the log, in order and once', async () => {
  const client = await join();
  hub.isDeaf = true;
  await rename('lost');
  await rename('lost as well');
  hub.isDeaf = false;
  const last = await rename('told');
  const titles = [await titleOf(client), await titleOf(client), await titleOf(client)];
  expect(titles).toEqual(['lost', 'lost as well', 'told']);
  hub.isDeaf = true;
  await rename('nobody told');
  await server.context.delivery.tail();
  expect(await client.next('conversation_event')).toMatchObject({ seq: last.seq + 1 });
});

test('what comes late, twice or without itself is delivered once, in order', async () => {
  const client = await join();
  hub.isDeaf = true;
  const events = [await rename('1'), await rename('2'), await rename('3')];
  hub.isDeaf = false;
  const tell = (event: ConversationEvent | undefined, isWhole: boolean) =>
    event &&
    otherBus.publish([`conversation:${conversation_id}`], {
      kind: 'event',
      conversation_id,
      seq: event.seq,
      event: isWhole ? event : null,
      asker: null,
    });
  tell(events[2], false);
  for (const event of events.toReversed()) tell(event, true);
  await rename('4');
  const titles = [];
  while (titles.at(-1) !== '4') titles.push(await titleOf(client));
  expect(titles).toEqual(['1', '2', '3', '4']);
});

/** The ids of the tasks of which a base-layer socket was told that they failed, up to the one that is asked now. */
async function failures(sender: TestClient): Promise<string[]> {
  const { task_id } = await sender.ask('chat', { message: 'the last one', conversation_id });
  await fail(task_id);
  await sender.next('error', (payload) => payload.task_id === task_id);
  const told = sender.received.filter(({ name }) => name === 'error').map(({ payload }) => payload.task_id);
  return told.slice(0, -1);
}

/** Alice asks on the other node. */
async function askElsewhere(): Promise<string> {
  const view = await server.context.store.log.view(conversation_id);
  const task = newTask(alice.id, 'elsewhere');
  const author = { kind: 'user', id: alice.id, name: 'alice' } as const;
  const content = 'asked elsewhere';
  const message = newMessage({
    conversationId: conversation_id,
    role: 'user',
    content,
    metadata: {},
    author,
    taskId: task.id,
  });
  await append('message_created', { message: { ...message, seq: (view?.seq ?? 0) + 1 }, task });
  return task.id;
}

test('a base-layer socket that joined nothing hears once how its task ended on another node', async () => {
  const sender = await server.connect(alice);
  const { task_id } = await sender.ask('chat', { message: 'who answers?', conversation_id });
  await fail(task_id);
  expect(await failures(sender)).toEqual([task_id]);
});

test('it hears also that its task was deleted on another node, told or not', async () => {
  const sender = await server.connect(alice);
  const deleteElsewhere = async (isDeaf: boolean) => {
    const { task_id } = await sender.ask('chat', { message: 'who answers?', conversation_id });
    hub.isDeaf = isDeaf;
    await append('task_deleted', { task_id });
    hub.isDeaf = false;
    await server.context.delivery.tail();
    expect(await sender.next('error', (payload) => payload.task_id === task_id)).toMatchObject({ error: 'cancelled' });
  };
  await deleteElsewhere(false);
  await deleteElsewhere(true);
});

test('it hears it also where the bus lost it', async () => {
  const sender = await server.connect(alice);
  const { task_id } = await sender.ask('chat', { message: 'who answers?', conversation_id });
  hub.isDeaf = true;
  await fail(task_id);
  await server.context.delivery.tail();
  expect(await sender.next('error')).toMatchObject({ task_id });
});

test('it hears it where another node was asked', async () => {
  const sender = await server.connect(alice);
  const task_id = await askElsewhere();
  await fail(task_id);
  expect(await failures(sender)).toEqual([task_id]);
});

test('it hears it where another node was asked before it came here, also without the bus', async () => {
  const task_id = await askElsewhere();
  const { delivery } = server.context;
  expect(delivery.size).toBe(0);
  const back = await server.connect(alice);
  await vi.waitUntil(() => delivery.size > 0);
  hub.isDeaf = true;
  await fail(task_id);
  await delivery.tail();
  expect(await back.next('error')).toMatchObject({ task_id });
});

test('what is told by two topics while a conversation is being joined is heard once', async () => {
  const sender = await server.connect(alice);
  const task_id = await askElsewhere();
  const { log } = server.context.store as { log: { -readonly [K in keyof LogStore]: LogStore[K] } };
  const lastSeq = log.lastSeq.bind(log);
  log.lastSeq = async (id) => {
    log.lastSeq = lastSeq;
    const seq = await lastSeq(id);
    await fail(task_id);
    return seq;
  };
  await join();
  expect(await failures(sender)).toEqual([task_id]);
});

test('who waits over REST hears of an end, and of a deletion, on another node', async () => {
  const ask = (message: string) =>
    server.call('POST', `/chat/${conversation_id}/continue?wait=30`, { token: alice.token, json: { message } });
  const asked = async () => {
    let open;
    do open = await server.context.store.conversations.tasks(alice.id, { status: 'pending' }, { skip: 0, limit: 1 });
    while (open.total === 0);
    return open.tasks[0]?.id ?? '';
  };
  const first = ask('first');
  await fail(await asked());
  expect((await first).body).toMatchObject({ task_status: 'failed' });
  const second = ask('second');
  await asked();
  await append('conversation_deleted', {});
  expect((await second).body).toMatchObject({ task_status: 'cancelled' });
});

test('a refusal never rests on what is remembered of before another node wrote', async () => {
  const client = await server.connect(bob, { protocol: 1 });
  const send = () => client.ask('chat', { message: 'may I?', conversation_id });
  expect(await send()).toMatchObject({ ok: false, error: { code: 'not_found' } });
  hub.isDeaf = true;
  const member = { user_id: bob.id, username: 'bob', role: 'member', joined_at: '2026-01-01T00:00:00.000Z' } as const;
  await append('member_joined', { member });
  expect(await send()).toMatchObject({ ok: true });
  await append('member_left', { user_id: bob.id, username: 'bob' });
  expect(await send()).toMatchObject({ ok: false, error: { code: 'not_found' } });
});

test('a removal on another node takes the sockets out, told or not', async () => {
  const member = { user_id: bob.id, username: 'bob', role: 'member', joined_at: '2026-01-01T00:00:00.000Z' } as const;
  await append('member_joined', { member });
  const client = await join(bob);
  hub.isDeaf = true;
  await append('member_left', { user_id: bob.id, username: 'bob' });
  await rename('not for bob');
  await server.context.delivery.tail();
  expect((await client.next('conversation_event', ({ type }) => type === 'member_left')).seq).toBe(3);
  const { conversation_id: own } = await client.ask('chat', { message: 'mine' });
  expect((await client.next('conversation_event')).conversation_id).toBe(own);
});

test('a deletion on another node takes the sockets out, also where its log was swept before this node looked', async () => {
  const client = await join();
  hub.isDeaf = true;
  await rename('soon gone');
  const { seq } = await append('conversation_deleted', {});
  while ((await server.context.store.sweep(500)) > 0);
  await server.context.delivery.tail();
  expect(await client.next('conversation_event')).toMatchObject({ type: 'conversation_deleted', seq });
});

test('a new name, and the end of a login, reach the sockets on other nodes', async () => {
  const client = await server.connect(alice, { protocol: 1 });
  const user = { id: alice.id, username: 'alicia', email: 'alice@example.com', full_name: null };
  otherBus.publish([`user:${alice.id}`], { kind: 'renamed', user });
  const { user_message } = await client.ask('chat', { message: 'it is me', conversation_id });
  expect(user_message.author.name).toBe('alicia');
  const { body } = await server.call('GET', '/auth/sessions', { token: alice.token });
  otherBus.publish(['all'], { kind: 'revoked', session_ids: body.sessions.map(({ id }: { id: string }) => id) });
  await client.next('session_expired');
  await client.next('disconnect');
});

test('lists of others change where their sockets are', async () => {
  const client = await server.connect(alice, { protocol: 1 });
  await rename('elsewhere');
  expect(await client.next('conversation_changed')).toEqual({ conversation_id, seq: 2 });
});
