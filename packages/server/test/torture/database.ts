import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { SettingName } from '../../src/config.ts';
import { MongoStore } from '../../src/store/mongodb/mongo-store.ts';
import type { Store } from '../../src/store/store.ts';
import { openStore, type WorldPlan } from '../crash/world.ts';
import { startMongodb } from '../support/mongodb-server.ts';

/** The database that the nodes of a trial share. */
export interface Database {
  readonly about: string;
  /** The program that a node runs; the product by default. */
  readonly main?: string;
  /** What nodes must be told to use it. */
  readonly settings: Partial<Record<SettingName, string>>;
  /** Questions a second that it bears on a small machine, from how many people in how many conversations. */
  readonly rate: number;
  readonly plan: WorldPlan;
  /** Opens it beside the nodes. */
  open(): Promise<Store>;
  close(): Promise<void>;
}

/** Workload W: 40 conversations. */
export const W: WorldPlan = {
  people: [
    'ada',
    'ben',
    'cleo',
    'dan',
    'eva',
    'finn',
    'gia',
    'hal',
    'ida',
    'jon',
    'kim',
    'leo',
    'mia',
    'ned',
    'ona',
    'pia',
  ],
  chats: 36,
  streams: 4,
  members: 4,
};

/** FerretDB on SQLite reads whole tables for much of what MongoDB has indexes for. */
const SMALL: WorldPlan = { people: W.people.slice(0, 8), chats: 8, streams: 2, members: 4 };

/** One file on this machine. */
export function sqliteDatabase(directory: string): Database {
  const folder = join(directory, 'data');
  return {
    about: 'SQLite',
    main: fileURLToPath(new URL('./sqlite-node.ts', import.meta.url)),
    settings: { DATA_DIR: folder },
    rate: 150,
    plan: W,
    open: () => openStore(folder),
    close: () => Promise.resolve(),
  };
}

/** FerretDB on SQLite, or what TEST_MONGODB_URL names. */
export async function mongodbDatabase(): Promise<Database> {
  const server = await startMongodb();
  const url = server.newDatabase();
  return {
    about: process.env['TEST_MONGODB_URL'] ? 'the MongoDB of TEST_MONGODB_URL' : 'FerretDB on SQLite',
    settings: { MONGODB_URL: url },
    rate: 10,
    plan: SMALL,
    open: () => MongoStore.open({ url, log: pino({ level: 'silent' }) }),
    close: () => server.stop(),
  };
}
