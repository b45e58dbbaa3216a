import { pino } from 'pino';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, databaseOf } from '../../../src/store/mongodb/client.ts';
import { noteUse } from '../../../src/store/mongodb/in-use.ts';
import { openDatabase } from '../../../src/store/mongodb/open-database.ts';
import { MongoStore } from '../../../src/store/mongodb/mongo-store.ts';
import { databaseName, isMongodbUrl, shownUrl } from '../../../src/store/mongodb-url.ts';
import { describeWith } from '../../support/describe-with.ts';
import { startMongodb, type MongodbServer } from '../../support/mongodb-server.ts';
import { LogBuilder } from '../log-builder.ts';

const log = pino({ level: 'silent' });

test('what is shown of a URL has neither user nor password', () => {
  const url = 'mongodb://me:p%40ss@a.example:27017,b.example/chat?authSource=admin';
  expect(shownUrl(url)).toBe('mongodb://a.example:27017,b.example/chat');
  expect(databaseName(url)).toBe('chat');
  expect(shownUrl('mongodb+srv://me:secret@cluster.example/?tls=true')).toBe('mongodb+srv://cluster.example/tertulia');
  expect(databaseName('mongodb://localhost')).toBe('tertulia');
});

test.each(['PASS@WORD', 'PASS/WORD', 'PASS/WO?RD', 'PASS/WORD@more'])(
  'with a bare %s for its password a URL is refused, since a part of it would be shown as host',
  (password) => expect(isMongodbUrl(`mongodb://me:${password}@a.example/chat`)).toBe(false),
);

test.each(['mongodb://me:a%40%2Fb@a/chat', 'mongodb://a,b:1/?replicaSet=rs0', 'mongodb+srv://me:p?w#@a.example'])(
  '%s is taken',
  (url) => expect(isMongodbUrl(url)).toBe(true),
);

test('a URL may set time-outs and the pool, and cannot ask for less safety', async () => {
  const url =
    'mongodb://127.0.0.1:1/chat?w=1&j=false&wtimeoutMS=5&readConcernLevel=local&readPreference=secondary&maxPoolSize=7';
  const client = createClient(url);
  const db = databaseOf(client, url);
  expect({ ...db.collection('events').writeConcern }).toEqual({ w: 'majority', journal: true, j: true });
  expect(db.collection('events').readConcern).toMatchObject({ level: 'majority' });
  expect(db.collection('events').readPreference?.mode).toBe('primary');
  expect(client.options).toMatchObject({ maxPoolSize: 7, socketTimeoutMS: 5_000 });
  await client.close();
});

test('a database that does not answer is told by its address alone', async () => {
  const url = 'mongodb://me:secret@127.0.0.1:1/chat?serverSelectionTimeoutMS=50';
  const failure = await MongoStore.open({ url, log }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'DatabaseUnreachable', message: expect.stringContaining('127.0.0.1:1/chat') });
  expect(String(failure)).not.toContain('secret');
});

describeWith('ferretdb', 'opening a database of MongoDB', () => {
  let server: MongodbServer;
  beforeAll(async () => void (server = await startMongodb()));
  afterAll(() => server.stop());

  test('nodes that start at once on a new database agree on it', async () => {
    const url = server.newDatabase();
    const stores = await Promise.all(Array.from({ length: 4 }, () => MongoStore.open({ url, log })));
    expect(new Set(stores.map(({ epoch }) => epoch)).size).toBe(1);
    const rivals = stores.map((store) => ({ store, given: new LogBuilder().created() }));
    const id = rivals[0]?.given.event.conversation_id ?? '';
    const results = await Promise.all(
      rivals.map(({ store, given }) => store.log.append({ ...given, event: { ...given.event, conversation_id: id } })),
    );
    expect(results.map(({ status }) => status).toSorted()).toEqual(['appended', 'seq_taken', 'seq_taken', 'seq_taken']);
    await Promise.all(stores.map((store) => store.check()));
    await Promise.all(stores.map((store) => store.close()));
  });

  test('nodes that note at once that they use a new database all may', async () => {
    const { client, db } = await openDatabase(server.newDatabase());
    for (let round = 0; round < 10; round += 1) {
      await db.meta.deleteOne({ _id: 'used' });
      await Promise.all(Array.from({ length: 10 }, () => noteUse(db)));
    }
    expect(await db.meta.countDocuments({ _id: 'used' })).toBe(1);
    await client.close();
  });

  test('a database of a newer version is refused, and so is one whose index is another', async () => {
    const newer = server.newDatabase();
    const client = await MongoClient.connect(newer);
    await client.db().collection<{ _id: string; value: number }>('meta').insertOne({ _id: 'schema', value: 99 });
    await expect(MongoStore.open({ url: newer, log })).rejects.toThrow('was made by a newer version (schema 99');
    await client.db().dropDatabase();
    await client.db().collection('events').createIndex({ seq: 1 }, { name: 'by_seq' });
    await expect(MongoStore.open({ url: newer, log })).rejects.toThrow('The index by_seq (conversation_id, seq)');
    await client.close();
  });

  test('closed, it answers `unavailable`', async () => {
    const store = await MongoStore.open({ url: server.newDatabase(), log });
    await store.close();
    await expect(store.log.lastSeq('x')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' });
  });
});
