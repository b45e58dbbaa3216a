import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { findPython } from '../support/requirements.ts';
import { PASSWORD, startServer, type TestServer } from '../support/start-server.ts';
import { run } from './run-program.ts';

let server: TestServer;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startServer();
  await server.signUp('alice');
  env = { TERTULIA_URL: server.url, TERTULIA_USERNAME: 'alice', TERTULIA_PASSWORD: PASSWORD };
});
afterAll(() => server.close());

test('the JavaScript client chats and joins', async () => {
  const { stdout, stderr, code } = await run(process.execPath, ['examples/javascript/client.mjs'], { env });
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toEqual([
    'Connected: alice',
    'User message: Hello, chatbot!',
    expect.stringMatching(/^Bot response: .*Hello, chatbot!/),
    'Joined: Successfully joined conversation',
    '',
  ]);
  expect(code).toBe(0);
});

test('the JavaScript client says why it may not in', async () => {
  const wrong = { ...env, TERTULIA_PASSWORD: 'not the password' };
  const { stderr, code } = await run(process.execPath, ['examples/javascript/client.mjs'], { env: wrong });
  expect(stderr).toContain('Incorrect username or password');
  expect(code).toBe(1);
});

describeWith('python', 'the Python examples', () => {
  const python = (words: string[]) => run(findPython() ?? '', words, { env });

  test('the client chats', async () => {
    const { stdout, stderr, code } = await python(['examples/python/client.py']);
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual([
      'Connected to server',
      'User: Hello from Python!',
      expect.stringMatching(/^Bot: .*Hello from Python!/),
      '',
    ]);
    expect(code).toBe(0);
  }, 30_000);

  test('the client says why it may not in', async () => {
    const wrong = { ...env, TERTULIA_PASSWORD: 'not the password' };
    const { stderr, code } = await run(findPython() ?? '', ['examples/python/client.py'], { env: wrong });
    expect(stderr).toContain('Incorrect username or password');
    expect(code).toBe(1);
  }, 30_000);

  test('the automated test passes', async () => {
    const { stdout, code } = await python(['-m', 'pytest', '-p', 'no:cacheprovider', 'examples/python/test_chat.py']);
    expect(stdout).toMatch(/\b1 passed\b/);
    expect(code).toBe(0);
  }, 30_000);
});

describeWith('curl', 'the curl walk', () => {
  test('goes from a new account to the end of its login', async () => {
    const walk = { TERTULIA_URL: server.url, TERTULIA_NEW_USERNAME: 'walker' };
    const { stdout, stderr, code } = await run('sh', ['examples/curl/walk.sh'], { env: walk });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const steps = stdout.split(/^\d\. .*\n/m).slice(1);
    const [account, login, exchange, list, history, task, refreshed, loggedOut] = steps.map((text) => text.trim());
    expect(JSON.parse(account ?? '')).toMatchObject({ username: 'walker', is_active: true });
    expect(login).toMatch(/^access token: \d{3} characters$/);
    const { conversation_id, task_id, assistant_responses } = JSON.parse(exchange ?? '');
    expect(assistant_responses).toEqual([expect.objectContaining({ content: expect.stringContaining('curl') })]);
    expect(JSON.parse(list ?? '')).toMatchObject({ total: 1, conversations: [{ id: conversation_id }] });
    expect(JSON.parse(history ?? '').messages).toHaveLength(2);
    expect(JSON.parse(task ?? '')).toMatchObject({ id: task_id, status: 'completed' });
    expect(refreshed).toMatch(/^new access token: \d{3} characters$/);
    const [said = '', refusal = ''] = loggedOut?.split(/(?<=as expected: )/) ?? [];
    expect(said).toBe('The token is refused from now on, as expected: ');
    expect(JSON.parse(refusal)).toMatchObject({ error: 'unauthorized' });
  }, 30_000);

  test('ends with what the server said where it refuses', async () => {
    const walk = { TERTULIA_URL: server.url, TERTULIA_NEW_USERNAME: 'alice' };
    const { stderr, code } = await run('sh', ['examples/curl/walk.sh'], { env: walk });
    expect(stderr).toMatch(/^POST \/auth\/register was refused with 400: .*(email|username)_taken/);
    expect(code).toBe(1);
  });
});
