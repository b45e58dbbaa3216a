import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Db } from 'mongodb';
import type { AccountStore } from '../../src/store/account-store.ts';
import { ACCOUNT_INDEXES, mongoAccounts } from '../../src/store/mongodb/accounts.ts';
import { DatabaseClock } from '../../src/store/mongodb/clock.ts';
import { ensureIndexes } from '../../src/store/mongodb/indexes.ts';
import { randomFrom, seedOf } from '../crash/random.ts';
import { describeWith } from '../support/describe-with.ts';
import { anyFault, BUGS, openFaultyDatabase, planted } from '../support/faulty-database.ts';
import { startMongodb, type MongodbServer } from '../support/mongodb-server.ts';
import { passwordChanges, registrations, rotations, signIns, type RunParts } from './fault-runs.ts';

/** How many faults each run meets; some hundreds by hand. */
const INJECTIONS = Number(process.env['INJECTIONS'] ?? 40);
const SEED = seedOf(process.env['SEED']);
const RUNS = { registrations, passwordChanges, rotations, signIns } as const;

describeWith('ferretdb', `accounts on MongoDB while answers are lost, seed ${SEED}`, () => {
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
  async function run(name: keyof typeof RUNS, injections: number, plant: (db: Db) => Db = (db) => db) {
    const database = await openFaultyDatabase(server.newDatabase());
    await ensureIndexes(database.direct, ACCOUNT_INDEXES);
    const [accounts, truth] = [await accountsOf(plant(database.faulty)), await accountsOf(database.direct)];
    const parts: RunParts = { accounts, truth, database };
    const round = await RUNS[name](parts);
    database.proxy.rule = anyFault(randomFrom(SEED));
    const problems: string[] = [];
    let rounds = 0; const t0 = performance.now();
    for (; database.proxy.total < injections; rounds += 1) problems.push(...(await round(rounds)));
    console.log(performance.now() - t0, name, rounds, Object.fromEntries(database.proxy.injected), problems.length);
    await database.close();
    return problems;
  }

  test.for(Object.keys(RUNS) as (keyof typeof RUNS)[])('%s: nothing is lost, doubled or half done', async (name) => {
    expect(await run(name, INJECTIONS)).toEqual([]);
  });

  test.for(Object.keys(BUGS) as (keyof typeof BUGS)[])('the runs find a bug: %s', async (bug) => {
    const found = await Promise.all(
      (Object.keys(RUNS) as (keyof typeof RUNS)[]).map((name) => run(name, 40, (db) => planted(db, BUGS[bug]))),
    );
    console.log(bug, found.map((f) => [...new Set(f)].slice(0,3)));
    expect(found.filter((problems) => problems.length > 0)).not.toEqual([]);
  });
});
