import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';

let server: TestServer;
let alice: Person;

beforeAll(async () => {
  server = await startServer();
  alice = await server.signUp('alice');
});
afterAll(() => server.close());

test('a message over REST is stored at once, and its answer can be waited for', async () => {
  const sent = await server.call('POST', '/chat?wait=10', { token: alice.token, json: { message: 'hello' } });
  expect(sent).toMatchObject({ status: 201, body: { task_status: 'completed', user_message: { content: 'hello' } } });
});
