import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import { MongoStore } from '../../../src/store/mongodb/mongo-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { describeWith } from '../../support/describe-with.ts';
import { startMongodb, type MongodbServer } from '../../support/mongodb-server.ts';
import { storeContract } from '../contract.ts';

describeWith('ferretdb', 'on a server of the protocol', () => {
  let server: MongodbServer;
  beforeAll(async () => void (server = await startMongodb()));
  afterAll(() => server.stop());

  storeContract('MongoDB', async () => {
    const url = server.newDatabase();
    const log = pino({ level: 'warn' });
    return {
      open: async () => (await MongoStore.open({ url, log })) as unknown as Store,
      remove: () => Promise.resolve(),
    };
  });
});
