import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test, vi } from 'vitest';
import { backUp } from '../../src/commands/backup.ts';
import { createTestUser } from '../../src/commands/create-test-user.ts';
import { createUser } from '../../src/commands/create-user.ts';
import { doctor } from '../../src/commands/doctor.ts';
import type { Finding } from '../../src/commands/doctor/finding.ts';
import { restore } from '../../src/commands/restore.ts';
import { describeWith } from '../support/describe-with.ts';
import { Program } from '../support/program.ts';
import { RedisServer } from '../support/redis-server.ts';
import { startServer } from '../support/start-server.ts';
import { testDirectory } from '../support/test-directory.ts';
import { run } from './run-command.ts';

// Programs of their own take their time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

/** What the doctor found about one thing, and its exit code. */
async function examine(check: string, variables: Record<string, string>): Promise<Finding & { code: number }> {
  const { code, output } = await run(doctor, ['--json'], { PORT: '0', ASSISTANT: 'none', ...variables });
  const { findings } = JSON.parse(output) as { findings: Finding[] };
  const worst = findings.filter((finding) => finding.check === check).toSorted(byState)[0];
  if (!worst) throw new Error(`nothing was said of ${check}: ${output}`);
  return { ...worst, code };
}

function byState(one: Finding, other: Finding): number {
  const order = ['problem', 'warning', 'ok'];
  return order.indexOf(one.state) - order.indexOf(other.state);
}

test('before the first start all is well, and nothing is made', async () => {
  const directory = join(testDirectory(), 'data');
  const healthy = await run(doctor, [], { DATA_DIR: directory, PORT: '0', ASSISTANT: 'none' });
  expect(healthy.output).toMatch(/will be made at the first start/);
  expect(healthy.output).toMatch(/All is well\.$/);
  expect(healthy.code).toBe(0);
  expect(existsSync(directory)).toBe(false);
});

test('beside a running server it says that it is ours, and its database is whole', async () => {
  const server = await startServer();
  const variables = { DATA_DIR: server.directory, PORT: new URL(server.url).port };
  expect(await examine('port', variables)).toMatchObject({
    state: 'ok',
    message: expect.stringMatching(/^Tertulia \S+ runs/),
  });
  expect(await examine('database', variables)).toMatchObject({
    state: 'ok',
    message: expect.stringMatching(/is whole/),
  });
  expect(await examine('server', variables)).toMatchObject({ state: 'ok', message: expect.stringMatching(/^one is/) });
  await server.close();
  const stopped = await examine('server', { DATA_DIR: server.directory });
  expect(stopped).toMatchObject({ state: 'ok', message: expect.stringMatching(/^none is/) });
});

test('a server that holds the data folder while PORT is free is a problem: the next one could not start', async () => {
  const server = await startServer();
  const found = await examine('server', { DATA_DIR: server.directory, PORT: String(await freePort()) });
  expect(found).toMatchObject({ state: 'problem', code: 1, message: expect.stringContaining(server.directory) });
  expect(found.advice).toMatch(/stop that one/);
  await server.close();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('a server on PORT that has another data folder is a problem: the next one could not start', async () => {
  const server = await startServer();
  const found = await examine('server', { DATA_DIR: testDirectory(), PORT: new URL(server.url).port });
  expect(found).toMatchObject({ state: 'problem', code: 1, message: expect.stringContaining('another cannot start') });
  await server.close();
});

test("another program on the port is told from one of ours, and doctor doesn't wait for it", async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  const found = await examine('port', { DATA_DIR: testDirectory(), PORT: String(port) });
  expect(found).toMatchObject({ state: 'problem', code: 1 });
  expect(found.advice).toContain(`PORT=${port + 1}`);
});

test('every wrong setting is a problem, and the rest is looked at all the same', async () => {
  const { code, output } = await run(doctor, [], {
    PORT: 'x',
    LOG_LEVEL: 'loud',
    ENVIRONMENT: 'production',
    DATA_DIR: testDirectory(),
    ASSISTANT: 'none',
  });
  expect(code).toBe(1);
  expect(output).toMatch(/problem +settings +PORT=x/);
  expect(output).toMatch(/problem +settings +LOG_LEVEL=loud/);
  expect(output).toMatch(/problem +settings +JWT_SECRET/);
  expect(output).toMatch(/ok +disk space/);
  expect(output).toMatch(/3 problems, \d warning/);
});

test('nothing is called well that rests on a wrong setting, whose default nobody asked for', async () => {
  const { output } = await run(doctor, ['--json'], {
    PORT: '80808',
    ENVIRONMENT: 'production',
    JWT_SECRET: 'short',
    MONGODB_URL: 'http://localhost',
    REDIS_URL: 'redis://localhost:6379/3',
    ALLOWED_ORIGINS: '*',
    KNOWLEDGE_DIR: testDirectory(),
    DATA_DIR: testDirectory(),
  });
  const { findings } = JSON.parse(output) as { findings: Finding[] };
  const checks = findings.map(({ check }) => check);
  expect(checks.filter((check) => check === 'settings')).toHaveLength(5);
  expect(checks.filter((check) => check !== 'settings')).toEqual(['node', 'data folder', 'disk space', 'assistant']);
  expect(output).toContain("a database's number is not taken");
});

test('no secret is printed', async () => {
  const JWT_SECRET = 'a-secret-that-is-long-enough-0123456789';
  const METRICS_TOKEN = 'metrics-token-of-22-bytes';
  const { output } = await run(doctor, [], { DATA_DIR: testDirectory(), PORT: '0', JWT_SECRET, METRICS_TOKEN });
  expect(output).not.toContain(JWT_SECRET);
  expect(output).not.toContain(METRICS_TOKEN);
});

test('a data folder that is a file, and one that others may look into', async () => {
  const directory = testDirectory();
  const file = join(directory, 'file');
  writeFileSync(file, '');
  expect(await examine('data folder', { DATA_DIR: file })).toMatchObject({ state: 'problem', code: 1 });
  expect(await examine('data folder', { DATA_DIR: join(file, 'below') })).toMatchObject({ state: 'problem' });
  const open = join(directory, 'open');
  mkdirSync(open);
  chmodSync(open, 0o755);
  expect(await examine('data folder', { DATA_DIR: open })).toMatchObject({ state: 'warning', code: 0 });
});

test("a secret that others may read, a foreign database and a newer version's", async () => {
  const directory = testDirectory();
  await run(createTestUser, [], { DATA_DIR: directory });
  expect(await examine('secret', { DATA_DIR: directory })).toMatchObject({ state: 'ok' });
  chmodSync(join(directory, 'jwt-secret'), 0o644);
  expect(await examine('secret', { DATA_DIR: directory })).toMatchObject({ state: 'problem', code: 1 });

  const database = join(directory, 'tertulia.sqlite');
  const db = new DatabaseSync(database);
  db.exec('PRAGMA user_version = 999');
  expect((await examine('database', { DATA_DIR: directory })).message).toMatch(/newer version/);
  db.exec('PRAGMA application_id = 7');
  expect((await examine('database', { DATA_DIR: directory })).message).toMatch(/another program/);
  db.close();
  writeFileSync(database, 'x'.repeat(5_000));
  expect((await examine('database', { DATA_DIR: directory })).message).toMatch(/is not a database/);
});

test('an assistant that cannot be loaded, and origins that are none', async () => {
  const DATA_DIR = testDirectory();
  expect(await examine('assistant', { DATA_DIR, ASSISTANT: './nowhere.ts' })).toMatchObject({
    state: 'problem',
    code: 1,
  });
  const path = await examine('settings', { DATA_DIR, ALLOWED_ORIGINS: 'https://chat.example.com/path' });
  expect(path).toMatchObject({ state: 'problem', code: 1 });
  expect(await examine('allowed origins', { DATA_DIR, ALLOWED_ORIGINS: '*' })).toMatchObject({
    state: 'warning',
    code: 0,
  });
});

test.each([createTestUser, createUser, backUp, restore, doctor])('$name says how it is used', async (command) => {
  const help = await run(command, ['--help'], {});
  expect(help).toMatchObject({ code: 0, errors: '' });
  expect(help.output).toMatch(/^npm run [a-z-]+ -- \[options\]\n\n.+\.\n\n( {2}--.+\n)* {2}--help +Says this\.$/);
});

test('as a program it ends with the exit code, and wrong usage is 2', async () => {
  const wrong = await Program.run('commands/doctor', { directory: testDirectory(), words: ['--jsn'] });
  expect(wrong).toMatchObject({ code: 2, output: '', errors: expect.stringMatching(/^Unknown option '--jsn'/) });
});

test('of Redis it says what REDIS_URL is for, and where it does not answer why', async () => {
  expect(await examine('redis', { DATA_DIR: testDirectory() })).toMatchObject({ state: 'ok', code: 0 });
  const silent = createServer((connection) => void connection.resume()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const url = (to: number) => ({ DATA_DIR: testDirectory(), REDIS_URL: `redis://u:secret@127.0.0.1:${to}` });
  const hanging = await examine('redis', url(port));
  silent.close();
  await once(silent, 'close');
  const gone = await examine('redis', url(port));
  expect(hanging).toMatchObject({ state: 'problem', code: 1, message: expect.stringMatching(/time/i) });
  expect(gone).toMatchObject({ state: 'problem', code: 1, message: expect.stringContaining('ECONNREFUSED') });
  for (const { message } of [hanging, gone]) expect(message).not.toContain('secret');
  expect(gone.advice).toMatch(/start Redis/);
});

describeWith('redis-server', 'beside a Redis', () => {
  test('the doctor says its version, and what is wrong with its password', async () => {
    const redis = await RedisServer.start({ words: ['--requirepass', 'secret'] });
    onTestFinished(() => redis.stop());
    const examineWith = (login: string) =>
      examine('redis', { DATA_DIR: testDirectory(), REDIS_URL: `redis://${login}127.0.0.1:${redis.port}` });
    expect(await examineWith(':secret@')).toMatchObject({
      state: 'ok',
      message: expect.stringMatching(/^Redis \d+\.\d+\.\d+ at 127\.0\.0\.1:\d+$/),
    });
    expect(await examineWith('')).toMatchObject({ state: 'problem', message: expect.stringContaining('NOAUTH') });
  });
});
