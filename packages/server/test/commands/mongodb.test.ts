import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { backUp } from '../../src/commands/backup.ts';
import { createTestUser } from '../../src/commands/create-test-user.ts';
import { createUser } from '../../src/commands/create-user.ts';
import { doctor } from '../../src/commands/doctor.ts';
import { restore } from '../../src/commands/restore.ts';
import { setActive } from '../../src/commands/set-active.ts';
import { setPassword } from '../../src/commands/set-password.ts';
import { describeWith } from '../support/describe-with.ts';
import { startMongodb, type MongodbServer } from '../support/mongodb-server.ts';
import { testDirectory } from '../support/test-directory.ts';
import { run } from './run-command.ts';

const ALICE = ['--username', 'alice', '--email', 'alice@example.org', '--password', 'correct horse 42'];

describeWith('ferretdb', 'commands on MongoDB', () => {
  let server: MongodbServer;
  beforeAll(async () => void (server = await startMongodb()));
  afterAll(() => server.stop());

  test('accounts are made and changed there', async () => {
    const variables = { MONGODB_URL: server.newDatabase(), DATA_DIR: testDirectory() };
    const shown = variables.MONGODB_URL.split('?')[0] ?? '';
    expect(await run(createTestUser, [], variables)).toMatchObject({ code: 0 });
    const made = await run(createUser, ALICE, variables);
    expect(made).toMatchObject({ code: 0, output: expect.stringContaining(`The database is ${shown}.`) });
    expect(await run(createUser, ALICE, variables)).toMatchObject({ code: 1 });
    const other = ['--username', 'alice', '--password', 'another horse 43'];
    expect(await run(setPassword, other, variables)).toMatchObject({ code: 0 });
    expect(await run(setActive, ['--username', 'alice', '--active', 'no'], variables)).toMatchObject({ code: 0 });
    expect(await run(doctor, [], { ...variables, PORT: '0', ASSISTANT: 'none' })).toMatchObject({
      code: 0,
      output: expect.stringMatching(/ok {7}database {8}mongodb:.* answers \(MongoDB .*, schema 1\)/),
    });
  });

  test('commands for the embedded database say that it is not the one', async () => {
    const variables = { MONGODB_URL: server.newDatabase(), DATA_DIR: testDirectory() };
    for (const refused of [await run(backUp, [], variables), await run(restore, ['--from', 'x'], variables)]) {
      expect(refused).toMatchObject({ code: 1, errors: expect.stringContaining('use mongodump and mongorestore') });
    }
  });

  test('the doctor sees what a start would mend, an import that was broken off, and clocks that differ', async () => {
    const variables = { MONGODB_URL: server.newDatabase(), DATA_DIR: testDirectory(), PORT: '0', ASSISTANT: 'none' };
    await run(createTestUser, [], variables);
    const client = new MongoClient(variables.MONGODB_URL);
    onTestFinished(() => client.close());
    await client.db().collection('events').dropIndex('by_seq');
    expect((await run(doctor, [], variables)).output).toMatch(
      /warning {2}database {8}mongodb:.* lacks indexes: events.by_seq\n/,
    );
    const half = JSON.stringify({ export_id: 'any', is_move: false, parts: 1, is_finished: false });
    await client.db().collection<{ _id: string; value: string }>('meta').insertOne({ _id: 'import', value: half });
    const { code, output } = await run(doctor, [], variables);
    expect(code).toBe(1);
    expect(output).toMatch(/problem {2}database {8}mongodb:.* holds a part of an import/);
    expect(output).toMatch(/ok {7}clocks {10}the database's and this one agree \(0\.\d s apart\)/);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect((await run(doctor, [], variables)).output).toMatch(
      /warning {2}clocks {10}the database's is (59|60)\.\d s ahead of this one/,
    );
  });

  test('before the first start the doctor finds a database to be filled', async () => {
    const variables = { MONGODB_URL: server.newDatabase(), DATA_DIR: testDirectory(), PORT: '0', ASSISTANT: 'none' };
    const { output } = await run(doctor, [], variables);
    expect(output).toMatch(/database {8}mongodb:.* will be filled at the first start/);
  });
});

test('a database that is not there is a problem that tells no password', async () => {
  const url = 'mongodb://me:hunter2@127.0.0.1:1/chat?serverSelectionTimeoutMS=50';
  const variables = { MONGODB_URL: url, DATA_DIR: testDirectory(), PORT: '0', ASSISTANT: 'none' };
  const { code, output } = await run(doctor, [], variables);
  expect(code).toBe(1);
  expect(output).toMatch(/problem {2}database {8}mongodb:\/\/127.0.0.1:1\/chat does not answer/);
  expect(output).not.toContain('hunter2');
  const wrong = await run(createTestUser, [], {
    ...variables,
    MONGODB_URL: 'mongodb://me:hunter2@a.example/?w=x&tls=maybe',
  });
  expect(wrong).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/^The database mongodb:\/\/a.example\/tertulia/),
  });
  expect(wrong.errors).not.toContain('hunter2');
  const started = await run(createTestUser, [], variables);
  expect(started).toMatchObject({ code: 1, errors: expect.stringMatching(/^The database .*cannot be used/) });
  expect(started.errors).not.toContain('hunter2');
});
