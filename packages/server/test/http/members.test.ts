import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { memberListSchema } from '@tertulia/protocol';
import { asker } from '../support/asker.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';

let server: TestServer;
let alice: Person;
let bob: Person;
let carol: Person;
let path: string;
const ask = asker(() => server);

beforeAll(async () => {
  server = await startServer();
  [alice, bob, carol] = await Promise.all([server.signUp('alice'), server.signUp('Bøb'), server.signUp('carol')]);
});
afterAll(() => server.close());

beforeEach(async () => {
  const { body } = await ask(alice, 'POST', '/conversations', { title: 'Ours' });
  path = `/conversations/${body.id}/members`;
});

const names = async () =>
  memberListSchema.parse((await ask(alice, 'GET', path)).body).members.map(({ username, role }) => [username, role]);

test('the owner adds people by username, in any case, and removes them', async () => {
  expect(await names()).toEqual([['alice', 'owner']]);
  const added = await ask(alice, 'POST', path, { username: 'BØB' });
  expect(added).toMatchObject({ status: 201, body: { user_id: bob.id, username: 'Bøb', role: 'member' } });
  await ask(alice, 'POST', path, { username: 'carol' });
  expect(await names()).toEqual([
    ['alice', 'owner'],
    ['Bøb', 'member'],
    ['carol', 'member'],
  ]);
  expect((await ask(alice, 'DELETE', `${path}/${encodeURIComponent('bøb')}`)).status).toBe(204);
  expect(await names()).toEqual([
    ['alice', 'owner'],
    ['carol', 'member'],
  ]);
});

test('nobody is added twice, however often at once', async () => {
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask(alice, 'POST', path, { username: 'carol' })));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(4);
  expect(answers.find(({ status }) => status === 409)?.body.error).toBe('already_member');
  expect(await names()).toHaveLength(2);
});

test.each(['nobody', 'a b', '', 'x'.repeat(254), '%00', 'alice@example.com', '\u200b\u200b\u200b'])(
  'there is nobody to add by the name "%s"',
  async (username) => {
    const answer = await ask(alice, 'POST', path, { username });
    expect(answer).toMatchObject({ status: 404, body: { detail: 'There is nobody with this username.' } });
  },
);

test('a deactivated account cannot be added', async () => {
  await server.signUp('dora');
  await server.context.accounts.setActive('dora', false);
  expect((await ask(alice, 'POST', path, { username: 'dora' })).status).toBe(404);
});

test('a member sees who is there, adds nobody, removes nobody else, and may leave', async () => {
  await ask(alice, 'POST', path, { username: 'carol' });
  await ask(alice, 'POST', path, { username: 'Bøb' });
  expect((await ask(carol, 'GET', path)).body.members).toHaveLength(3);
  expect(await ask(carol, 'POST', path, { username: 'nobody' })).toMatchObject({ status: 403 });
  expect(await ask(carol, 'DELETE', `${path}/Bøb`)).toMatchObject({ status: 403 });
  expect(await ask(carol, 'DELETE', `${path}/alice`)).toMatchObject({ status: 403 });
  expect(await ask(carol, 'DELETE', `${path}/nobody`)).toMatchObject({ status: 403 });
  expect((await ask(carol, 'DELETE', `${path}/carol`)).status).toBe(204);
  expect((await ask(carol, 'GET', path)).status).toBe(404);
});

test('the owner stays', async () => {
  const refused = await ask(alice, 'DELETE', `${path}/alice`);
  expect(refused).toMatchObject({ status: 403, body: { detail: expect.stringContaining('Delete the conversation') } });
  expect((await ask(alice, 'DELETE', `${path}/carol`)).status).toBe(404);
});

test('a stranger learns nothing, not even which usernames there are', async () => {
  const answers = await Promise.all([
    ask(carol, 'POST', path, { username: 'alice' }),
    ask(carol, 'POST', path, { username: 'nobody' }),
    ask(carol, 'DELETE', `${path}/alice`),
    ask(carol, 'DELETE', `${path}/carol`),
    ask(carol, 'GET', path),
    ask(carol, 'GET', '/conversations/0123456789abcdef/members'),
  ]);
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(answers[0]?.status).toBe(404);
});

test('somebody who was added again reads and writes again', async () => {
  const id = path.split('/')[2];
  for (const _ of [1, 2]) {
    expect((await ask(alice, 'POST', path, { username: 'carol' })).status).toBe(201);
    expect((await ask(carol, 'POST', `/chat/${id}/continue`, { message: 'hello' })).status).toBe(201);
    expect((await ask(alice, 'DELETE', `${path}/carol`)).status).toBe(204);
    expect((await ask(carol, 'POST', `/chat/${id}/continue`, { message: 'hello' })).status).toBe(404);
  }
});
