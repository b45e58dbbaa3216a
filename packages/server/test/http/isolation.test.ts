import { afterAll, beforeAll, expect, test } from 'vitest';
import { asker } from '../support/asker.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';

let server: TestServer;
let alice: Person;
let stranger: Person;
let formerMember: Person;
/** Ids that exist and are Alice's, by their names in addresses. */
let hers: Readonly<Record<string, string>>;
const ask = asker(() => server);

beforeAll(async () => {
  server = await startServer();
  alice = await server.signUp('alice');
  stranger = await server.signUp('stranger');
  formerMember = await server.signUp('former');
  const { body } = await ask(alice, 'POST', '/chat?wait=60', { message: 'only for me' });
  hers = { conversation_id: body.conversation_id, task_id: body.task_id, username: 'alice' };
  await ask(alice, 'POST', `/conversations/${hers['conversation_id']}/members`, { username: 'former' });
  await ask(alice, 'DELETE', `/conversations/${hers['conversation_id']}/members/former`);
});
afterAll(() => server.close());

/** Every route with an id of a conversation or a task in its address, and a body that it would take. */
async function routesWithIds(): Promise<[method: string, path: string, json: unknown][]> {
  const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: Record<string, object> };
  const bodies: Record<string, unknown> = {
    'post /chat/{conversation_id}/continue': { message: 'let me in' },
    'put /conversations/{conversation_id}': { title: 'Mine now' },
    'post /conversations/{conversation_id}/members': { username: 'stranger' },
    'put /tasks/{task_id}': { status: 'cancelled' },
    'post /tasks/{task_id}/messages': { content: 'forged' },
  };
  return Object.entries(paths)
    .filter(([path]) => /\{(conversation_id|task_id)\}/.test(path))
    .flatMap(([path, methods]) => {
      const short = path.replace('/api/v1', '');
      return Object.keys(methods).map((method): [string, string, unknown] => [
        method.toUpperCase(),
        short,
        bodies[`${method} ${short}`],
      ]);
    });
}

const fill = (path: string, ids: Readonly<Record<string, string>>) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? 'missing');

test('whoever is no member gets one and the same answer for what there is and what there is not, on every route', async () => {
  const routes = await routesWithIds();
  expect(routes.length).toBeGreaterThanOrEqual(14);
  const before = await ask(alice, 'GET', `/conversations/${hers['conversation_id']}`);
  for (const [method, path, json] of routes) {
    const missing = await ask(stranger, method, fill(path, {}), json);
    expect(missing, `${method} ${path}`).toEqual({
      status: 404,
      body: { detail: expect.stringMatching(/^There is .+, or you /), error: 'not_found' },
    });
    for (const person of [stranger, formerMember]) {
      expect(await ask(person, method, fill(path, hers), json), `${method} ${path}`).toEqual(missing);
    }
  }
  expect(await ask(alice, 'GET', `/conversations/${hers['conversation_id']}`)).toEqual(before);
});

test('every route with an id needs a login', async () => {
  for (const [method, path, json] of await routesWithIds()) {
    const answer = await server.call(method, fill(path, hers), json === undefined ? {} : { json });
    expect(answer, `${method} ${path}`).toMatchObject({ status: 401, body: { error: 'unauthorized' } });
  }
});

test('lists have nothing of others, whatever they are asked for', async () => {
  for (const person of [stranger, formerMember]) {
    expect((await ask(person, 'GET', '/conversations')).body).toMatchObject({ conversations: [], total: 0 });
    expect((await ask(person, 'GET', '/tasks')).body).toMatchObject({ tasks: [], total: 0 });
    const filtered = await ask(person, 'GET', `/tasks?conversation_id=${hers['conversation_id']}`);
    expect(filtered.body).toMatchObject({ tasks: [], total: 0 });
  }
});

test('a message into a foreign conversation is refused in the body as in the address', async () => {
  const conversation_id = hers['conversation_id'];
  const refused = { status: 404, body: { error: 'not_found' } };
  expect(await ask(stranger, 'POST', '/chat', { message: 'let me in', conversation_id })).toMatchObject(refused);
  expect(await ask(stranger, 'POST', '/tasks', { user_message: 'let me in', conversation_id })).toMatchObject(refused);
});

test('an id of another form is refused before anything is looked up', async () => {
  for (const id of ['..%2f..', 'x'.repeat(129), '%00', '{$ne:null}', "1'--"]) {
    expect((await ask(stranger, 'GET', `/conversations/${id}`)).status).toBe(422);
    expect((await ask(stranger, 'GET', `/tasks/${id}`)).status).toBe(422);
  }
});
