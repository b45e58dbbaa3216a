import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatAnswerSchema } from '@tertulia/protocol';
import { createScripted } from '../../src/assistants/scripted.ts';
import { asker } from '../support/asker.ts';
import { withServer } from '../support/with-server.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';

let server: TestServer;
let alice: Person;
let bob: Person;
const ask = asker(() => server);

beforeAll(async () => {
  server = await startServer();
  alice = await server.signUp('alice');
  bob = await server.signUp('bob');
});
afterAll(() => server.close());

test('a message over REST is acknowledged at once, without an answer', async () => {
  const { status, body } = await ask(alice, 'POST', '/chat', { message: 'hello', metadata: { mood: 'fine' } });
  expect(status).toBe(201);
  expect(chatAnswerSchema.strict().parse(body)).toMatchObject({
    user_message: { role: 'user', content: 'hello', metadata: { mood: 'fine' }, task_id: body.task_id },
    assistant_responses: [],
  });
});

test('whoever waits gets the answer', async () => {
  const { status, body } = await ask(alice, 'POST', '/chat?wait=60', { message: 'echo this' });
  expect(status).toBe(201);
  expect(body).toMatchObject({ task_status: 'completed', task_error: null });
  expect(body.assistant_responses).toMatchObject([{ role: 'assistant', content: 'echo this', task_id: body.task_id }]);
});

test('a conversation is continued under its address', async () => {
  const first = await ask(alice, 'POST', '/chat', { message: 'one' });
  const id = first.body.conversation_id;
  const second = await ask(alice, 'POST', `/chat/${id}/continue?wait=60`, { message: 'two' });
  expect(second.body).toMatchObject({ conversation_id: id, assistant_responses: [{ content: 'two' }] });
  const third = await ask(alice, 'POST', '/chat', { message: 'three', conversation_id: id });
  expect(third.body.conversation_id).toBe(id);
});

test('a repeat of the same message is stored once and can be waited for', async () => {
  const message = { message: 'only once', client_msg_id: 'mine-1' };
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask(alice, 'POST', '/chat?wait=60', message)));
  for (const { status, body } of answers) expect({ status, body }).toEqual({ status: 201, body: answers[0]?.body });
  const id = answers[0]?.body.conversation_id;
  const history = await ask(alice, 'GET', `/conversations/${id}/messages`);
  expect(history.body.messages.map((one: { content: string }) => one.content)).toEqual(['only once', 'only once']);
  const other = await ask(alice, 'POST', '/chat', { ...message, message: 'something else' });
  expect(other).toMatchObject({ status: 409, body: { error: 'idempotency_conflict' } });
});

test('what cannot be a message is refused and says what is wrong', async () => {
  const nothing = await ask(alice, 'POST', '/chat', {});
  expect(nothing).toMatchObject({ status: 422, body: { error: 'invalid_payload' } });
  expect(nothing.body.detail).toEqual([{ loc: ['body', 'message'], msg: 'Field required', type: 'missing' }]);
  expect((await ask(alice, 'POST', '/chat', { message: ' \u200b ' })).status).toBe(422);
  expect((await ask(alice, 'POST', '/chat?wait=61', { message: 'hello' })).status).toBe(422);
  expect((await ask(alice, 'POST', '/chat?wait=soon', { message: 'hello' })).status).toBe(422);
  const long = await ask(alice, 'POST', '/chat', { message: 'x'.repeat(16_001) });
  expect(long).toMatchObject({ status: 413, body: { error: 'too_large', limit: '16000 code points' } });
});

test('nobody writes without a token or into the conversation of somebody else', async () => {
  const { body } = await ask(alice, 'POST', '/chat', { message: 'mine' });
  expect((await server.call('POST', '/chat', { json: { message: 'hello' } })).status).toBe(401);
  const foreign = await ask(bob, 'POST', `/chat/${body.conversation_id}/continue`, { message: 'hello' });
  const missing = await ask(bob, 'POST', '/chat/0123456789abcdef/continue', { message: 'hello' });
  expect(foreign).toMatchObject({ status: 404, body: { error: 'not_found' } });
  expect(foreign).toEqual(missing);
});

test('sockets and REST share one limit on messages', async () => {
  await withServer({ nodes: 1, settings: { CHAT_RATE: '1', CHAT_BURST: '2' } }, async (limited) => {
    const carol = await limited.signUp('carol');
    const socket = await limited.connect(carol, { protocol: 1 });
    expect(await socket.ask('chat', { message: 'one' })).toMatchObject({ ok: true });
    const send = () => limited.call('POST', '/chat', { token: carol.token, json: { message: 'more' } });
    expect((await send()).status).toBe(201);
    const refused = await send();
    expect(refused).toMatchObject({ status: 429, body: { error: 'rate_limited', limit: '1 messages a second' } });
    expect(refused.body.retry_after_ms).toBeGreaterThan(0);
    expect(await socket.ask('chat', { message: 'five' })).toMatchObject({ ok: false, error: { code: 'rate_limited' } });
  });
});

test('sockets and REST share one queue of unanswered messages', async () => {
  const { promise, resolve } = Promise.withResolvers();
  const assistant = createScripted([[{ until: promise }]]);
  await withServer({ assistant, settings: { TASKS_RUNNING: '1', TASKS_QUEUED: '1' } }, async (busy) => {
    const carol = await busy.signUp('carol');
    const socket = await busy.connect(carol, { protocol: 1 });
    expect(await socket.ask('chat', { message: 'runs' })).toMatchObject({ ok: true });
    const send = () => busy.call('POST', '/chat', { token: carol.token, json: { message: 'waits' } });
    expect((await send()).status).toBe(201);
    expect(await send()).toMatchObject({ status: 429, body: { error: 'too_many_tasks' } });
    resolve(undefined);
  });
});

test('a wait ends with its time, and says that there is no answer yet', async () => {
  await withServer({ settings: { ASSISTANT: 'external' } }, async (slow) => {
    const carol = await slow.signUp('carol');
    const answer = await slow.call('POST', '/chat?wait=1', { token: carol.token, json: { message: 'hello' } });
    const body = { task_status: 'pending', task_error: null, assistant_responses: [] };
    expect(answer).toMatchObject({ status: 201, body });
  });
});

test('a failure ends the wait and is told', async () => {
  await withServer({ assistant: createScripted([[{ fail: 'out of luck' }]]) }, async (failing) => {
    const carol = await failing.signUp('carol');
    const { body } = await failing.call('POST', '/chat?wait=60', { token: carol.token, json: { message: 'hello' } });
    expect(body).toMatchObject({ task_status: 'failed', task_error: { code: 'assistant_failed' } });
    expect(JSON.stringify(body)).not.toContain('out of luck');
  });
});

test('without an assistant a wait is over at once', async () => {
  await withServer({ settings: { ASSISTANT: 'none' } }, async (quiet) => {
    const carol = await quiet.signUp('carol');
    const { body } = await quiet.call('POST', '/chat?wait=60', { token: carol.token, json: { message: 'hello' } });
    expect(body).toMatchObject({ task_status: 'completed', assistant_responses: [] });
  });
});

test('a server that stops does not keep whoever waits', async () => {
  await withServer({ settings: { ASSISTANT: 'external' } }, async (slow) => {
    const carol = await slow.signUp('carol');
    const bell = await slow.connect(carol, { protocol: 1 });
    const waiting = slow.call('POST', '/chat?wait=60', { token: carol.token, json: { message: 'hello' } });
    await bell.next('conversation_changed');
    const [answer] = await Promise.all([waiting, slow.stop()]);
    expect(answer).toMatchObject({ status: 201, body: { task_status: 'pending' } });
  });
});
