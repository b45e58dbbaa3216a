import { afterEach, describe, expect, test } from 'vitest';
import { createScripted } from '../../src/assistants/scripted.ts';
import { conversationTopic } from '../../src/delivery/bus.ts';
import { TestHub } from '../support/test-hub.ts';
import { startServer, type TestServer } from '../support/start-server.ts';
import type { TestClient } from '../support/test-client.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function start(options: Parameters<typeof startServer>[0]): Promise<TestServer> {
  const server = await startServer(options);
  servers.push(server);
  return server;
}

function textOf(client: TestClient, taskId: string, attempt = 1): string {
  const deltas = client.received.filter(
    ({ name, payload }) => name === 'response_delta' && payload.task_id === taskId && payload.attempt === attempt,
  );
  let text = '';
  for (const { payload } of deltas) {
    expect(payload.index).toBe(text.length);
    expect(payload.text.isWellFormed()).toBe(true);
    text += payload.text;
  }
  return text;
}

describe('a streamed answer', () => {
  test('is the concatenation of its deltas, with surrogate pairs whole however the assistant splits them', async () => {
    const emoji = '👩‍👩‍👧';
    const units = Array.from({ length: emoji.length }, (_, index) => ({ text: emoji.charAt(index) }));
    const assistant = createScripted([[{ text: 'before ' }, ...units, { text: ' NUL \u0000 and \ud83d alone' }]]);
    const server = await start({ assistant });
    const client = await server.connect(await server.signUp('alice'), { protocol: 1 });
    const { task_id } = await client.ask('chat', { message: 'go' });
    const { data } = await client.next('conversation_event', (event) => event.data.ends_task);
    expect(data.message.content).toBe(`before ${emoji} NUL \u0000 and \ufffd alone`);
    expect(textOf(client, task_id)).toBe(data.message.content);
  });

  test('can be joined late: the checkpoint reaches the first delta that the joiner gets', async () => {
    const gate = Promise.withResolvers<void>();
    const late = Promise.withResolvers<void>();
    const assistant = createScripted([
      [
        { text: 'the beginning, ' },
        { until: late.promise },
        { text: 'the middle, ' },
        { until: gate.promise },
        { text: 'the end' },
      ],
    ]);
    const server = await start({ assistant });
    const alice = await server.signUp('alice');
    const first = await server.connect(alice, { protocol: 1 });
    const { conversation_id, task_id } = await first.ask('chat', { message: 'go' });
    await first.next('response_delta');
    const joiner = await server.connect(alice, { protocol: 1 });
    await joiner.ask('join_conversation', { conversation_id, after_seq: 0 });
    late.resolve();
    const held = await joiner.next('response_delta');
    let checkpoint = '';
    while (checkpoint.length < held.index) {
      const page = await joiner.ask('sync', { conversation_id, after_seq: 1 });
      checkpoint = page.running.find((answer: { task_id: string }) => answer.task_id === task_id).text;
    }
    expect(checkpoint.slice(0, held.index)).toBe('the beginning, ');
    gate.resolve();
    const { data } = await joiner.next('conversation_event', (event) => event.data.ends_task);
    const deltas = joiner.received.filter(({ name }) => name === 'response_delta').map(({ payload }) => payload.text);
    expect(checkpoint.slice(0, held.index) + deltas.join('')).toBe(data.message.content);
  });

  test('that fails keeps what people saw, and says why without its cause', async () => {
    const server = await start({
      assistant: createScripted([[{ text: 'so far so good' }, { fail: 'the secret cause' }]]),
    });
    const client = await server.connect(await server.signUp('alice'), { protocol: 1 });
    const { task_id } = await client.ask('chat', { message: 'go' });
    const event = await client.next('conversation_event', ({ type }) => type === 'task_ended');
    expect(event.data.task).toMatchObject({
      id: task_id,
      status: 'failed',
      error: { code: 'assistant_failed', message: expect.any(String) },
      partial_text: 'so far so good',
    });
    expect(await client.next('response_end')).toMatchObject({ status: 'failed' });
    expect(JSON.stringify(client.received)).not.toContain('secret cause');
  });

  test('that hangs is ended at its deadline, and the next message is answered', async () => {
    const assistant = createScripted([[{ text: 'hm' }, { hang: true }], [{ text: 'here' }]]);
    const server = await start({ assistant, settings: { TASK_DEADLINE_SECONDS: '1' } });
    const client = await server.connect(await server.signUp('alice'), { protocol: 1 });
    const { conversation_id } = await client.ask('chat', { message: 'one' });
    await client.ask('chat', { message: 'two', conversation_id });
    const ended = await client.next('conversation_event', ({ type }) => type === 'task_ended');
    expect(ended.data.task.error.code).toBe('assistant_timeout');
    const answer = await client.next('conversation_event', ({ data }) => data.ends_task);
    expect(answer.data.message.content).toBe('here');
  });

  test('that is too long is cut, and says so', async () => {
    const server = await start({ assistant: createScripted([[{ flood: 50_000 }]]), settings: { ANSWER_MAX: '10000' } });
    const client = await server.connect(await server.signUp('alice'), { protocol: 1 });
    const { task_id } = await client.ask('chat', { message: 'go' });
    const { data } = await client.next('conversation_event', (event) => event.data.ends_task);
    expect(data.message.content).toHaveLength(10_000);
    expect(data.message.metadata).toEqual({ truncated: true });
    expect(textOf(client, task_id)).toBe(data.message.content);
  });

  test('cut off by a shutdown is begun again by the next server, with a higher attempt, and ends once', async () => {
    const first = await start({ assistant: createScripted([[{ text: 'cut ' }, { hang: true }]]) });
    const alice = await first.signUp('alice');
    const client = await first.connect(alice, { protocol: 1 });
    const { conversation_id, task_id } = await client.ask('chat', { message: 'go' });
    await client.next('response_delta');
    const closing = first.stop();
    expect(await client.next('response_end')).toMatchObject({ status: 'interrupted', attempt: 1 });
    expect(await client.next('server_shutdown')).toMatchObject({ reconnect_after_ms: expect.any(Number) });
    await closing;
    const second = await start({ assistant: createScripted([[{ text: 'whole' }]]), directory: first.directory });
    const again = await second.connect(alice, { protocol: 1 });
    let page;
    do page = await again.ask('sync', { conversation_id, after_seq: 1 });
    while (page.events.length === 0);
    expect(page.events).toHaveLength(1);
    expect(page.events[0].data).toMatchObject({
      message: { content: 'whole' },
      ends_task: { id: task_id, attempt: 2 },
    });
  });
});

test('what is committed and streamed is told to the nodes that follow its conversation', async () => {
  const hub = new TestHub();
  const server = await start({ bus: hub.connect() });
  const received: string[] = [];
  const other = hub.connect();
  other.subscribe(
    (message) => received.push(message.kind),
    () => undefined,
  );
  const alice = await server.signUp('alice');
  const client = await server.connect(alice, { protocol: 1 });
  const { body } = await server.call('POST', '/conversations', { token: alice.token, json: { title: 'a room' } });
  void other.follow(conversationTopic(body.id));
  await client.ask('chat', { message: 'go', conversation_id: body.id });
  await client.next('response_end');
  expect(received).toEqual(['event', 'stream', 'stream', 'event', 'stream']);
});
