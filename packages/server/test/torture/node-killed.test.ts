import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seedOf } from '../crash/random.ts';
import { describeWith } from '../support/describe-with.ts';
import { sqliteDatabase } from './database.ts';
import { table } from './report.ts';
import { nodeKilled } from './trials/node-killed.ts';

const cycles = Number(process.env['NODE_CYCLES'] ?? 3);
/** Questions a second that a machine bears which does other things as well. */
const RATE = 30;
const seed = seedOf(process.env['SEED']);

describeWith('haproxy', 'three nodes', () => {
  test(
    'one that is killed again and again under load takes nothing with it',
    { timeout: 120_000 + cycles * 10_000 },
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'tertulia-torture-'));
      const database = sqliteDatabase(directory);
      const outcome = await nodeKilled.run({
        cycles,
        seed,
        nodes: 3,
        rate: RATE,
        database,
        directory,
        say: () => undefined,
      });
      await rm(directory, { recursive: true, force: true });
      console.log(`SEED=${seed} NODE_CYCLES=${cycles}\n${table(outcome)}`);
      expect(outcome.violations.slice(0, 20)).toEqual([]);
      // Times are printed only: `npm run torture` holds them to their targets, on a machine that does nothing else.
    },
  );
});
