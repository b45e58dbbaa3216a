import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Assistant } from '../../src/assistants/assistant.ts';
import { TEST_USER } from '../../src/commands/console/test-user.ts';
import { describeWith } from '../support/describe-with.ts';
import { findPython } from '../support/requirements.ts';
import { startServer, type TestServer } from '../support/start-server.ts';
import { ROOT, run, type Run } from './run-program.ts';

/** The pages whose code readers copy: all of it runs here, against a server that has the test user. */
const PAGES = ['README.md', 'docs/clients.md', 'docs/rest.md'];

/** Answers everything but one question, whose task a reader can then cancel. */
const assistant: Assistant = {
  name: 'echo',
  async *reply({ messages, signal }) {
    const question = messages.at(-1)?.content ?? '';
    if (question === 'think forever') await new Promise((resolve) => signal.addEventListener('abort', resolve));
    yield question;
  },
};

let server: TestServer;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startServer({ assistant });
  await server.signUp('bob');
  await server.context.accounts.createUser(TEST_USER);
  const { username, password } = TEST_USER;
  const { body: tokens } = await server.call('POST', '/auth/login', { json: { username, password } });
  const json = { message: 'think forever' };
  const { body: chat } = await server.call('POST', '/chat', { token: tokens.access_token, json });
  env = { TOKEN: tokens.access_token, CONVERSATION_ID: chat.conversation_id, TASK_ID: chat.task_id };
});
afterAll(() => server.close());

/** The code of one language on the pages, named by its page and its first words. */
async function codeIn(language: string): Promise<{ name: string; code: string }[]> {
  const pages = await Promise.all(
    PAGES.map(async (page) => {
      const text = await readFile(join(ROOT, page), 'utf8');
      return [...text.matchAll(/^## ([^\n]*)$|^```(\w+)\n(.*?)^```$/gms)].map(([, heading, written, code = '']) => ({
        heading,
        written,
        page,
        code,
      }));
    }),
  );
  let section = '';
  return pages.flat().flatMap(({ heading, written, page, code }) => {
    section = heading ?? section;
    return written === language ? [{ name: `${page}: ${section}`, code }] : [];
  });
}

const javascript = await codeIn('js');
const python = await codeIn('python');
const calls = (await codeIn('sh')).filter(({ code }) => code.includes('curl '));

const here = (code: string) => code.replaceAll('http://localhost:8000', server.url);
const withWrongPassword = (code: string) => here(code).replaceAll(TEST_USER.password, 'not the password');

/** A reader who mistyped must not be left with silence. */
function expectReason({ stderr, code }: Run): void {
  expect(stderr).toContain('Incorrect username or password');
  expect(code).toBe(1);
}

function expectAnswer({ stdout, stderr, code }: Run): void {
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout.trim()).not.toBe('');
  expect(stdout).not.toContain('"error":"');
}

describe('the JavaScript of the documentation runs', () => {
  test.each(javascript)(
    '$name',
    async ({ code }) => {
      expectAnswer(await run(process.execPath, ['--input-type=module', '-'], { input: here(code) }));
    },
    30_000,
  );
});

test.each(javascript)(
  'the JavaScript of $name says why it may not in',
  async ({ code }) => {
    expectReason(await run(process.execPath, ['--input-type=module', '-'], { input: withWrongPassword(code) }));
  },
  30_000,
);

describeWith('python', 'the Python of the documentation runs', () => {
  test.each(python)(
    '$name',
    async ({ code }) => {
      expectAnswer(await run(findPython() ?? '', ['-'], { input: here(code) }));
    },
    30_000,
  );
});

describeWith('python', 'the Python of the documentation says why it may not in', () => {
  test.each(python)(
    '$name',
    async ({ code }) => {
      expectReason(await run(findPython() ?? '', ['-'], { input: withWrongPassword(code) }));
    },
    30_000,
  );
});

describeWith('curl', 'the curl of the documentation runs', () => {
  test.each(calls)(
    '$name',
    async ({ code }) => {
      expectAnswer(await run('sh', ['-eu', '-'], { input: here(code), env }));
    },
    30_000,
  );
});

test('the assistant of the README is the one in examples/', async () => {
  const [shown] = await codeIn('ts');
  expect(shown?.code).toBe(await readFile(join(ROOT, 'examples/my-assistant.ts'), 'utf8'));
});
