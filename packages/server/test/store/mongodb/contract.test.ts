import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import { MongoStore } from '../../../src/store/mongodb/mongo-store.ts';
import { describeWith } from '../../support/describe-with.ts';
import { startMongodb, type MongodbServer } from '../../support/mongodb-server.ts';
import { deletionContract } from '../contract-deletion.ts';
import { readContract } from '../contract-reads.ts';
import { taskContract } from '../contract-tasks.ts';
import { storeContract } from '../contract.ts';

describeWith('ferretdb', 'on a server of the protocol', () => {
  let server: MongodbServer;
  beforeAll(async () => void (server = await startMongodb()));
  afterAll(() => server.stop());

  const begin = async () => {
    const url = server.newDatabase();
    const log = pino({ level: 'warn' });
    return {
      open: () => MongoStore.open({ url, log }),
      remove: () => Promise.resolve(),
    };
  };

  storeContract('MongoDB', begin);
  readContract('MongoDB', begin);
  taskContract('MongoDB', begin);
  deletionContract('MongoDB', begin);
});
