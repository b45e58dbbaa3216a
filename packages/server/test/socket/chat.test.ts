import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';

describe('chat on protocol 1', () => {
  let server: TestServer;
  let alice: Person;
  let bob: Person;
  beforeAll(async () => {
    server = await startServer();
    alice = await server.signUp('alice');
    bob = await server.signUp('bob');
  });
  afterAll(() => server.close());

  test('connected tells what a client must know to catch up', async () => {
    const client = await server.connect(alice, { protocol: 1 });
    expect(client.received[0]?.payload).toMatchObject({
      protocol: 1,
      store_epoch: server.context.store.epoch,
      heartbeat_ms: 10_000,
      expires_at: expect.any(Number),
      limits: { message_code_points: 16_000, page_events: 100, page_bytes: 131_072 },
    });
  });

  test('the sender of a first message has joined: it sees its event, the stream and the answer, without asking', async () => {
    const client = await server.connect(alice, { protocol: 1 });
    const answer = await client.ask('chat', { message: 'hello', metadata: { client: 'test' } });
    expect(answer).toMatchObject({
      ok: true,
      seq: 1,
      user_message: { content: 'hello', metadata: { client: 'test' } },
    });
    await client.next('response_end');
    expect(client.names().slice(1)).toEqual([
      'conversation_event',
      'response_start',
      'response_delta',
      'conversation_event',
      'response_end',
    ]);
    const events = client.received.filter(({ name }) => name === 'conversation_event');
    expect(events.map(({ payload }) => [payload.seq, payload.type])).toEqual([
      [1, 'conversation_created'],
      [2, 'message_created'],
    ]);
    expect(events[0]?.payload.data.message).toEqual(answer.user_message);
  });

  test('a repeat gets the first answer again, also without a conversation, also on another socket, 50 times at once', async () => {
    const first = await server.connect(alice, { protocol: 1 });
    const second = await server.connect(alice);
    const message = { message: 'only once', client_msg_id: 'once-1' };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (index % 2 ? first : second).ask('chat', message)),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    const page = await first.ask('sync', { conversation_id: answers[0].conversation_id, after_seq: 0 });
    expect(page.events.filter(({ actor }: { actor: { kind: string } }) => actor.kind === 'user')).toHaveLength(1);
  });

  test('the same id with another body is a conflict, for another user or conversation it is another message', async () => {
    const client = await server.connect(alice, { protocol: 1 });
    const other = await server.connect(bob, { protocol: 1 });
    const { conversation_id } = await client.ask('chat', { message: 'one', client_msg_id: 'shared' });
    for (const body of [{ message: 'two' }, { message: 'one', metadata: { x: 1 } }]) {
      const answer = await client.ask('chat', { ...body, client_msg_id: 'shared', conversation_id });
      expect(answer).toMatchObject({ ok: false, error: { code: 'idempotency_conflict', client_msg_id: 'shared' } });
    }
    const room = await client.ask('chat', { message: 'a second room', client_msg_id: 'another' });
    const elsewhere = { message: 'two', client_msg_id: 'shared', conversation_id: room.conversation_id };
    expect(await client.ask('chat', elsewhere)).toMatchObject({ ok: true });
    expect(await other.ask('chat', { message: 'two', client_msg_id: 'shared' })).toMatchObject({ ok: true });
  });

  test("a stranger's message is refused like one to a conversation that is not there", async () => {
    const client = await server.connect(alice, { protocol: 1 });
    const stranger = await server.connect(bob, { protocol: 1 });
    const { conversation_id } = await client.ask('chat', { message: 'private' });
    const foreign = await stranger.ask('chat', { message: 'let me in', conversation_id });
    const missing = await stranger.ask('chat', { message: 'let me in', conversation_id: '0'.repeat(32) });
    const sentence = 'There is no conversation with this id, or you are not a member.';
    const message = `${sentence} Leave conversation_id out to begin one.`;
    expect(foreign).toMatchObject({ ok: false, error: { code: 'not_found', message } });
    expect(foreign).toEqual(missing);
    const join = await stranger.ask('join_conversation', { conversation_id });
    expect(join).toMatchObject({ ok: false, error: { code: 'not_found', message: sentence } });
    expect(stranger.names()).toEqual(['connected']);
  });

  test('an event without a payload is told so, and one with a wrong payload which field is wrong', async () => {
    const client = await server.connect(alice, { protocol: 1 });
    const said = async (...values: unknown[]) => (await client.socket.emitWithAck('chat', ...values)).error.message;
    expect(await said()).toBe('The request has no payload.');
    const form = 'The request does not have the expected form:';
    expect(await said({})).toBe(`${form} message: is missing.`);
    expect(await said({ message: 7 })).toBe(`${form} message: must be text.`);
    expect(await said('hello')).toBe(`${form} must be an object.`);
  });

  test('messages of one conversation are answered one after the other, in order', async () => {
    const client = await server.connect(alice, { protocol: 1 });
    const { conversation_id } = await client.ask('chat', { message: 'message 0' });
    const sent = Array.from({ length: 9 }, (_, index) =>
      client.ask('chat', { message: `message ${index + 1}`, conversation_id }),
    );
    expect((await Promise.all(sent)).every(({ ok }) => ok)).toBe(true);
    await client.next('conversation_event', ({ seq }) => seq === 20);
    const events = client.received.filter(({ name }) => name === 'conversation_event').map(({ payload }) => payload);
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    const questions = events.filter(({ actor }) => actor.kind === 'user').map(({ data }) => data.task.id);
    const answers = events.filter(({ actor }) => actor.kind === 'assistant').map(({ data }) => data.ends_task.id);
    expect(answers).toEqual(questions);
  });

  test("another device's list hears of a change without having joined", async () => {
    const client = await server.connect(alice, { protocol: 1 });
    const device = await server.connect(alice, { protocol: 1 });
    const { conversation_id } = await client.ask('chat', { message: 'news' });
    expect(await device.next('conversation_changed')).toEqual({ conversation_id, seq: 1 });
    expect(device.names()).not.toContain('conversation_event');
  });
});
