import { simulateLoad } from './load.ts';
import type { Costs } from './node.ts';

/** A measured load. */
export interface Measured {
  readonly clients: number;
  readonly cpuMicroseconds: number;
  /** Milliseconds. */
  readonly p50: number;
}

/** The median of the sum of two waits that are exponential with mean 1. */
const MEDIAN_OF_TWO = 1.678;
const ROUNDS = 6;

/**
 * The three costs from two loads: one client alone, whose every write has a commit to itself, and a crowd whose writes
 * share theirs. How many share one follows from the costs, so it is found round by round.
 */
export function fit(alone: Measured, crowd: Measured, write: number): Costs {
  const disk = Math.max(1, (alone.p50 * 1_000 - alone.cpuMicroseconds) / MEDIAN_OF_TWO);
  let batch = crowd.clients / 2;
  let costs: Costs = { exchange: 0, write, commit: 0, disk };
  for (let round = 0; round < ROUNDS; round += 1) {
    const commit = (alone.cpuMicroseconds - crowd.cpuMicroseconds) / (2 * (1 - 1 / batch));
    costs = { exchange: alone.cpuMicroseconds - 2 * commit - 2 * write, write, commit, disk };
    batch = simulateLoad(costs, crowd.clients, 1).batch;
  }
  return costs;
}
