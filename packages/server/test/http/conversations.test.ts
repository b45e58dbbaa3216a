import { afterAll, beforeAll, expect, test } from 'vitest';
import { conversationListSchema, conversationSchema, eventPageSchema, messagePageSchema } from '@tertulia/protocol';
import { createScripted } from '../../src/assistants/scripted.ts';
import { asker } from '../support/asker.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';
import { withServer } from '../support/with-server.ts';

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

async function open(title: string, owner = alice): Promise<string> {
  const { status, body } = await ask(owner, 'POST', '/conversations', { title });
  expect(status).toBe(201);
  return body.id;
}

test('a conversation is opened without a message, read, changed and deleted', async () => {
  const fields = { title: 'Plans', description: 'for May', metadata: { color: 'green' } };
  const created = await ask(alice, 'POST', '/conversations', fields);
  expect(created.status).toBe(201);
  expect(conversationSchema.strict().parse(created.body)).toMatchObject({
    ...fields,
    user_id: alice.id,
    is_active: true,
    task_ids: [],
    last_seq: 1,
  });
  const path = `/conversations/${created.body.id}`;
  expect((await ask(alice, 'GET', path)).body).toEqual(created.body);

  const changed = await ask(alice, 'PUT', path, { title: 'Plans for June', description: null, is_active: false });
  expect(changed.status).toBe(200);
  expect(changed.body).toMatchObject({
    title: 'Plans for June',
    description: null,
    is_active: false,
    metadata: { color: 'green' },
    last_seq: 2,
  });

  expect((await ask(alice, 'DELETE', path)).status).toBe(204);
  expect((await ask(alice, 'GET', path)).status).toBe(404);
  expect((await ask(alice, 'DELETE', path)).status).toBe(404);
});

test('a change of nothing changes nothing', async () => {
  const id = await open('Still');
  const before = await ask(alice, 'GET', `/conversations/${id}`);
  expect(await ask(alice, 'PUT', `/conversations/${id}`, {})).toEqual(before);
});

test('what cannot be a conversation is refused', async () => {
  for (const wrong of [{}, { title: '' }, { title: 'x'.repeat(201) }, { title: 'a\u0000b' }, { title: 7 }]) {
    expect((await ask(alice, 'POST', '/conversations', wrong)).status).toBe(422);
  }
  const id = await open('Right');
  expect((await ask(alice, 'PUT', `/conversations/${id}`, { title: null })).status).toBe(422);
  expect((await ask(alice, 'PUT', `/conversations/${id}`, { metadata: [] })).status).toBe(422);
});

test('an owner, an id or a time in the body is not taken', async () => {
  const body = { title: 'Mine', user_id: bob.id, id: 'chosen', created_at: '2001-01-01T00:00:00Z', last_seq: 9 };
  const created = await ask(alice, 'POST', '/conversations', body);
  expect(created.body).toMatchObject({ user_id: alice.id, last_seq: 1 });
  expect(created.body.id).not.toBe('chosen');
  expect(created.body.created_at).not.toContain('2001');
});

test('the list has one page of the conversations in the wanted order, and how many there are', async () => {
  const carol = await server.signUp('carol');
  for (const title of ['b', 'c', 'a']) await open(title, carol);
  const list = async (query: string) => {
    const { status, body } = await ask(carol, 'GET', `/conversations?${query}`);
    expect(status).toBe(200);
    return conversationListSchema.strict().parse(body);
  };
  const titles = async (query: string) => (await list(query)).conversations.map(({ title }) => title);
  expect(await titles('sort_by=title&sort_order=1')).toEqual(['a', 'b', 'c']);
  expect(await titles('sort_by=title&sort_order=-1')).toEqual(['c', 'b', 'a']);
  expect(await titles('sort_by=created_at&sort_order=1&skip=1&limit=1')).toEqual(['c']);
  expect(await titles('')).toEqual(['a', 'c', 'b']);
  expect(await list('skip=2&limit=2')).toMatchObject({ total: 3, skip: 2, limit: 2, conversations: [{ title: 'b' }] });
});

test('what is wrong with an address is told in words for people', async () => {
  const { body } = await ask(alice, 'GET', '/conversations?limit=many&skip=-1&sort_by=owner');
  expect(body.detail.map(({ loc, msg }: { loc: string[]; msg: string }) => `${loc.join('.')} ${msg}`)).toEqual([
    'query.skip must be at least 0',
    'query.limit must be a number',
    'query.sort_by must be created_at, updated_at or title',
  ]);
});

test.each(['limit=0', 'limit=101', 'skip=-1', 'sort_order=2', 'sort_by=owner_id', 'sort_by=title;DROP', 'limit=1e9'])(
  'the list refuses %s',
  async (query) => {
    expect((await ask(alice, 'GET', `/conversations?${query}`)).status).toBe(422);
  },
);

test('history is read from its end backwards, page by page', async () => {
  const first = await ask(alice, 'POST', '/chat?wait=60', { message: 'one' });
  const id = first.body.conversation_id;
  for (const message of ['two', 'three']) await ask(alice, 'POST', `/chat/${id}/continue?wait=60`, { message });
  const page = async (query: string) => {
    const { status, body } = await ask(alice, 'GET', `/conversations/${id}/messages?${query}`);
    expect(status).toBe(200);
    const { messages, next_before_seq } = messagePageSchema.strict().parse(body);
    return { seqs: messages.map(({ seq }) => seq), next: next_before_seq };
  };
  expect(await page('')).toEqual({ seqs: [1, 2, 3, 4, 5, 6], next: null });
  expect(await page('limit=4')).toEqual({ seqs: [3, 4, 5, 6], next: 3 });
  expect(await page('limit=4&before_seq=3')).toEqual({ seqs: [1, 2], next: null });
  expect(await page('limit=2&before_seq=3')).toEqual({ seqs: [1, 2], next: null });
  expect((await ask(alice, 'GET', `/conversations/${id}/messages?before_seq=0`)).status).toBe(422);
});

test('a page of very long messages ends before its limit, and none is left out', async () => {
  const text = 'x'.repeat(200_000);
  const assistant = createScripted(Array.from({ length: 4 }, () => [{ text }]));
  await withServer({ assistant }, async (talkative) => {
    const { token } = await talkative.signUp('dora');
    const call = (method: string, path: string, json?: object) =>
      talkative.call(method, path, { token, ...(json && { json }) });
    const { body } = await call('POST', '/chat?wait=60', { message: 'talk' });
    const path = `/chat/${body.conversation_id}/continue?wait=60`;
    for (const message of ['more', 'and more', 'and more']) await call('POST', path, { message });
    const seqs: number[] = [];
    const sizes: number[] = [];
    for (let query = '?limit=100'; query !== '';) {
      const page = (await call('GET', `/conversations/${body.conversation_id}/messages${query}`)).body;
      sizes.push(page.messages.length);
      seqs.unshift(...page.messages.map(({ seq }: { seq: number }) => seq));
      query = page.next_before_seq === null ? '' : `?limit=100&before_seq=${page.next_before_seq}`;
    }
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(sizes).toEqual([5, 3]);
  });
});

test('the log is read from a seq on', async () => {
  const { body } = await ask(alice, 'POST', '/chat?wait=60', { message: 'one' });
  const page = async (query: string) => {
    const answer = await ask(alice, 'GET', `/conversations/${body.conversation_id}/events?${query}`);
    return eventPageSchema.strict().parse(answer.body);
  };
  const all = await page('');
  expect(all).toMatchObject({ last_seq: 2, complete: true, running: [] });
  expect(all.events.map(({ type }) => type)).toEqual(['conversation_created', 'message_created']);
  expect(await page('after_seq=1')).toEqual({ ...all, events: all.events.slice(1) });
  expect(await page('limit=1')).toEqual({ ...all, events: all.events.slice(0, 1), complete: false });
  expect(await page('after_seq=9')).toMatchObject({ events: [], reset: true });
});

test('a member who is not the owner reads but does not change, and leaves by deleting', async () => {
  const id = await open('Ours');
  await ask(alice, 'POST', `/conversations/${id}/members`, { username: 'bob' });
  expect((await ask(bob, 'GET', `/conversations/${id}`)).body).toMatchObject({ user_id: alice.id, title: 'Ours' });
  const refused = await ask(bob, 'PUT', `/conversations/${id}`, { title: 'Mine' });
  expect(refused).toMatchObject({ status: 403, body: { error: 'forbidden' } });
  expect((await ask(bob, 'DELETE', `/conversations/${id}`)).status).toBe(204);
  expect((await ask(bob, 'GET', `/conversations/${id}`)).status).toBe(404);
  expect((await ask(alice, 'GET', `/conversations/${id}`)).body).toMatchObject({ title: 'Ours', last_seq: 3 });
});
