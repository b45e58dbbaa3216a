import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createTestUser } from '../../src/commands/create-test-user.ts';
import { createUser } from '../../src/commands/create-user.ts';
import { setActive } from '../../src/commands/set-active.ts';
import { setPassword } from '../../src/commands/set-password.ts';
import { Program } from '../support/program.ts';
import { PASSWORD, startServer } from '../support/start-server.ts';
import { testDirectory } from '../support/test-directory.ts';
import { run } from './run-command.ts';

// Programs of their own take their time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const anna = ['--username', 'anna', '--email', 'anna@example.com'];

test('the test user is made while the server runs, and signs in at once', async () => {
  const server = await startServer();
  const made = await Program.run('commands/create-test-user', { directory: server.directory });
  expect(made).toMatchObject({ code: 0, errors: '' });
  expect(made.output.split('\n')).toEqual([
    'The test user was made: sign in as testuser with the password testpass123.',
    `The database is ${join(server.directory, 'tertulia.sqlite')}.`,
  ]);

  const login = await server.call('POST', '/auth/login', { json: { username: 'testuser', password: 'testpass123' } });
  expect(login.status).toBe(200);
  const me = await server.call('GET', '/auth/me', { token: login.body.access_token });
  expect(me.body).toMatchObject({ username: 'testuser', email: 'test@example.com', is_superuser: false });
  await server.close();
});

test('a second time it is there already, and nothing fails', async () => {
  const variables = { DATA_DIR: testDirectory() };
  await run(createTestUser, [], variables);
  const again = await run(createTestUser, [], variables);
  expect(again.code).toBe(0);
  expect(again.output).toMatch(/^The test user is there already/);
});

test('an account of that name with another password is told of and left alone', async () => {
  const variables = { DATA_DIR: testDirectory() };
  const words = ['--username', 'TestUser', '--email', 'someone@example.com', '--password', 'another password'];
  await run(createUser, words, variables);
  const refused = await run(createTestUser, [], variables);
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(/has another password. Nothing was changed/);
});

test('the test user is never made in production', async () => {
  const variables = {
    DATA_DIR: testDirectory(),
    ENVIRONMENT: 'production',
    JWT_SECRET: 'k9#'.repeat(3) + 'Qz7-xW2!mB5vL0pR4tY8uJ1',
  };
  const refused = await run(createTestUser, [], variables);
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(/never made in production/);
});

test('an account is made with a password from standard input and the mark of a superuser', async () => {
  const server = await startServer();
  const words = [...anna, '--password-stdin', '--full-name', 'Anna Ö', '--superuser'];
  const made = await run(createUser, words, { DATA_DIR: server.directory }, 'a password of 2 words\nand more\n');
  const database = join(server.directory, 'tertulia.sqlite');
  const output = `The account anna <anna@example.com> was made, as superuser.\nThe database is ${database}.`;
  expect(made).toEqual({ code: 0, output, errors: '' });

  const json = { username: 'anna@example.com', password: 'a password of 2 words' };
  const login = await server.call('POST', '/auth/login', { json });
  const me = await server.call('GET', '/auth/me', { token: login.body.access_token });
  expect(me.body).toMatchObject({ full_name: 'Anna Ö', is_superuser: true });
  await server.close();
});

test('a name that is taken, in whatever letters, is refused', async () => {
  const variables = { DATA_DIR: testDirectory() };
  const password = ['--password', 'long enough 1'];
  await run(createUser, [...anna, ...password], variables);
  const words = ['--username', 'ANNA', '--email', 'other@example.com', ...password];
  expect(await run(createUser, words, variables)).toEqual({ code: 1, output: '', errors: 'Username already taken' });
});

test.each([
  ['an email that is none', ['--username', 'bob', '--email', 'bob', '--password', 'long enough 1'], /--email/],
  ['a short password', [...anna, '--password', 'short'], /--password: must have 8 to 1,000 characters\./],
  [
    'a username with spaces',
    ['--username', 'a b', '--email', 'b@example.com', '--password', 'long enough 1'],
    /--username/,
  ],
])('%s is refused, and the option named', async (_name, words, wanted) => {
  const refused = await run(createUser, words, { DATA_DIR: testDirectory() });
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(wanted);
});

test.each([
  ['an option that is not known', ['--usrname', 'anna']],
  ['a missing option', ['--username', 'anna']],
  ['two ways to give the password', [...anna, '--password', 'long enough 1', '--password-stdin']],
  ['a word too many', [...anna, 'and', 'more']],
  ['an option without its value', ['--username']],
])('%s is wrong usage', async (_name, words) => {
  const refused = await run(createUser, words, { DATA_DIR: testDirectory() });
  expect(refused.code).toBe(2);
  expect(refused.errors).toMatch(/See: npm run create-user -- --help$/);
});

test('a forgotten password is set anew, and the old one and every login are worth nothing', async () => {
  const server = await startServer();
  const alice = await server.signUp('alice');
  const variables = { DATA_DIR: server.directory };
  const done = await run(setPassword, ['--username', 'Alice', '--password-stdin'], variables, 'a new one to keep\n');
  expect(done).toMatchObject({ code: 0, errors: '' });
  const logIn = (password: string) => server.call('POST', '/auth/login', { json: { username: 'alice', password } });
  expect((await server.call('GET', '/auth/me', { token: alice.token })).status).toBe(401);
  expect((await logIn(PASSWORD)).status).toBe(401);
  expect((await logIn('a new one to keep')).status).toBe(200);
  const missing = await run(setPassword, ['--username', 'nobody', '--password', 'long enough 1'], variables);
  expect(missing).toMatchObject({ code: 1, errors: expect.stringContaining('no account named nobody') });
  await server.close();
});

test('an account is shut out, and let in again', async () => {
  const server = await startServer();
  const alice = await server.signUp('alice');
  const variables = { DATA_DIR: server.directory };
  const json = { username: 'alice', password: PASSWORD };
  expect((await run(setActive, ['--username', 'alice', '--active', 'no'], variables)).code).toBe(0);
  expect((await server.call('GET', '/auth/me', { token: alice.token })).status).toBe(401);
  expect((await server.call('POST', '/auth/login', { json })).status).toBe(401);
  expect((await run(setActive, ['--username', 'alice', '--active', 'yes'], variables)).code).toBe(0);
  expect((await server.call('POST', '/auth/login', { json })).status).toBe(200);
  expect((await run(setActive, ['--username', 'alice', '--active', 'maybe'], variables)).code).toBe(2);
  await server.close();
});
