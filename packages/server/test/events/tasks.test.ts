import { afterAll, beforeAll, expect, test } from 'vitest';
import { createScripted } from '../../src/assistants/scripted.ts';
import { asker } from '../support/asker.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';
import { withServer } from '../support/with-server.ts';

let server: TestServer;
let alice: Person;
let bob: Person;
const ask = asker(() => server);

beforeAll(async () => {
  server = await startServer({ settings: { ASSISTANT: 'external' } });
  alice = await server.signUp('alice');
  bob = await server.signUp('bob');
});
afterAll(() => server.close());

/** A question of Alice's that waits for a worker. */
async function question(message = 'What time is it?') {
  const { body } = await ask(alice, 'POST', '/tasks', { user_message: message });
  expect(body).toMatchObject({ status: 'pending', attempt: 0, user_message: { content: message } });
  return { id: body.id as string, path: `/tasks/${body.id}`, conversation: body.conversation_id as string };
}

test('a worker finds a question, says that it works on it, answers in parts, and everyone gets the answer', async () => {
  const [base, extended] = [await server.connect(alice), await server.connect(alice, { protocol: 1 })];
  const asked = await extended.ask('chat', { message: 'What time is it?' });
  const found = await ask(alice, 'GET', `/tasks?status=pending&conversation_id=${asked.conversation_id}`);
  expect(found.body).toMatchObject({ total: 1, tasks: [{ id: asked.task_id }] });
  const path = `/tasks/${asked.task_id}`;
  expect((await ask(alice, 'PUT', path, { status: 'in_progress' })).body.status).toBe('in_progress');

  const first = await ask(alice, 'POST', `${path}/messages`, { content: 'One moment.', final: false });
  expect(first).toMatchObject({ status: 201, body: { role: 'assistant', author: { kind: 'assistant' } } });
  expect((await ask(alice, 'GET', path)).body.status).toBe('in_progress');
  const last = await ask(alice, 'POST', `${path}/messages`, { content: 'Noon.', metadata: { zone: 'UTC' } });
  expect(last).toMatchObject({ status: 201, body: { metadata: { zone: 'UTC' } } });

  expect(await base.next('conversation', ({ task_id }) => task_id === asked.task_id)).toMatchObject({
    user_message: { content: 'What time is it?' },
    assistant_responses: [{ content: 'One moment.' }, { content: 'Noon.' }],
  });
  const end = await extended.next('conversation_event', ({ data }) => data.ends_task);
  expect(end).toMatchObject({
    type: 'message_created',
    actor: { kind: 'user', name: 'alice' },
    data: { message: { content: 'Noon.' }, ends_task: { id: asked.task_id, status: 'completed' } },
  });
  const done = await ask(alice, 'GET', path);
  expect(done.body).toMatchObject({ status: 'completed', assistant_responses: [{}, {}] });
  expect((await ask(alice, 'GET', `${path}/messages`)).body.messages).toHaveLength(3);
});

test("a worker's answer ends a wait", async () => {
  const bell = await server.connect(alice, { protocol: 1 });
  const waiting = ask(alice, 'POST', '/chat?wait=60', { message: 'Anybody there?' });
  const { conversation_id } = await bell.next('conversation_changed');
  const { body } = await ask(alice, 'GET', `/tasks?conversation_id=${conversation_id}`);
  await ask(alice, 'POST', `/tasks/${body.tasks[0].id}/messages`, { content: 'Here!' });
  expect((await waiting).body).toMatchObject({ task_status: 'completed', assistant_responses: [{ content: 'Here!' }] });
});

test('a repeat of the same answer is stored once, also when it comes at once and after the end', async () => {
  const { path } = await question();
  const answer = { content: 'Noon.', client_msg_id: 'worker-1' };
  const all = await Promise.all(Array.from({ length: 10 }, () => ask(alice, 'POST', `${path}/messages`, answer)));
  all.push(await ask(alice, 'POST', `${path}/messages`, answer));
  for (const { status, body } of all) expect({ status, body }).toEqual({ status: 201, body: all[0]?.body });
  expect((await ask(alice, 'GET', path)).body.assistant_responses).toHaveLength(1);
  const other = await ask(alice, 'POST', `${path}/messages`, { ...answer, content: 'One.' });
  expect(other).toMatchObject({ status: 409, body: { error: 'idempotency_conflict' } });
});

test('after the end nothing is answered any more, and only one of several ends stands', async () => {
  const { path } = await question();
  const ends = await Promise.all([
    ...['a', 'b', 'c'].map((content) => ask(alice, 'POST', `${path}/messages`, { content })),
    ask(alice, 'PUT', path, { status: 'failed' }),
    ask(alice, 'PUT', path, { status: 'cancelled' }),
  ]);
  expect(ends.filter(({ status }) => status < 300)).toHaveLength(1);
  expect(ends.filter(({ body }) => body.error === 'task_ended' && body.task_id === path.split('/')[2])).toHaveLength(4);
  const late = await ask(alice, 'POST', `${path}/messages`, { content: 'late', final: false });
  expect(late).toMatchObject({ status: 409, body: { error: 'task_ended' } });
});

test('nothing is said to a task after its end, however close', async () => {
  const { path, conversation } = await question();
  const say = (content: string) => ask(alice, 'POST', `${path}/messages`, { content, final: false });
  const before = Array.from({ length: 4 }, (_, index) => say(`part ${index}`));
  const last = ask(alice, 'POST', `${path}/messages`, { content: 'the end' });
  const after = Array.from({ length: 20 }, (_, index) => say(`late ${index}`));
  await Promise.all([...before, last, ...after]);
  const { body } = await ask(alice, 'GET', `/conversations/${conversation}/events`);
  expect(body.events.at(-1).data.message.content).toBe('the end');
});

test('the same end again is fine, another is refused, and so are changes after it', async () => {
  const { path } = await question();
  const ended = await ask(alice, 'PUT', path, { status: 'completed', tags: ['done'] });
  expect(ended).toMatchObject({ status: 200, body: { status: 'completed', tags: ['done'], assistant_responses: [] } });
  expect(ended.body.actual_duration).toBeGreaterThanOrEqual(0);
  expect(await ask(alice, 'PUT', path, { status: 'completed', tags: ['done'] })).toEqual(ended);
  for (const change of [{ status: 'failed' }, { status: 'in_progress' }, { status: 'pending' }, { tags: [] }]) {
    expect(await ask(alice, 'PUT', path, change)).toMatchObject({ status: 409, body: { error: 'task_ended' } });
  }
});

test('fields are changed while a task is open, and what has begun is not pending again', async () => {
  const { path, conversation } = await question();
  const changes = { title: 'The time', priority: 'urgent', completion_percentage: 50, metadata: { a: 1 } };
  const changed = await ask(alice, 'PUT', path, { ...changes, status: 'pending' });
  expect(changed).toMatchObject({ status: 200, body: { ...changes, status: 'pending', category: null } });
  expect(await ask(alice, 'PUT', path, { ...changes, status: 'pending' })).toEqual(changed);
  const { body } = await ask(alice, 'GET', `/conversations/${conversation}/events`);
  expect(body.events.map(({ type }: { type: string }) => type)).toEqual(['conversation_created', 'task_updated']);
  await ask(alice, 'PUT', path, { status: 'in_progress' });
  expect((await ask(alice, 'PUT', path, { status: 'pending' })).status).toBe(422);
});

test('a deleted task is gone with its messages, and its asker is told on the base layer', async () => {
  const base = await server.connect(alice);
  const { id, path, conversation } = await question('a secret');
  const waiting = ask(alice, 'GET', path);
  expect((await waiting).status).toBe(200);
  expect((await ask(alice, 'DELETE', path)).status).toBe(204);
  expect(await base.next('error', ({ task_id }) => task_id === id)).toMatchObject({
    message: 'The answer was cancelled.',
  });
  expect((await ask(alice, 'GET', path)).status).toBe(404);
  expect((await ask(alice, 'DELETE', path)).status).toBe(404);
  expect((await ask(alice, 'POST', `${path}/messages`, { content: 'late' })).status).toBe(404);
  expect((await ask(alice, 'GET', `/conversations/${conversation}/messages`)).body.messages).toEqual([]);
  const log = await ask(alice, 'GET', `/conversations/${conversation}/events`);
  expect(log.body.events.at(-1)).toMatchObject({ type: 'task_deleted', data: { task_id: id } });
  expect(JSON.stringify(log.body.events)).not.toContain('a secret');
});

test('the title that a question gave its conversation goes with it, and one that was chosen stays', async () => {
  const [secret, named] = [await question('my secret plan'), await question('my other secret')];
  await ask(alice, 'PUT', `/conversations/${named.conversation}`, { title: 'Plans' });
  const watching = await server.connect(alice, { protocol: 1 });
  await watching.ask('join_conversation', { conversation_id: secret.conversation });
  for (const { path } of [secret, named]) expect((await ask(alice, 'DELETE', path)).status).toBe(204);
  expect(await watching.next('conversation_event', ({ type }) => type === 'conversation_updated')).toMatchObject({
    data: { title: '…' },
  });
  const { body } = await ask(alice, 'GET', '/conversations');
  const titles = new Map(body.conversations.map(({ id, title }: { id: string; title: string }) => [id, title]));
  expect(titles.get(secret.conversation)).toBe('…');
  expect(titles.get(named.conversation)).toBe('Plans');
  for (const { conversation } of [secret, named]) {
    expect(JSON.stringify(await ask(alice, 'GET', `/conversations/${conversation}/events`))).not.toContain('secret');
  }
});

test('an ended task can be deleted as well', async () => {
  const { path } = await question();
  await ask(alice, 'POST', `${path}/messages`, { content: 'Noon.' });
  expect((await ask(alice, 'DELETE', path)).status).toBe(204);
  expect((await ask(alice, 'GET', path)).status).toBe(404);
});

test("other members read a task, but only who asked and the conversation's owner answer or end it", async () => {
  const { path, conversation } = await question();
  await ask(alice, 'POST', `/conversations/${conversation}/members`, { username: 'bob' });
  expect((await ask(bob, 'GET', path)).body.id).toBe(path.split('/')[2]);
  const tries = [
    ask(bob, 'PUT', path, { status: 'cancelled' }),
    ask(bob, 'PUT', path, { title: 'Mine' }),
    ask(bob, 'DELETE', path),
    ask(bob, 'POST', `${path}/messages`, { content: 'forged' }),
  ];
  for (const answer of await Promise.all(tries)) expect(answer).toMatchObject({ status: 403 });

  const his = await ask(bob, 'POST', '/tasks', { user_message: 'And mine?', conversation_id: conversation });
  expect((await ask(bob, 'POST', `/tasks/${his.body.id}/messages`, { content: 'mine' })).status).toBe(201);
  const another = await ask(bob, 'POST', '/tasks', { user_message: 'Once more?', conversation_id: conversation });
  expect((await ask(alice, 'PUT', `/tasks/${another.body.id}`, { status: 'cancelled' })).status).toBe(200);
});

test('an answer may be as long as an answer can be, and not longer', async () => {
  await withServer({ settings: { ASSISTANT: 'external', ANSWER_MAX: '20' } }, async (strict) => {
    const carol = await strict.signUp('carol');
    const { body } = await strict.call('POST', '/tasks', { token: carol.token, json: { user_message: 'short?' } });
    const answer = (content: string) =>
      strict.call('POST', `/tasks/${body.id}/messages`, { token: carol.token, json: { content } });
    expect(await answer('x'.repeat(21))).toMatchObject({ status: 413, body: { limit: '20 code points' } });
    expect((await answer('😀'.repeat(20))).status).toBe(201);
  });
});

test('ending a task stops the assistant, keeps what was seen, and lets the next one run', async () => {
  const assistant = createScripted([[{ text: 'A long ' }, { hang: true }], [{ text: 'next' }]]);
  await withServer({ assistant }, async (running) => {
    const carol = await running.signUp('carol');
    const [base, extended] = [await running.connect(carol), await running.connect(carol, { protocol: 1 })];
    const asked = await extended.ask('chat', { message: 'long?' });
    await extended.next('response_delta');
    const next = await extended.ask('chat', { message: 'next?', conversation_id: asked.conversation_id });
    const path = `/tasks/${asked.task_id}`;
    expect((await running.call('GET', path, { token: carol.token })).body.status).toBe('in_progress');
    const cancel = () => running.call('PUT', path, { token: carol.token, json: { status: 'cancelled' } });
    expect(await cancel()).toMatchObject({ status: 200, body: { status: 'cancelled', attempt: 1 } });
    expect((await cancel()).status).toBe(200);
    expect(assistant.calls[0]?.signal.aborted).toBe(true);
    expect(await extended.next('conversation_event', ({ type }) => type === 'task_ended')).toMatchObject({
      data: { task: { id: asked.task_id, status: 'cancelled', error: null } },
    });
    expect(await base.next('error')).toMatchObject({ task_id: asked.task_id, message: 'The answer was cancelled.' });
    expect(await base.next('conversation')).toMatchObject({
      task_id: next.task_id,
      assistant_responses: [{ content: 'next' }],
    });
  });
});

test('who asked in a conversation that is deleted is told that no answer comes, on both layers', async () => {
  const { conversation } = await question();
  await ask(alice, 'POST', `/conversations/${conversation}/members`, { username: 'bob' });
  const [base, extended] = [await server.connect(bob), await server.connect(bob, { protocol: 1 })];
  const asked = await extended.ask('chat', { message: 'And mine?', conversation_id: conversation });
  expect((await ask(alice, 'DELETE', `/conversations/${conversation}`)).status).toBe(204);
  expect(await base.next('error', ({ task_id }) => task_id === asked.task_id)).toMatchObject({ error: 'cancelled' });
  const log = [await extended.next('conversation_event', ({ type }) => type === 'task_ended')];
  while (log.at(-1).type !== 'conversation_deleted') log.push(await extended.next('conversation_event'));
  expect(log.map(({ type }) => type)).toEqual(['task_ended', 'task_ended', 'conversation_deleted']);
  expect(log[0]).toMatchObject({ data: { task: { id: asked.task_id, status: 'cancelled' } } });
});

test('deleting a conversation stops its assistant, ends waits and frees the places in the queue', async () => {
  const assistant = createScripted([[{ hang: true }], [{ text: 'free' }]]);
  await withServer({ assistant, settings: { TASKS_RUNNING: '1', TASKS_QUEUED: '1' } }, async (busy) => {
    const carol = await busy.signUp('carol');
    const send = (path: string, message: string) => busy.call('POST', path, { token: carol.token, json: { message } });
    const first = await send('/chat', 'runs');
    const bell = await busy.connect(carol, { protocol: 1 });
    const waiting = send(`/chat/${first.body.conversation_id}/continue?wait=60`, 'waits');
    await bell.next('conversation_changed');
    expect((await send('/chat', 'too many')).status).toBe(429);
    await busy.call('DELETE', `/conversations/${first.body.conversation_id}`, { token: carol.token });
    expect((await waiting).body).toMatchObject({ task_status: 'cancelled' });
    expect(assistant.calls[0]?.signal.aborted).toBe(true);
    expect((await send('/chat?wait=60', 'again')).body).toMatchObject({ assistant_responses: [{ content: 'free' }] });
  });
});
