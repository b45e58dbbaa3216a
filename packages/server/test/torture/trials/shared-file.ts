import { entriesOf } from '../../crash/history.ts';
import { none, outcomeOf } from '../load-figures.ts';
import type { Trial } from '../trial.ts';
import { underLoad } from '../under-load.ts';
import { killAgainAndAgain } from './node-killed.ts';

export const sharedFile: Trial = {
  id: 'F16',
  about: 'kill -9 of one of two processes on one SQLite file, without Redis',
  mustHold: 'nothing lost, doubled, out of order; no hole; nobody is told that the database is busy',
  cycles: 50,
  async run(options) {
    const run = await underLoad({ ...options, nodes: 2 }, killAgainAndAgain, { redis: 'none' });
    const refused = entriesOf(run.history, 'refused').filter(({ code }) => code === 'unavailable');
    return outcomeOf(run, [none('sends refused as unavailable', refused.length)]);
  },
};
