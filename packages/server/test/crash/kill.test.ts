import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { crashAgainAndAgain, killedAtRandom } from './crash-run.ts';
import { entriesOf } from './history.ts';
import { randomFrom, seedOf } from './random.ts';
import { seriousFaults, summaryOf } from './summary.ts';

const cycles = Number(process.env['CYCLES'] ?? 3);
const seed = seedOf(process.env['SEED']);
let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tertulia-crash-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test(
  'a server killed again and again under load loses, doubles and reorders nothing',
  { timeout: 60_000 + cycles * 20_000 },
  async () => {
    console.log(`SEED=${seed} CYCLES=${cycles}`);
    const random = randomFrom(seed);
    const deaths = Array.from({ length: cycles }, () => killedAtRandom(random));
    const run = await crashAgainAndAgain({ directory, seed, deaths, rates: { chats: 200, streams: 4, openings: 2 } });
    console.log(summaryOf(run, seed));
    expect(seriousFaults(run.faults).slice(0, 20)).toEqual([]);
    expect(run.crashes).toHaveLength(cycles);
    expect(run.exitCode).toBe(0);
    expect(run.drained.tasks.filter(({ status, attempt }) => status === 'failed' && attempt < 3)).toEqual([]);
    expect(entriesOf(run.history, 'fail')).toEqual([]);
    expect(entriesOf(run.history, 'retry').length).toBeGreaterThan(0);
    expect(run.drained.tasks.some(({ attempt }) => attempt > 1)).toBe(true);
  },
);
