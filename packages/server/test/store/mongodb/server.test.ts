import { MongoClient } from 'mongodb';
import { expect, test } from 'vitest';
import { DatabaseClock } from '../../../src/store/mongodb/clock.ts';
import { describeWith } from '../../support/describe-with.ts';
import { startMongodb } from '../../support/mongodb-server.ts';

describeWith('ferretdb', 'the server that the tests of MongoDB run on', () => {
  test('it keeps a unique index, tells its time, and each test has a database of its own', async () => {
    const server = await startMongodb();
    const [client, other] = [new MongoClient(server.newDatabase()), new MongoClient(server.newDatabase())];
    const things = client.db().collection('things');
    await things.createIndex({ key: 1 }, { unique: true });
    await things.insertOne({ key: 'a' }, { writeConcern: { w: 'majority', journal: true } });
    await expect(things.insertOne({ key: 'a' })).rejects.toMatchObject({ code: 11_000 });
    expect(await other.db().collection('things').countDocuments()).toBe(0);
    await new DatabaseClock(client.db()).measure();
    await Promise.all([client.close(), other.close()]);
    await server.stop();
  });
});
