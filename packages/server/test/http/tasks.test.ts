import { afterAll, beforeAll, expect, test } from 'vitest';
import { taskListSchema, taskSchema } from '@tertulia/protocol';
import { asker } from '../support/asker.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';

let server: TestServer;
let alice: Person;
const ask = asker(() => server);

const fields = {
  title: 'The time',
  description: 'of day',
  priority: 'high',
  category: 'clocks',
  tags: ['time', 'day'],
  completion_percentage: 10,
  estimated_duration: 60,
  metadata: { zone: 'UTC' },
};

beforeAll(async () => {
  server = await startServer({ settings: { ASSISTANT: 'external' } });
  alice = await server.signUp('alice');
});
afterAll(() => server.close());

test('a task is a message with fields, and has its defaults where they are absent', async () => {
  const full = await ask(alice, 'POST', '/tasks', { user_message: 'What time is it?', ...fields });
  expect(full.status).toBe(201);
  expect(taskSchema.strict().parse(full.body)).toMatchObject({ ...fields, status: 'pending', assistant_responses: [] });
  expect((await ask(alice, 'GET', `/tasks/${full.body.id}`)).body).toEqual(full.body);
  const plain = await ask(alice, 'POST', '/tasks', { user_message: 'And now?' });
  expect(plain.body).toMatchObject({ title: null, priority: 'medium', tags: [], metadata: {}, error: null });
});

test('a task is made once for one client_msg_id, in its conversation', async () => {
  const { body } = await ask(alice, 'POST', '/conversations', { title: 'Clocks' });
  const wanted = { user_message: 'What time is it?', conversation_id: body.id, client_msg_id: 'mine', title: 'Once' };
  const first = await ask(alice, 'POST', '/tasks', wanted);
  expect(first.body).toMatchObject({ conversation_id: body.id, title: 'Once' });
  expect(await ask(alice, 'POST', '/tasks', wanted)).toEqual(first);
});

test('the list is filtered and paged, newest first', async () => {
  const bob = await server.signUp('bob');
  const make = async (user_message: string, more: object) =>
    (await ask(bob, 'POST', '/tasks', { user_message, ...more })).body;
  const one = await make('one', { priority: 'low', category: 'a' });
  const two = await make('two', { priority: 'urgent', category: 'a' });
  const three = await make('three', { priority: 'urgent', conversation_id: one.conversation_id });
  await ask(bob, 'PUT', `/tasks/${two.id}`, { status: 'cancelled' });
  const list = async (query: string) => {
    const { status, body } = await ask(bob, 'GET', `/tasks?${query}`);
    expect(status).toBe(200);
    const { tasks, total } = taskListSchema.strict().parse(body);
    return [tasks.map(({ user_message }) => user_message.content), total];
  };
  expect(await list('')).toEqual([['three', 'two', 'one'], 3]);
  expect(await list('skip=1&limit=1')).toEqual([['two'], 3]);
  expect(await list('priority=urgent')).toEqual([['three', 'two'], 2]);
  expect(await list('category=a&priority=low')).toEqual([['one'], 1]);
  expect(await list('status=cancelled')).toEqual([['two'], 1]);
  expect(await list('status=pending')).toEqual([['three', 'one'], 2]);
  expect(await list(`conversation_id=${three.conversation_id}`)).toEqual([['three', 'one'], 2]);
  expect(await list("category=a'%20OR%201=1--")).toEqual([[], 0]);
});

test.each([
  {},
  { user_message: '' },
  { user_message: 'x', priority: 'highest' },
  { user_message: 'x', completion_percentage: 101 },
  { user_message: 'x', tags: 'one' },
  { user_message: 'x', tags: Array.from({ length: 21 }, () => 'many') },
  { user_message: 'x', estimated_duration: -1 },
  { user_message: 'x', conversation_id: { $ne: null } },
])('a task is not made of %j', async (wrong) => {
  expect((await ask(alice, 'POST', '/tasks', wrong)).status).toBe(422);
});

test('what cannot be a change, a filter or an answer is refused', async () => {
  const { body } = await ask(alice, 'POST', '/tasks', { user_message: 'What time is it?' });
  const path = `/tasks/${body.id}`;
  expect((await ask(alice, 'PUT', path, { status: 'done' })).status).toBe(422);
  expect((await ask(alice, 'PUT', path, { priority: null })).status).toBe(422);
  expect((await ask(alice, 'GET', '/tasks?status=done')).status).toBe(422);
  expect((await ask(alice, 'POST', `${path}/messages`, { content: 'forged', role: 'user' })).status).toBe(422);
  expect((await ask(alice, 'POST', `${path}/messages`, { content: '' })).status).toBe(422);
  expect((await ask(alice, 'GET', path)).body).toEqual(body);
});
