import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Db } from 'mongodb';
import type { AccountStore } from '../../src/store/account-store.ts';
import { ACCOUNT_INDEXES, mongoAccounts } from '../../src/store/mongodb/accounts.ts';
import { DatabaseClock } from '../../src/store/mongodb/clock.ts';
import { ensureIndexes } from '../../src/store/mongodb/indexes.ts';
import { randomFrom, seedOf } from './random.ts';
import { describeWith } from '../support/describe-with.ts';
import { anyFault, BUGS, openFaultyDatabase, planted } from '../support/faulty-database.ts';
import { startMongodb, type MongodbServer } from '../support/mongodb-server.ts';
import { passwordChanges, registrations, rotations, signIns } from './account-fault-runs.ts';

/** How many faults each run meets; some hundreds by hand. */
const INJECTIONS = Number(process.env['INJECTIONS'] ?? 40);
const SEED = seedOf(process.env['SEED']);
const RUNS = { registrations, passwordChanges, rotations, signIns } as const;
type Run = keyof typeof RUNS;
const NAMES = Object.keys(RUNS) as Run[];

describeWith('ferretdb', `accounts on MongoDB while messages are lost, seed ${SEED}`, () => {
  let server: MongodbServer;

  beforeAll(async () => {
    server = await startMongodb();
  });
  afterAll(() => server.stop());

  async function accountsOf(db: Db): Promise<AccountStore> {
    const clock = new DatabaseClock(db);
    await clock.measure();
    return mongoAccounts(db, clock);
  }

  /** Goes on until so many faults were injected; answers what was wrong. */
  async function run(name: Run, injections: number, plant: (db: Db) => Db = (db) => db): Promise<string[]> {
    const database = await openFaultyDatabase(server.newDatabase());
    await ensureIndexes(database.direct, ACCOUNT_INDEXES);
    const parts = { accounts: await accountsOf(plant(database.faulty)), truth: await accountsOf(database.direct) };
    const round = await RUNS[name]({ ...parts, database });
    database.proxy.rule = anyFault(randomFrom(SEED));
    const problems: string[] = [];
    let rounds = 0;
    for (; database.proxy.total < injections; rounds += 1) {
      problems.push(...(await round(rounds).catch((error: unknown) => [String(error)])));
    }
    await database.close();
    console.log(`${name}: ${rounds} rounds, ${JSON.stringify(Object.fromEntries(database.proxy.injected))}`);
    return problems;
  }

  test.for(NAMES)('%s: nothing is lost, doubled or half done', { timeout: 30_000 + INJECTIONS * 500 }, async (name) => {
    expect(await run(name, INJECTIONS)).toEqual([]);
  });

  test.for(Object.keys(BUGS) as (keyof typeof BUGS)[])('the runs find a bug: %s', async (bug) => {
    const found = await Promise.all(NAMES.map((name) => run(name, 40, (db) => planted(db, BUGS[bug]))));
    expect(found.flat()).not.toEqual([]);
  });
});
