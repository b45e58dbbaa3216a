import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { createScripted } from '../../src/assistants/scripted.ts';
import { NoBus } from '../../src/delivery/bus.ts';
import { Delivery } from '../../src/delivery/delivery.ts';
import { startServer, type TestServer } from '../support/start-server.ts';

let server: TestServer;
afterEach(() => server.close());

/** Makes a conversation of alice with bob in it. */
async function withBob() {
  const alice = await server.signUp('alice');
  const bob = await server.signUp('bob');
  const { body } = await server.call('POST', '/conversations', { token: alice.token, json: { title: 'a room' } });
  const members = `/conversations/${body.id}/members`;
  await server.call('POST', members, { token: alice.token, json: { username: 'bob' } });
  const remove = () => server.call('DELETE', `${members}/bob`, { token: alice.token });
  return { alice, bob, remove, conversation_id: body.id as string };
}

test('whoever is removed before the answer comes does not get it, on the base layer either', async () => {
  const gate = Promise.withResolvers<void>();
  server = await startServer({ assistant: createScripted([[{ until: gate.promise }, { text: 'too late for bob' }]]) });
  const { alice, bob, remove, conversation_id } = await withBob();
  const asker = await server.connect(bob);
  const owner = await server.connect(alice);
  await owner.ask('join_conversation', { conversation_id });
  await asker.ask('chat', { message: 'a question', conversation_id });
  await remove();
  gate.resolve();
  await owner.next('conversation');
  const { conversation_id: own } = await asker.ask('chat', { message: 'x' }); // whatever was sent before has come by now
  expect(own).toBeTypeOf('string');
  expect(asker.names()).not.toContain('conversation');
});

test('a removal while a join is under way is not overtaken by it', async () => {
  server = await startServer({ settings: { ASSISTANT: 'none' } });
  const { bob, remove, conversation_id } = await withBob();
  const { store, log } = server.context;
  const joined: string[][] = [];
  const events: (typeof store.conversations)['events'] = async (...values) => {
    const page = await store.conversations.events(...values);
    await remove(); // after the page was read, before the socket joins
    for (const event of await store.log.read(conversation_id, page?.last_seq ?? 0, 10)) {
      delivery.committed(event, { members: [], asker: null });
    }
    return page;
  };
  const emitter = { emit: () => undefined, hasRoom: () => false, leave: () => undefined };
  const slow = { ...store, log: store.log, tasks: store.tasks, conversations: { ...store.conversations, events } };
  const delivery = new Delivery({
    store: slow,
    emitter,
    bus: new NoBus(false),
    log,
    isMember: () => true,
    knownHead: () => null,
    onRemote: () => undefined,
    onOver: () => undefined,
  });
  const socket = { rooms: new Set<string>(), join: (rooms: string[]) => void joined.push(rooms) };
  await expect(delivery.join(socket, bob.id, conversation_id, 0, ['room'])).rejects.toMatchObject({
    code: 'not_found',
  });
  expect(joined).toEqual([]);
});

test('a socket that closes while its join is under way is in no room afterwards', async () => {
  server = await startServer({ settings: { ASSISTANT: 'none' } });
  const { bob, conversation_id } = await withBob();
  for (let count = 0; count < 20; count += 1) {
    const client = await server.connect(bob, { protocol: 1, transports: ['websocket'] });
    client.socket.emit('join_conversation', { conversation_id, after_seq: 0 });
    client.close();
  }
  const last = await server.connect(bob, { protocol: 1 });
  await last.ask('join_conversation', { conversation_id, after_seq: 0 });
  last.close();
  const metrics = async () => (await fetch(`${server.url}/metrics`)).text();
  while (!/tertulia_connections\{protocol="1"\} 0/.test(await metrics()));
  server.context.delivery.forgetUnused();
  expect(server.context.delivery.size).toBe(0);
});

test('a new name is the author of the next message, on a socket that was open before', async () => {
  server = await startServer({ settings: { ASSISTANT: 'none' } });
  const alice = await server.signUp('alice');
  const client = await server.connect(alice, { protocol: 1 });
  await server.call('PUT', '/auth/me', { token: alice.token, json: { username: 'alicia' } });
  const { user_message } = await client.ask('chat', { message: 'it is me' });
  expect(user_message.author).toEqual({ kind: 'user', id: alice.id, name: 'alicia' });
});

test('a connection that sends nothing does not keep the server from stopping', async () => {
  server = await startServer();
  const silent = connect(Number(new URL(server.url).port), '127.0.0.1');
  silent.on('error', () => undefined);
  await once(silent, 'connect');
  const closed = once(silent, 'close');
  await server.stop();
  await closed;
});

test('what somebody wrote into a task is gone with it, from the log as well', async () => {
  server = await startServer({ assistant: createScripted([[{ text: 'secret partial' }, { fail: 'broken' }]]) });
  const alice = await server.signUp('alice');
  const client = await server.connect(alice, { protocol: 1 });
  const json = {
    user_message: 'secret question',
    title: 'secret title',
    tags: ['secret tag'],
    metadata: { a: 'secret' },
  };
  const { body } = await server.call('POST', '/tasks', { token: alice.token, json });
  await client.ask('join_conversation', { conversation_id: body.conversation_id, after_seq: 0 });
  const { store } = server.context;
  while ((await store.conversations.task(alice.id, body.id))?.ended_at === null);
  expect(JSON.stringify(await store.log.read(body.conversation_id, 0, 100))).toContain('secret partial');
  expect((await server.call('DELETE', `/tasks/${body.id}`, { token: alice.token })).status).toBe(204);
  const events = await store.log.read(body.conversation_id, 1, 100);
  expect(JSON.stringify(events)).not.toContain('secret');
  expect(JSON.stringify(await store.log.read(body.conversation_id, 0, 1))).not.toMatch(/secret (title|tag|partial)/);
});
