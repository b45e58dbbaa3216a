import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import { backUp } from '../../src/commands/backup.ts';
import { createTestUser } from '../../src/commands/create-test-user.ts';
import { restore } from '../../src/commands/restore.ts';
import { startServer } from '../support/start-server.ts';
import { testDirectory } from '../support/test-directory.ts';
import { run } from './run-command.ts';

// Programs of their own take their time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

function epochOf(path: string): unknown {
  return read(path, "SELECT value FROM meta WHERE key = 'epoch'");
}

function read(path: string, sql: string): unknown {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return Object.values(db.prepare(sql).get() ?? {})[0];
  } finally {
    db.close();
  }
}

test('a backup made while messages come in is whole, and holds every one acknowledged before it began', async () => {
  const server = await startServer({ settings: { TASKS_QUEUED: '1000' } });
  const client = await server.connect(await server.signUp('alice'), { protocol: 1 });
  const sends = Array.from({ length: 200 }, (_, number) => client.ask('chat', { message: `message ${number}` }));
  const before = await Promise.all(sends.slice(0, 50));
  const to = join(testDirectory(), 'copy.sqlite');
  const made = await run(backUp, ['--to', to], { DATA_DIR: server.directory });
  await Promise.all(sends);
  await server.close();

  expect(made.code).toBe(0);
  expect(made.output).toContain(to);
  expect(statSync(to).mode & 0o777).toBe(0o600);
  expect(existsSync(`${to}-wal`)).toBe(false);
  expect(read(to, 'PRAGMA integrity_check')).toBe('ok');
  const ids = before.map(({ conversation_id }) => `'${conversation_id}'`);
  expect(read(to, `SELECT count(*) FROM conversations WHERE id IN (${ids.join()})`)).toBe(50);
});

test('a backup writes over nothing', async () => {
  const directory = testDirectory();
  await run(createTestUser, [], { DATA_DIR: directory });
  const to = join(directory, 'mine.txt');
  writeFileSync(to, 'mine');
  const refused = await run(backUp, ['--to', to], { DATA_DIR: directory });
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(/is there already, and a backup writes over nothing/);
  expect(readFileSync(to, 'utf8')).toBe('mine');
});

test('a backup that fails leaves no file behind', async () => {
  const directory = testDirectory();
  const to = join(testDirectory(), 'copy.sqlite');
  const refused = await run(backUp, ['--to', to], { DATA_DIR: directory });
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(/tertulia.sqlite: there is no such file/);
  expect(existsSync(to)).toBe(false);
});

test('a backup of a data folder that is not there makes none', async () => {
  const directory = join(testDirectory(), 'mistyped');
  const refused = await run(backUp, [], { DATA_DIR: directory });
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(/tertulia.sqlite: there is no such file/);
  expect(existsSync(directory)).toBe(false);
});

test('without a name a backup gets a dated one in the data folder', async () => {
  const directory = testDirectory();
  await run(createTestUser, [], { DATA_DIR: directory });
  expect((await run(backUp, [], { DATA_DIR: directory })).code).toBe(0);
  expect(readdirSync(join(directory, 'backups')).join()).toMatch(/^tertulia-\d{4}-\d\d-\d\dT[\d.-]+\.sqlite$/);
});

test('a restored database is the backup under a new epoch, and the old one is kept', async () => {
  const directory = testDirectory();
  const before = await startServer({ directory });
  const person = await before.signUp('alice');
  const client = await before.connect(person, { protocol: 1 });
  const kept = await client.ask('chat', { message: 'kept' });
  const backup = join(testDirectory(), 'copy.sqlite');
  await run(backUp, ['--to', backup], { DATA_DIR: directory });
  const lost = await client.ask('chat', { message: 'after the backup' });
  const epoch = before.context.store.epoch;
  await before.close();

  const restored = await run(restore, ['--from', backup], { DATA_DIR: directory });
  expect(restored).toMatchObject({ code: 0, errors: '' });
  const old = /kept as (\S+\.sqlite)\./.exec(restored.output)?.[1] ?? '';
  expect(epochOf(old)).toBe(epoch);

  const after = await startServer({ directory });
  expect(after.context.store.epoch).not.toBe(epoch);
  expect((await after.call('GET', '/auth/me', { token: person.token })).status).toBe(401); // everybody signs in anew
  const again = await after.connect(await after.logIn('alice'), { protocol: 1 });
  expect(await again.ask('sync', { conversation_id: kept.conversation_id, after_seq: 0 })).toMatchObject({ ok: true });
  const missing = await again.ask('sync', { conversation_id: lost.conversation_id, after_seq: 0 });
  expect(missing.error.code).toBe('not_found');
  await after.close();
});

test('while a server runs on the folder nothing is restored', async () => {
  const server = await startServer();
  const backup = join(testDirectory(), 'copy.sqlite');
  await run(backUp, ['--to', backup], { DATA_DIR: server.directory });
  const refused = await run(restore, ['--from', backup], { DATA_DIR: server.directory });
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(/Another server is using the data folder/);
  await server.close();
});

test('what a crash left in the write-ahead log is kept with the old database', async () => {
  const directory = testDirectory();
  await run(createTestUser, [], { DATA_DIR: directory });
  const database = join(directory, 'tertulia.sqlite');
  const backup = join(directory, 'copy.sqlite');
  await run(backUp, ['--to', backup], { DATA_DIR: directory });
  const crashed = new DatabaseSync(database);
  crashed.exec("PRAGMA wal_autocheckpoint = 0; INSERT INTO meta VALUES ('mark', 'only in the log')");
  const [file, log] = [readFileSync(database), readFileSync(`${database}-wal`)];
  crashed.close();
  writeFileSync(database, file);
  writeFileSync(`${database}-wal`, log);

  const restored = await run(restore, ['--from', backup], { DATA_DIR: directory });
  const old = /kept as (\S+\.sqlite)\./.exec(restored.output)?.[1] ?? '';
  expect(read(old, "SELECT value FROM meta WHERE key = 'mark'")).toBe('only in the log');
  expect(read(database, "SELECT count(*) FROM meta WHERE key = 'mark'")).toBe(0);
});

test('a damaged database is replaced all the same', async () => {
  const directory = testDirectory();
  await run(createTestUser, [], { DATA_DIR: directory });
  const backup = join(directory, 'copy.sqlite');
  await run(backUp, ['--to', backup], { DATA_DIR: directory });
  writeFileSync(join(directory, 'tertulia.sqlite'), 'no database any more');
  expect((await run(restore, ['--from', backup], { DATA_DIR: directory })).code).toBe(0);
  expect((await run(createTestUser, [], { DATA_DIR: directory })).output).toMatch(/there already/);
});

test.each([
  ['a file that is no database', (path: string) => writeFileSync(path, 'x'.repeat(5_000)), /is not a database/],
  [
    "another program's database",
    (path: string) => new DatabaseSync(path).exec('CREATE TABLE a (b)'),
    /not a database of Tertulia/,
  ],
  [
    'the database of a newer version',
    (path: string) => new DatabaseSync(path).exec('PRAGMA application_id = 0x54455254; PRAGMA user_version = 999'),
    /newer version/,
  ],
  ['nothing', () => undefined, /there is no such file/],
])('%s is not restored, and what was there stays', async (_name, make, wanted) => {
  const directory = testDirectory();
  await run(createTestUser, [], { DATA_DIR: directory });
  const from = join(testDirectory(), 'from.sqlite');
  make(from);
  const before = epochOf(join(directory, 'tertulia.sqlite'));
  const refused = await run(restore, ['--from', from], { DATA_DIR: directory });
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(wanted);
  expect(epochOf(join(directory, 'tertulia.sqlite'))).toBe(before);
  expect(readdirSync(directory).filter((name) => /before|sqlite\./.test(name))).toEqual([]);
});

test('a damaged backup is not restored', async () => {
  const directory = testDirectory();
  await run(createTestUser, [], { DATA_DIR: directory });
  const backup = join(directory, 'copy.sqlite');
  await run(backUp, ['--to', backup], { DATA_DIR: directory });
  chmodSync(backup, 0o600);
  const bytes = readFileSync(backup);
  bytes.fill(0xff, 3 * 4096, 5 * 4096);
  writeFileSync(backup, bytes);
  const refused = await run(restore, ['--from', backup], { DATA_DIR: directory });
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(/damaged/);
});
