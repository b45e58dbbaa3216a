import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { seedOf } from '../crash/random.ts';
import { BALANCERS } from '../proxy/balancer.ts';
import { describeWith } from '../support/describe-with.ts';
import { sqliteDatabase } from './database.ts';
import { table } from './report.ts';
import { restartBehind } from './trials/rolling-restart.ts';

const rounds = Number(process.env['ROUNDS'] ?? 1);
const PROMISED = [
  'nodes that did not stop as asked',
  'sends that failed',
  'looks without a ready node',
  'new sessions that failed',
  'POSTs over REST that failed',
];
/** Questions a second that a machine bears which does other things as well. */
const RATE = 30;
const seed = seedOf(process.env['SEED']);

describeWith('redis-server', 'three nodes', () => {
  describe.each(BALANCERS)('behind %s', (balancer) => {
    describeWith(balancer, 'by sid', () => {
      test(
        'that are restarted one after another under load fail no send, and one is always ready',
        { timeout: 120_000 + rounds * 60_000 },
        async () => {
          const directory = await mkdtemp(join(tmpdir(), 'tertulia-torture-'));
          const database = sqliteDatabase(directory);
          const options = { cycles: rounds, seed, nodes: 3, rate: RATE, database, directory, say: () => undefined };
          const outcome = await restartBehind(balancer, options);
          await rm(directory, { recursive: true, force: true });
          console.log(`SEED=${seed} ROUNDS=${rounds} ${balancer}\n${table(outcome)}`);
          expect(outcome.violations.slice(0, 20)).toEqual([]);
          const figures = outcome.figures.filter(({ name }) => PROMISED.includes(name));
          expect(figures).toHaveLength(PROMISED.length);
          for (const { name, value, target } of figures) expect(target?.isMet ?? true, `${name}: ${value}`).toBe(true);
        },
      );
    });
  });
});
