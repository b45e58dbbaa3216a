import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { crashAgainAndAgain, type Death } from './crash-run.ts';
import { FAIL_AT, FAILPOINTS, type Failpoint } from './failpoint.ts';
import { entriesOf } from './history.ts';
import { randomFrom, seedOf } from './random.ts';
import { seriousFaults, summaryOf } from './summary.ts';

const PRELOAD = fileURLToPath(new URL('./die-at-failpoint.ts', import.meta.url));
const REACHED_MS = 20_000;
/** A server dies at the latest when it comes by for this time. */
const MOST_PASSES = 40;

const kills = Number(process.env['KILLS'] ?? 2);
const seed = seedOf(process.env['SEED']);
let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tertulia-failpoint-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** Dies by itself at a moment of a message's way. */
function diesAt(point: Failpoint, random: () => number): Death {
  const nth = 1 + Math.floor(random() * MOST_PASSES);
  return {
    life: { preload: [PRELOAD], environment: { [FAIL_AT]: `${point}/${nth}` } },
    async happens(server) {
      const late = setTimeout(() => void server.stop(), REACHED_MS);
      const { signal } = await server.gone;
      clearTimeout(late);
      if (signal !== 'SIGKILL') throw new Error(`it never came by “${point}” ${nth} times:\n${server.lastLines}`);
    },
  };
}

test(
  'a server that dies at any moment of a message’s way loses, doubles and reorders nothing',
  { timeout: 60_000 + FAILPOINTS.length * kills * 15_000 },
  async () => {
    console.log(`SEED=${seed} KILLS=${kills} at each of ${FAILPOINTS.length} moments`);
    const random = randomFrom(seed);
    const deaths = FAILPOINTS.flatMap((point) => Array.from({ length: kills }, () => diesAt(point, random)));
    const run = await crashAgainAndAgain({ directory, seed, deaths, rates: { chats: 150, streams: 6, openings: 4 } });
    console.log(summaryOf(run, seed));
    expect(seriousFaults(run.faults).slice(0, 20)).toEqual([]);
    expect(run.crashes).toHaveLength(deaths.length);
    expect(run.drained.tasks.filter(({ status, attempt }) => status === 'failed' && attempt < 3)).toEqual([]);
    expect(entriesOf(run.history, 'fail')).toEqual([]);
    expect(entriesOf(run.history, 'ok').length).toBeGreaterThan(deaths.length);
  },
);
