import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { storeContract } from './contract.ts';

storeContract('SQLite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tertulia-store-'));
  const onFatal = (error: Error) => {
    throw error;
  };
  return {
    open: () => SqliteStore.open({ directory, exclusive: true, onFatal }),
    remove: () => rm(directory, { recursive: true }),
  };
});
