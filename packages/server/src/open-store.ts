import type { Config } from './config.ts';
import type { Logger } from './log.ts';
import { SqliteStore, type SqliteOptions } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';

/** What either store is opened with; a store takes what it needs of it. */
export interface StoreParts extends SqliteOptions {
  readonly log: Logger;
}

/**
 * Opens the database that the settings name: here, and only here, a store is chosen. MongoDB's driver takes 0.2 s to
 * load, and is loaded where it is used.
 * @throws what keeps the database from being opened
 */
export async function openStore({ MONGODB_URL: url }: Config, parts: StoreParts): Promise<Store> {
  if (url === undefined) return SqliteStore.open(parts);
  const { MongoStore } = await import('./store/mongodb/mongo-store.ts');
  return MongoStore.open({ ...parts, url });
}
