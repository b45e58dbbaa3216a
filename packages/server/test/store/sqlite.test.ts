import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { deletionContract } from './contract-deletion.ts';
import { readContract } from './contract-reads.ts';
import { taskContract } from './contract-tasks.ts';
import { storeContract } from './contract.ts';

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
