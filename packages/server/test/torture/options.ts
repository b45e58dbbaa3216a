import { parseArgs } from 'node:util';
import { seedOf } from '../crash/random.ts';
import { mongodbDatabase, sqliteDatabase, type Database } from './database.ts';
import type { Trial } from './trial.ts';
import { TRIALS } from './trials.ts';

/** What one call of `npm run torture` is to do. */
export interface TortureOptions {
  readonly trial: Trial;
  readonly cycles: number;
  readonly seed: number;
  readonly nodes: number;
  /** Null: what the database bears. */
  readonly rate: number | null;
  /** Breaks a chat on plain Socket.IO instead. */
  readonly isPlain: boolean;
  /** Writes the result into docs/reliability.md. */
  readonly isReported: boolean;
  readonly openDatabase: (directory: string) => Promise<Database>;
}

const DATABASES: Readonly<Record<string, TortureOptions['openDatabase']>> = {
  sqlite: (directory) => Promise.resolve(sqliteDatabase(directory)),
  mongodb: mongodbDatabase,
};

const FAULTS = [...TRIALS.values()]
  .map(
    ({ id, about, mustHold, cycles }) =>
      `  ${id.padEnd(4)} ${about}.\n       Must hold: ${mustHold}. ${cycles} cycles by default.\n`,
  )
  .join('');

/** What `--help` says. */
export const USAGE = `npm run torture -- --fault F1 [options]

Breaks things under load, again and again, and checks that no promise was broken. Ends with 1 where one was.

  --fault ID         what is broken: one of those below
  --cycles N         how often
  --seed N           the same seed breaks the same things in the same order
  --database NAME    ${Object.keys(DATABASES).join(' or ')}
  --nodes N          how many nodes, at most 3 (3)
  --rate N           questions a second, each answered at once (what the database bears on two cores)
  --plain            the same to a chat on Socket.IO alone, with connection state recovery and the Redis streams adapter
  --report           writes the result into the table of docs/reliability.md

${FAULTS}`;

/** Null where help is asked for. @throws with a sentence where an option is wrong. */
export function readOptions(words: string[]): TortureOptions | null {
  const { values } = parseArgs({
    args: words,
    options: {
      help: { type: 'boolean' },
      fault: { type: 'string' },
      cycles: { type: 'string' },
      seed: { type: 'string' },
      database: { type: 'string', default: 'sqlite' },
      nodes: { type: 'string', default: '3' },
      rate: { type: 'string' },
      plain: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
    },
  });
  if (values.help || !values.fault) return null;
  const trial = TRIALS.get(values.fault);
  if (!trial) throw new Error(`--fault ${values.fault}: there is none; take one of ${[...TRIALS.keys()].join(', ')}`);
  const openDatabase = DATABASES[values.database];
  if (!openDatabase) throw new Error(`--database ${values.database}: take ${Object.keys(DATABASES).join(' or ')}`);
  const cycles = Number(values.cycles ?? trial.cycles);
  const rate = values.rate === undefined ? null : Number(values.rate);
  return {
    trial,
    cycles,
    rate,
    isPlain: values.plain,
    isReported: values.report,
    openDatabase,
    nodes: Number(values.nodes),
    seed: seedOf(values.seed),
  };
}
