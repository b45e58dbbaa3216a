import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DATABASE_FILE, SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { deletionContract } from './contract-deletion.ts';
import { readContract } from './contract-reads.ts';
import { taskContract } from './contract-tasks.ts';
import { storeContract } from './contract.ts';
import { LogBuilder } from './log-builder.ts';
import { testDirectory } from '../support/test-directory.ts';

const begin = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tertulia-store-'));
  const onFatal = (error: Error) => {
    throw error;
  };
  return {
    open: () => SqliteStore.open({ directory, exclusive: true, onFatal }),
    remove: () => rm(directory, { recursive: true }),
  };
};

storeContract('SQLite', begin);
readContract('SQLite', begin);
taskContract('SQLite', begin);
deletionContract('SQLite', begin);

test('nobody else on the machine can read the database', async () => {
  const directory = testDirectory();
  const store = await SqliteStore.open({ directory, exclusive: true, onFatal: () => undefined });
  await store.log.append(new LogBuilder().created());
  for (const end of ['', '-wal', '-shm']) {
    expect((await stat(join(directory, DATABASE_FILE + end))).mode & 0o077).toBe(0);
  }
  await store.close();
});
