import { afterAll, beforeAll, expect, test } from 'vitest';
import { asker } from '../support/asker.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';

let server: TestServer;
let alice: Person;
let bob: Person;
const ask = asker(() => server);

beforeAll(async () => {
  server = await startServer({ nodes: 1 }); // a test looks at what its node delivers
  alice = await server.signUp('alice');
  bob = await server.signUp('bob');
});
afterAll(() => server.close());

async function shared(): Promise<string> {
  const { body } = await ask(alice, 'POST', '/conversations', { title: 'Ours' });
  await ask(alice, 'POST', `/conversations/${body.id}/members`, { username: 'bob' });
  return body.id;
}

/** What Bob's base-layer socket and his extended one got of a conversation, joined to it. */
async function joinBoth(id: string) {
  const [base, extended] = [await server.connect(bob), await server.connect(bob, { protocol: 1 })];
  for (const socket of [base, extended]) {
    expect(await socket.ask('join_conversation', { conversation_id: id })).toMatchObject({ ok: true, joined: true });
  }
  return { base, extended };
}

test('whoever is added hears of it at once, and joins', async () => {
  const { body } = await ask(alice, 'POST', '/conversations', { title: 'Ours' });
  const extended = await server.connect(bob, { protocol: 1 });
  expect(await extended.ask('join_conversation', { conversation_id: body.id })).toMatchObject({ ok: false });
  await ask(alice, 'POST', `/conversations/${body.id}/members`, { username: 'bob' });
  expect(await extended.next('conversation_changed')).toEqual({ conversation_id: body.id, seq: 2 });
  const joined = await extended.ask('join_conversation', { conversation_id: body.id, after_seq: 1 });
  expect(joined.events).toMatchObject([
    { type: 'member_joined', data: { member: { username: 'bob', role: 'member' } }, actor: { name: 'alice' } },
  ]);
});

test('a removed member gets nothing after the event that says so, on no layer', async () => {
  const id = await shared();
  const { base, extended } = await joinBoth(id);
  const watcher = await server.connect(alice, { protocol: 1 });
  await watcher.ask('join_conversation', { conversation_id: id });

  expect((await ask(alice, 'DELETE', `/conversations/${id}/members/bob`)).status).toBe(204);
  expect(await extended.next('conversation_event', ({ type }) => type === 'member_left')).toMatchObject({
    data: { user_id: bob.id, username: 'bob' },
  });
  await watcher.ask('chat', { message: 'now that he is gone', conversation_id: id });
  await watcher.next('conversation_event', ({ data }) => data.ends_task);

  // An answer to a later event of his own shows that nothing is still on its way to him.
  for (const socket of [base, extended]) {
    expect(await socket.ask('join_conversation', { conversation_id: id })).toMatchObject({
      ok: false,
      error: { code: 'not_found' },
    });
  }
  expect(base.names()).toEqual(['connected', 'joined_conversation']);
  const seen = extended.received.filter(({ name }) => name === 'conversation_event');
  expect(seen.map(({ payload }) => payload.type)).toEqual(['member_left']);
  expect(await extended.ask('chat', { message: 'still here', conversation_id: id })).toMatchObject({ ok: false });
  expect(await extended.ask('sync', { conversation_id: id, after_seq: 0 })).toMatchObject({ ok: false });
});

test('a removed member hears that the list of conversations changed, without having joined', async () => {
  const id = await shared();
  const extended = await server.connect(bob, { protocol: 1 });
  await ask(alice, 'DELETE', `/conversations/${id}/members/bob`);
  expect(await extended.next('conversation_changed')).toEqual({ conversation_id: id, seq: 3 });
  await ask(alice, 'PUT', `/conversations/${id}`, { title: 'Mine again' });
  expect(await extended.ask('sync', { conversation_id: id, after_seq: 0 })).toMatchObject({ ok: false });
  expect(extended.names()).toEqual(['connected', 'conversation_changed']);
});

test('a member who leaves over REST is out of every room, and so is everyone when the conversation is deleted', async () => {
  const id = await shared();
  const { extended } = await joinBoth(id);
  const { delivery } = server.context;
  delivery.forgetUnused();
  const delivered = delivery.size; // conversations that a socket of this server has joined
  expect((await ask(bob, 'DELETE', `/conversations/${id}`)).status).toBe(204);
  await extended.next('conversation_event', ({ type }) => type === 'member_left');
  delivery.forgetUnused();
  expect(delivery.size).toBe(delivered - 1);

  const mine = await server.connect(alice, { protocol: 1 });
  await mine.ask('join_conversation', { conversation_id: id });
  expect(delivery.size).toBe(delivered);
  expect((await ask(alice, 'DELETE', `/conversations/${id}`)).status).toBe(204);
  expect(await mine.next('conversation_event', ({ type }) => type === 'conversation_deleted')).toMatchObject({
    seq: 4,
  });
  delivery.forgetUnused();
  expect(delivery.size).toBe(delivered - 1);
  expect(await mine.ask('sync', { conversation_id: id, after_seq: 0 })).toMatchObject({ ok: false });
});
