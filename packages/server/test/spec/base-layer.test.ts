import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createScripted } from '../../src/assistants/scripted.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';

/** The base specification's tables, row by row, with a client that knows nothing else. */
describe('the base layer', () => {
  let server: TestServer;
  let alice: Person;
  beforeAll(async () => {
    server = await startServer();
    alice = await server.signUp('alice');
  });
  afterAll(() => server.close());

  test.each([['polling'], ['websocket']] as const)(
    'a chat over %s is answered by one conversation event',
    async (transport) => {
      const client = await server.connect(alice, { transports: [transport] });
      client.socket.emit('chat', { message: 'Hello, chatbot!', metadata: { client: 'web_app' } });
      const answer = await client.next('conversation');
      expect(answer).toEqual({
        task_id: expect.any(String),
        conversation_id: expect.any(String),
        user_message: expect.objectContaining({
          id: expect.any(String),
          role: 'user',
          content: 'Hello, chatbot!',
          metadata: { client: 'web_app' },
          timestamp: expect.any(Number),
        }),
        assistant_responses: [
          expect.objectContaining({ role: 'assistant', content: expect.stringContaining('Hello') }),
        ],
      });
      expect(Math.abs(answer.user_message.timestamp - Date.now() / 1000)).toBeLessThan(60);
      client.close();
    },
  );

  test('connected greets with the user, and nothing secret', async () => {
    const client = await server.connect(alice);
    const greeting = client.received.find(({ name }) => name === 'connected')?.payload;
    expect(greeting).toEqual({
      message: expect.any(String),
      user: { id: alice.id, username: 'alice', email: 'alice@example.com', full_name: null },
    });
    client.close();
  });

  test('joining and leaving are answered by their events, and by the acknowledgement where one is asked', async () => {
    const client = await server.connect(alice);
    const { conversation_id } = await client.ask('chat', { message: 'a room, please' });
    client.socket.emit('join_conversation', { conversation_id });
    expect(await client.next('joined_conversation')).toEqual({ conversation_id, message: expect.any(String) });
    expect(await client.ask('leave_conversation', { conversation_id })).toMatchObject({ ok: true, conversation_id });
    expect(await client.next('left_conversation')).toEqual({ conversation_id, message: expect.any(String) });
    client.close();
  });

  test('a failure without an acknowledgement is an error event with a sentence and a code', async () => {
    const client = await server.connect(alice);
    client.socket.emit('join_conversation', { conversation_id: 'some_conversation_id' });
    expect(await client.next('error')).toMatchObject({
      message: expect.stringMatching(/\w+ \w+/),
      error: 'not_found',
      event: 'join_conversation',
    });
    client.close();
  });

  test('a failure with an acknowledgement goes there alone', async () => {
    const client = await server.connect(alice);
    const answer = await client.ask('chat', { message: '   ' });
    expect(answer).toMatchObject({ ok: false, error: { code: 'invalid_payload', message: expect.any(String) } });
    expect((await client.ask('leave_conversation', { conversation_id: 'x' })).ok).toBe(true);
    expect(client.names()).not.toContain('error');
    client.close();
  });

  test.each([
    ['no token', {}],
    ['a wrong token', { token: 'nonsense' }],
    ['a number', { token: 7 }],
  ])('%s is refused as unauthorized and the transport is closed', async (_name, auth) => {
    const { io } = await import('socket.io-client');
    const socket = io(server.url, { auth, forceNew: true, reconnection: false });
    const closed = new Promise((resolve) => socket.io.engine.once('close', resolve));
    const error = await new Promise<Error>((resolve) => socket.once('connect_error', resolve));
    expect(error.message).toBe('unauthorized');
    await closed;
    socket.close();
  });

  test('every base-layer device of the sender gets the answer once', async () => {
    const phone = await server.connect(alice);
    const laptop = await server.connect(alice);
    const { conversation_id, task_id } = await phone.ask('chat', { message: 'one' });
    await laptop.ask('join_conversation', { conversation_id });
    for (const client of [phone, laptop]) await client.next('conversation', (answer) => answer.task_id === task_id);
    const second = await phone.ask('chat', { message: 'two', conversation_id });
    for (const client of [phone, laptop]) {
      await client.next('conversation', (answer) => answer.task_id === second.task_id);
      const own = client.received.filter(
        ({ name, payload }) => name === 'conversation' && payload.conversation_id === conversation_id,
      );
      expect(own.map(({ payload }) => payload.task_id)).toEqual([task_id, second.task_id]);
      client.close();
    }
  });

  test('only events of the specification reach a base-layer socket', async () => {
    const client = await server.connect(alice);
    const { conversation_id } = await client.ask('chat', { message: 'hello' });
    await client.next('conversation');
    await client.ask('join_conversation', { conversation_id });
    await client.ask('chat', { message: 'again', conversation_id });
    await client.next('conversation');
    const listed = new Set(['connected', 'conversation', 'error', 'joined_conversation', 'left_conversation']);
    expect(client.names().filter((name) => !listed.has(name))).toEqual([]);
    client.close();
  });
});

describe('the base layer without an answer', () => {
  test('with no assistant the conversation event comes at once with no responses', async () => {
    const server = await startServer({ settings: { ASSISTANT: 'none' } });
    const client = await server.connect(await server.signUp('alice'));
    client.socket.emit('chat', { message: 'anybody?' });
    expect(await client.next('conversation')).toMatchObject({
      assistant_responses: [],
      user_message: { content: 'anybody?' },
    });
    await server.close();
  });

  test('where the assistant fails the sender gets an error with the task, others in the room still see the message', async () => {
    const assistant = createScripted([[{ text: 'a fine start' }, { fail: new Error('secret cause') }]]);
    const server = await startServer({ assistant });
    const alice = await server.signUp('alice');
    const bob = await server.signUp('bob');
    const sender = await server.connect(alice);
    const created = await server.call('POST', '/conversations', { token: alice.token, json: { title: 'a room' } });
    const conversation_id = created.body.id;
    await server.call('POST', `/conversations/${conversation_id}/members`, {
      token: alice.token,
      json: { username: 'bob' },
    });
    const other = await server.connect(bob);
    await other.ask('join_conversation', { conversation_id });
    const { task_id } = await sender.ask('chat', { message: 'will it work?', conversation_id });
    expect(await sender.next('error')).toEqual({ message: expect.any(String), error: 'assistant_failed', task_id });
    expect(await other.next('conversation')).toMatchObject({ task_id, assistant_responses: [] });
    expect(JSON.stringify([sender.received, other.received])).not.toContain('secret cause');
    await server.close();
  });
});
