import { setTimeout as delay } from 'node:timers/promises';
import type { RedisServer } from '../../support/redis-server.ts';
import { sendTimes } from '../figures.ts';
import { atMost, outcomeOf } from '../load-figures.ts';
import type { Trial } from '../trial.ts';
import { underLoad, type Stage } from '../under-load.ts';
import { isWithin, noteWindow, type Window } from '../windows.ts';

const STOPPED_MS = 30_000;
const ILL_MS = 10_000;
const BETWEEN_MS = 5_000;
const LOCAL_MS = 100;

export const redisAils: Trial = {
  id: 'F8',
  about: 'Redis is stopped (SIGSTOP) for 30 s, then it is full, then it is read-only, for 10 s each, under load',
  mustHold: 'nothing lost, doubled, out of order; no node stalls: acknowledgements p99 under 100 ms meanwhile',
  cycles: 3,
  disrupt: (stage) => ailAgainAndAgain(stage, []),
  async run(options) {
    const ill: Window[] = [];
    const run = await underLoad(options, (stage) => ailAgainAndAgain(stage, ill));
    const times = sendTimes(run.history, (at) => isWithin(ill, at));
    return outcomeOf(run, [atMost('acknowledged while Redis was ill, ms', times, LOCAL_MS)]);
  },
};

async function ailAgainAndAgain({ cluster: { redis }, cycles, say }: Stage, ill: Window[]): Promise<void> {
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    for (const { about, begin, end, milliseconds } of ILLS) {
      await noteWindow(ill, null, async () => {
        await begin(redis);
        await delay(milliseconds);
      });
      await end(redis);
      await delay(BETWEEN_MS);
      say(`${cycle} of ${cycles}: ${about}`);
    }
  }
}

interface Ill {
  readonly about: string;
  readonly milliseconds: number;
  readonly begin: (redis: RedisServer) => Promise<unknown> | void;
  readonly end: (redis: RedisServer) => Promise<unknown> | void;
}

const ILLS: readonly Ill[] = [
  {
    about: 'stopped',
    milliseconds: STOPPED_MS,
    begin: (redis) => redis.signal('SIGSTOP'),
    end: (redis) => redis.signal('SIGCONT'),
  },
  {
    about: 'full',
    milliseconds: ILL_MS,
    begin: (redis) => redis.cli('CONFIG', 'SET', 'maxmemory', '1'),
    end: (redis) => redis.cli('CONFIG', 'SET', 'maxmemory', '0'),
  },
  {
    about: 'read-only',
    milliseconds: ILL_MS,
    // Nobody listens at port 1: a replica whose master is away.
    begin: (redis) => redis.cli('REPLICAOF', '127.0.0.1', '1'),
    end: (redis) => redis.cli('REPLICAOF', 'NO', 'ONE'),
  },
];
