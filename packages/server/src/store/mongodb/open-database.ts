import { MongoError, type MongoClient } from 'mongodb';
import { shownUrl } from '../mongodb-url.ts';
import type { Store } from '../store.ts';
import { ACCOUNT_INDEXES } from './accounts.ts';
import { countWaiting, createClient, databaseOf } from './client.ts';
import { DatabaseClock } from './clock.ts';
import { INDEXES, collectionsOf, type Database } from './collections.ts';
import { ensureIndexes } from './indexes.ts';
import { settleEpoch } from './meta.ts';
import { answered } from './retry.ts';

/** Nobody answers at the URL, or not to this user. */
class DatabaseUnreachable extends Error {
  constructor(url: string, cause: Error) {
    const reason = cause.message.replaceAll(url, shownUrl(url)); // what is wrong with a URL quotes it
    super(`The database ${shownUrl(url)} (MONGODB_URL) cannot be used: ${reason}`, { cause });
    this.name = 'DatabaseUnreachable';
  }
}

/** A database that is ready: its indexes are there, its clock is known. Whoever opened it closes the client. */
export interface OpenedDatabase {
  readonly client: MongoClient;
  readonly db: Database;
  readonly epoch: string;
  /** What waits for a connection, and for an answer. */
  readonly waiting: Store['depths'];
}

/**
 * Opens or makes the database that the URL names. An answer is waited for up to `socketTimeoutMS`.
 * @throws {DatabaseUnreachable}, {MissingIndex}, {ForeignDatabase}, and what is wrong with the URL.
 */
export async function openDatabase(url: string, socketTimeoutMS?: number): Promise<OpenedDatabase> {
  const { client, waiting } = await connect(url, socketTimeoutMS);
  try {
    const own = databaseOf(client, url);
    const clock = new DatabaseClock(own);
    const db = collectionsOf(own, clock);
    await ensureIndexes(own, { ...INDEXES, ...ACCOUNT_INDEXES });
    await answered(() => clock.measure());
    return { client, db, epoch: await settleEpoch(db), waiting };
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function connect(url: string, socketTimeoutMS?: number): Promise<Pick<OpenedDatabase, 'client' | 'waiting'>> {
  try {
    const client = createClient(url, socketTimeoutMS);
    const waiting = countWaiting(client);
    await client.connect();
    return { client, waiting };
  } catch (error) {
    throw error instanceof MongoError ? new DatabaseUnreachable(url, error) : error;
  }
}
