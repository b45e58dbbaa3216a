import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { anyOf, BUGS, openFaultyStore } from '../support/faulty-store.ts';
import type { FaultProxy } from '../support/mongodb-faults.ts';
import { startMongodb, type MongodbServer } from '../support/mongodb-server.ts';
import { passwordChanges, registrations, rotations, signIns } from './account-fault-runs.ts';
import { appends, claims } from './log-fault-runs.ts';
import { randomFrom, seedOf } from './random.ts';

/** How many faults each run meets; some hundreds by hand. */
const INJECTIONS = Number(process.env['INJECTIONS'] ?? 30);
const SEED = seedOf(process.env['SEED']);

const RUNS = { appends, claims, registrations, passwordChanges, rotations, signIns } as const;
type Run = keyof typeof RUNS;
const NAMES = Object.keys(RUNS) as Run[];

describeWith('ferretdb', `MongoDB while messages to and from it are lost, seed ${SEED}`, () => {
  let server: MongodbServer;

  beforeAll(async () => {
    server = await startMongodb();
  });
  afterAll(() => server.stop());

  /** Goes on until so many faults were injected, or something is wrong; answers what. */
  async function run(name: Run, injections: number, plant?: (proxy: FaultProxy) => void): Promise<string[]> {
    const store = await openFaultyStore(server.newDatabase());
    const round = await RUNS[name](store);
    store.proxy.rule = anyOf(randomFrom(SEED));
    plant?.(store.proxy);
    const problems: string[] = [];
    let rounds = 0;
    for (; store.proxy.total < injections && problems.length === 0; rounds += 1) {
      problems.push(...(await round(rounds).catch((error: unknown) => [String(error)])));
    }
    const counts = [...store.proxy.injected].map(([fault, count]) => `${count} ${fault}`).join(', ');
    await store.close();
    console.log(`${name}: ${rounds} rounds, ${store.proxy.total} faults (${counts}), ${problems.length} problems`);
    return problems;
  }

  test.concurrent.for(NAMES)(
    '%s: nothing is lost, doubled or half done',
    { timeout: 60_000 + INJECTIONS * 2_000 },
    async (name) => {
      expect(await run(name, INJECTIONS)).toEqual([]);
    },
  );

  test.concurrent.for(Object.keys(BUGS) as (keyof typeof BUGS)[])('the runs find a bug: %s', async (bug) => {
    const found = await Promise.all(NAMES.map((name) => run(name, 30, BUGS[bug])));
    expect(found.flat()).not.toEqual([]);
  });
});
