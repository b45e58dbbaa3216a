import { randomUUID } from 'node:crypto';
import { MongoClient, type Db, type FindOptions } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AccountStore, NewUser } from '../../src/store/account-store.ts';
import { ACCOUNT_INDEXES, mongoAccounts, usernames } from '../../src/store/mongodb/accounts.ts';
import { DatabaseClock } from '../../src/store/mongodb/clock.ts';
import { ensureIndexes } from '../../src/store/mongodb/indexes.ts';
import { describeWith } from '../support/describe-with.ts';
import { startMongodb } from '../support/mongodb-server.ts';
import { accountStoreContract } from './store-contract.ts';

async function open() {
  const server = await startMongodb();
  const client = new MongoClient(server.newDatabase());
  const db = client.db();
  const clock = new DatabaseClock(db);
  await clock.measure();
  await ensureIndexes(db, ACCOUNT_INDEXES);
  return {
    db,
    clock,
    accounts: mongoAccounts(db, clock),
    close: async () => {
      await client.close();
      await server.stop();
    },
  };
}

/** The same database, but whoever asks it for the newest revision is told the first. */
function withReadsBehind(db: Db): Db {
  const accounts = db.collection('accounts');
  const findOne = (filter: object, options?: FindOptions) =>
    accounts.findOne(options?.sort ? { ...filter, revision: 1 } : filter, options);
  const collection = (name: string) =>
    name === 'accounts'
      ? { findOne, insertOne: accounts.insertOne.bind(accounts), updateOne: accounts.updateOne.bind(accounts) }
      : db.collection(name);
  return { collection } as unknown as Db;
}

function newUser(name: string): NewUser {
  const keys = { username_key: name, email_key: `${name}@example.org` };
  const names = { username: name.toUpperCase(), email: `${name.toUpperCase()}@example.org`, full_name: null };
  return { id: randomUUID(), ...keys, ...names, password_hash: 'hash', is_superuser: false, created_at: '2026-01-02' };
}

describeWith('ferretdb', 'MongoDB', () => {
  accountStoreContract('MongoDB', open);

  let opened: Awaited<ReturnType<typeof open>>;
  let accounts: AccountStore;
  let db: Db;
  let clock: DatabaseClock;

  beforeAll(async () => {
    opened = await open();
    ({ accounts, db, clock } = opened);
  });
  afterAll(() => opened.close());

  const rename = (id: string, name: string) => accounts.updateUser(id, { username: { name, key: name } });

  /** What a crash right after the insert of a new name leaves: nobody has freed the old one. */
  async function renameAndCrash(user: NewUser, name: string): Promise<void> {
    const { username_key } = user;
    await rename(user.id, name);
    await db
      .collection('accounts')
      .updateOne({ user_id: user.id, revision: 1 }, { $set: { takes_username: username_key } });
  }

  test('a name whose holder has given it up is free, also where a crash left it taken', async () => {
    const user = newUser('anna');
    await accounts.createUser(user);
    await renameAndCrash(user, 'bert');
    expect(await accounts.findUserByName('anna')).toBeNull();
    expect((await accounts.createUser({ ...newUser('anton'), username_key: 'anna' })).status).toBe('stored');
    expect(await rename(user.id, 'anna')).toEqual({ status: 'username_taken' });
    expect((await accounts.findUserByName('bert'))?.id).toBe(user.id);
  });

  test('whoever gave a name up may have it again, also where a crash left it taken', async () => {
    const user = newUser('carl');
    await accounts.createUser(user);
    await renameAndCrash(user, 'dora');
    expect((await rename(user.id, 'carl')).status).toBe('stored');
    expect((await accounts.findUserByName('carl'))?.id).toBe(user.id);
    expect((await accounts.createUser(newUser('carl'))).status).toBe('email_taken');
    expect((await accounts.createUser({ ...newUser('emil'), username_key: 'carl' })).status).toBe('username_taken');
    expect((await accounts.createUser(newUser('dora'))).status).toBe('stored');
  });

  test('a name is not freed by a read that is behind, as after a change of primary', async () => {
    const user = newUser('karl');
    await accounts.createUser(user);
    const revisions = db.collection<{ user_id: string; revision: number }>('accounts');
    const first = await revisions.findOne({ user_id: user.id });
    await rename(user.id, 'lena');
    await revisions.replaceOne({ user_id: user.id, revision: 1 }, { ...first!, takes_username: 'lost' } as never);
    const behind = mongoAccounts(withReadsBehind(db), clock);
    expect(await behind.createUser({ ...newUser('mona'), username_key: 'lena' })).toEqual({ status: 'username_taken' });
    expect((await accounts.findUserByName('lena'))?.id).toBe(user.id);
  });

  test('changes of one account at the same time all hold', async () => {
    const user = newUser('frida');
    await accounts.createUser(user);
    const hashes = ['2', '3'].map((password_hash) => ({ password_hash, generation: 2, kept_session_id: null }));
    const changed = await Promise.all([
      accounts.updateUser(user.id, { full_name: 'Frida' }),
      accounts.updateUser(user.id, { email: { address: 'New@example.org', key: 'new@example.org' } }),
      rename(user.id, 'gerda'),
      ...hashes.map((password) => accounts.changePassword({ user_id: user.id, ...password })),
    ]);
    expect(changed.filter((result) => result === null)).toHaveLength(1);
    const found = await accounts.findCredentials('new@example.org');
    expect(found).toMatchObject({ account: { full_name: 'Frida', username: 'gerda' }, password_generation: 2 });
    expect(await usernames(db, [user.id, 'nobody'])).toEqual(new Map([[user.id, 'gerda']]));
  });

  test('nothing stays of what an account was', async () => {
    const user = { ...newUser('hugo'), password_hash: 'the old hash' };
    await accounts.createUser(user);
    await rename(user.id, 'ida');
    await accounts.changePassword({ user_id: user.id, generation: 2, password_hash: 'new', kept_session_id: null });
    const stored = JSON.stringify(await db.collection('accounts').find({ user_id: user.id }).toArray());
    expect(stored).toContain('"revision":3');
    expect(stored.toLowerCase()).not.toMatch(/"hugo"|the old hash/);
  });

  test('sessions that are over go with their tokens and ends as others sign in', async () => {
    const user = newUser('jonas');
    await accounts.createUser(user);
    const session = { user_id: user.id, password_generation: 1, lifetime_ms: 60_000, address: null, user_agent: null };
    for (const id of ['over1', 'over2', 'live']) await accounts.createSession({ id, token_hash: id, ...session });
    await accounts.rotate('over1', 'over1 again', 1_000);
    await accounts.endSession(user.id, 'over2');
    const kinds = ['sessions', 'session_ends', 'refresh_tokens'].map((name) => db.collection(name));
    const over = { $or: [{ _id: /^over/ as never }, { session_id: /^over/ }] };
    for (const kind of kinds) await kind.updateMany(over, { $set: { expires_at: 1 } });
    await accounts.createSession({ id: 'next', token_hash: 'next', ...session });
    expect(await Promise.all(kinds.map((kind) => kind.countDocuments()))).toEqual([2, 0, 2]);
    expect(await accounts.liveSessions(['over1', 'over2', 'live', 'next'])).toEqual(['live', 'next']);
  });
});
