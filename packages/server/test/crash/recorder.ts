import type { Entry } from './history.ts';

/** An entry without what every entry has. */
export type Told = Entry extends infer E ? (E extends Entry ? Omit<E, 'at' | 'client'> : never) : never;

/** Writes down what one client does and sees. */
export type Record = (told: Told) => void;

/** A recorder for a client of a run, all on one clock. */
export function recorder(history: Entry[], client: string): Record {
  return (told) => void history.push({ at: performance.now(), client, ...told });
}
