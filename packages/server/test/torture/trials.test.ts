import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seedOf } from '../crash/random.ts';
import { describeWith } from '../support/describe-with.ts';
import { sqliteDatabase } from './database.ts';
import { table } from './report.ts';
import type { Trial } from './trial.ts';
import { nodeKilled } from './trials/node-killed.ts';
import { redisCut } from './trials/redis-cut.ts';
import { redisKilled } from './trials/redis-killed.ts';
import { streamCutOff } from './trials/stream-cut-off.ts';

const seed = seedOf(process.env['SEED']);
/** Questions a second that a machine bears which does other things as well. */
const RATE = 30;
/** A little of each; `npm run torture` runs them as often as one likes. */
const TRIALS: [Trial, number][] = [
  [nodeKilled, Number(process.env['NODE_CYCLES'] ?? 3)],
  [redisKilled, 2],
  [redisCut, 1],
  [streamCutOff, 2],
];

describeWith('haproxy', 'three nodes', () => {
  describeWith('redis-server', 'linked by Redis', () => {
    test.each(TRIALS.map(([trial, cycles]) => ({ trial, cycles, id: trial.id, about: trial.about })))(
      '$id: $about',
      async ({ trial, cycles }) => {
        const directory = await mkdtemp(join(tmpdir(), 'tertulia-torture-'));
        const database = sqliteDatabase(directory);
        const say = () => undefined;
        const outcome = await trial.run({ cycles, seed, nodes: 3, rate: RATE, database, directory, say });
        await rm(directory, { recursive: true, force: true });
        console.log(`${trial.id}, ${cycles} cycles, SEED=${seed}\n${table(outcome)}`);
        expect(outcome.violations.slice(0, 20)).toEqual([]);
        // Times are printed only: `npm run torture` holds them to their targets, on a machine that does nothing else.
      },
      600_000,
    );
  });
});
