import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { announce, announcementOf } from '../../src/announce.ts';
import { createApp } from '../../src/app.ts';
import { readConfig, type SettingName } from '../../src/config.ts';
import { createTestUser } from '../../src/commands/create-test-user.ts';
import { explainFailure } from '../../src/failure.ts';
import { Program } from '../support/program.ts';
import { startServer } from '../support/start-server.ts';
import { testDirectory } from '../support/test-directory.ts';
import { run } from './run-command.ts';

/** The user of no rights. */
const NOBODY = 65_534;

// Programs of their own take their time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

/** The sentence that stands in for a start that fails. */
async function refusal(settings: Partial<Record<SettingName, string>>, directory = testDirectory()): Promise<string> {
  try {
    const config = readConfig({ PORT: '0', DATA_DIR: directory, ASSISTANT: 'echo', ...settings });
    const app = await createApp(config, { log: pino({ level: 'silent' }), onFatal: () => undefined });
    onTestFinished(() => app.close());
    await app.listen();
    return 'it started';
  } catch (error) {
    return explainFailure(error, directory) ?? `nobody foresaw ${String(error)}`;
  }
}

test('it says where it listens and what to do next, in one line of JSON', async () => {
  const directory = testDirectory();
  const server = new Program('main', { directory });
  const line = JSON.parse(await server.line('"msg":"listening"')) as Record<string, string>;
  expect(line['test_page']).toBe(`${line['url']}/static/socketio_test.html`);
  expect(line['next']).toMatch(new RegExp(`^DATA_DIR=${directory} npm run create-test-user `));
  expect(await (await fetch(`${line['url']}/readyz`)).json()).toEqual({ status: 'ready' });
  const { output, ...ended } = await server.stop();
  expect(ended).toMatchObject({ code: 0, errors: '' });
  expect(JSON.parse(output.split('\n').at(-1) ?? '')).toMatchObject({ msg: 'stopped' });
});

test('on a terminal it says the same in a few lines', () => {
  const said: string[] = [];
  const config = readConfig({});
  const log = pino(new PassThrough());
  announce(announcementOf(config, 'http://127.0.0.1:8000', false), log, (text) => void said.push(text));
  expect(said.join('').split('\n')).toEqual([
    '',
    '  Tertulia listens on http://127.0.0.1:8000',
    '  The test page:      http://127.0.0.1:8000/static/socketio_test.html',
    '  Next:               npm run create-test-user in another terminal, then sign in as testuser',
    '  Ctrl+C stops it.',
    '',
    '',
  ]);
});

test('in production nobody is sent to the test page or the test user', () => {
  const config = readConfig({ ENVIRONMENT: 'production', JWT_SECRET: 'k9#Qz7-xW2!mB5vL0pR4tY8uJ1sD6fG3' });
  expect(announcementOf(config, 'http://10.0.0.1:8000', false)).toEqual({ url: 'http://10.0.0.1:8000' });
});

test('the next step goes to the data folder that was set, also where a shell would take its name apart', () => {
  const nextWith = (DATA_DIR: string) => announcementOf(readConfig({ DATA_DIR }), 'http://127.0.0.1:1', false).next;
  expect(nextWith('/x')).toMatch(/^DATA_DIR=\/x npm run create-test-user in/);
  expect(nextWith("/my data/it's")).toContain(String.raw`DATA_DIR='/my data/it'\''s' npm run create-test-user in`);
});

test.each(['http://0.0.0.0:8000', 'http://[::]:8000'])('listening on %s it says where to open it', (listening) => {
  const said: string[] = [];
  const announcement = announcementOf(readConfig({}), listening, true);
  announce(announcement, pino(new PassThrough()), (text) => void said.push(text));
  expect(said.join('')).toContain('  Tertulia listens on http://localhost:8000, on all networks\n');
  expect(announcement.test_page).toBe('http://localhost:8000/static/socketio_test.html');
});

test('a .env file in the working folder is read', async () => {
  const directory = testDirectory();
  writeFileSync(join(directory, '.env'), 'LOG_LEVEL=loud\n');
  expect(await Program.run('main', { directory })).toEqual({
    code: 1,
    signal: null,
    output: '',
    errors: expect.stringMatching(/^The settings need attention:\n {2}- LOG_LEVEL=loud: [^\n]+$/),
  });
});

test('a busy port', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const said = await Program.run('main', { directory: testDirectory(), variables: { PORT: String(port) } });
  expect(said).toMatchObject({ code: 1, output: '' });
  expect(said.errors).toBe(
    `Port ${port} on 127.0.0.1 is in use by another program. Stop that one, or choose another port: PORT=${port + 1} npm start`,
  );
});

test('every wrong setting at once', async () => {
  const said = await refusal({ PORT: 'x', ENVIRONMENT: 'production', ALLOWED_ORIGINS: '*' });
  expect(said.split('\n')).toEqual([
    'The settings need attention:',
    expect.stringMatching(/PORT=x/),
    expect.stringMatching(/JWT_SECRET/),
    expect.stringMatching(/ALLOWED_ORIGINS=\*/),
  ]);
});

test('an assistant and a folder that are not there are told of in the same go', async () => {
  const variables = { PORT: '70000', ASSISTANT: 'gide', KNOWLEDGE_DIR: '/nowhere' };
  const { code, errors } = await Program.run('main', { directory: testDirectory(), variables });
  expect(code).toBe(1);
  expect(errors.split('\n').slice(1)).toEqual([
    '  - PORT=70000: must be a whole number from 0 to 65535',
    expect.stringMatching(/^ {2}- ASSISTANT=gide: there is no such assistant; take one of guide, /),
    '  - KNOWLEDGE_DIR=/nowhere: there is no such folder',
  ]);
});

test('an address that this machine has not', async () => {
  expect(await refusal({ HOST: '192.0.2.1' })).toMatch(/^HOST=192\.0\.2\.1: this machine has no such address/);
});

test('an assistant that cannot be loaded', async () => {
  expect(await refusal({ ASSISTANT: './nowhere.ts' })).toMatch(/^ASSISTANT=\.\/nowhere\.ts: there is no file/);
});

test('a data folder that cannot be made', async () => {
  const file = join(testDirectory(), 'file');
  writeFileSync(file, '');
  const remedy = 'Set DATA_DIR to a folder of your own, or give this one to the user that runs the server.';
  const below = join(file, 'data');
  expect(await refusal({ DATA_DIR: below })).toBe(
    `DATA_DIR=${below}: a part of the path is a file, not a folder. ${remedy}`,
  );
  expect(await refusal({ DATA_DIR: file })).toBe(`DATA_DIR=${file}: it is a file, not a folder. ${remedy}`);
});

test('a data folder where no folder can be made is refused, and not tried for ever', async () => {
  expect(await refusal({ DATA_DIR: '/proc/tertulia/data' })).toMatch(
    /^DATA_DIR=\/proc\/tertulia\/data: .+\. Set DATA_DIR/,
  );
  const user = await run(createTestUser, [], { DATA_DIR: '/proc/tertulia' });
  expect(user).toMatchObject({ code: 1, errors: expect.stringMatching(/^DATA_DIR=\/proc\/tertulia: /) });
});

test('a data folder that this user may not write to', () => {
  const directory = testDirectory();
  chmodSync(directory, 0o500);
  const from = (file: string) => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href);
  // Root may write everywhere, so it becomes nobody first; once everything is loaded, since nobody may not read that.
  const script = `
    const { openDataFolder } = await import(${from('data-folder.ts')});
    const { readConfig } = await import(${from('config.ts')});
    const config = readConfig({ DATA_DIR: ${JSON.stringify(directory)} });
    if (process.getuid() === 0) process.setuid(${NOBODY});
    await openDataFolder(config).catch((error) => console.log(error.message));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(stdout).toMatch(/^DATA_DIR=.+: this user may not read or write it\. Set DATA_DIR/);
});

test('a data folder that another server holds', async () => {
  const server = await startServer();
  expect(await refusal({}, server.directory)).toMatch(/^Another server is using the data folder/);
  await server.close();
});

test("another program's database, a newer version's, and a file that is none", async () => {
  const directory = testDirectory();
  const database = join(directory, 'tertulia.sqlite');
  writeFileSync(database, 'x'.repeat(5_000));
  expect(await refusal({}, directory)).toMatch(/is not a database/);
  writeFileSync(database, '');
  const db = new DatabaseSync(database);
  db.exec('CREATE TABLE theirs (a)');
  expect(await refusal({}, directory)).toMatch(/is another program's database/);
  db.exec('PRAGMA application_id = 0x54455254; PRAGMA user_version = 999');
  expect(await refusal({}, directory)).toMatch(/made by a newer version \(schema 999/);
  db.close();
});

test('a second signal ends it at once, while an answer would still be waited for', async () => {
  const directory = testDirectory();
  const assistant = join(directory, 'slow.mjs');
  writeFileSync(
    assistant,
    'export default async function* slow() { yield "…"; await new Promise((done) => setTimeout(done, 60_000)); }',
  );
  const server = new Program('main', { directory, variables: { ASSISTANT: assistant } });
  const url = await server.listening();
  await ask(url, directory);
  await server.line('Chat message processed');
  server.signal('SIGINT');
  await server.line('stopping');
  server.signal('SIGINT');
  expect(await server.ended).toMatchObject({ code: 130 });
});

test('what nothing was prepared for is one fatal line with its cause, and the end', async () => {
  const directory = testDirectory();
  const assistant = join(directory, 'rejecting.mjs');
  writeFileSync(
    assistant,
    "export default async function* rejecting() { Promise.reject(new Error('outside', { cause: new Error('inside') })); yield 'x'; }",
  );
  const server = new Program('main', { directory, variables: { ASSISTANT: assistant } });
  await ask(await server.listening(), directory);
  const { code, output } = await server.ended;
  expect(code).toBe(1);
  const fatal = JSON.parse(output.split('\n').find((line) => line.includes('"level":60')) ?? '{}');
  expect(fatal).toMatchObject({
    origin: 'unhandledRejection',
    err: { message: expect.stringMatching(/outside.*inside/) },
  });
});

async function ask(url: string, directory: string): Promise<void> {
  await run(createTestUser, [], { DATA_DIR: directory });
  const json = (body: object) => ({
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  const login = await fetch(`${url}/api/v1/auth/login`, json({ username: 'testuser', password: 'testpass123' }));
  const { access_token } = (await login.json()) as { access_token: string };
  const question = json({ message: 'anybody there?' });
  await fetch(`${url}/api/v1/chat`, {
    ...question,
    headers: { ...question.headers, authorization: `Bearer ${access_token}` },
  });
}
