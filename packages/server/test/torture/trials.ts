import type { Trial } from './trial.ts';
import { nodeKilled } from './trials/node-killed.ts';

/** All faults that can be injected, by their ids. */
export const TRIALS: ReadonlyMap<string, Trial> = new Map([nodeKilled].map((trial) => [trial.id, trial]));
