import { MongoClient, ReadConcern, ReadPreference, WriteConcern, type Db } from 'mongodb';
import { databaseName } from '../mongodb-url.ts';

/** An answer that does not come within this time will not come: the connection is given up, and the operation repeated. */
const SOCKET_TIMEOUT_MS = 5_000;
/** How long an operation waits for a server that takes writes, or for a free connection. */
const WAIT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** How soon a dead server is noticed. */
const HEARTBEAT_MS = 5_000;
/** Operations under way at once; more wait their turn. */
const POOL_SIZE = 100;

/** What the URL may set otherwise. */
const DEFAULTS = {
  maxPoolSize: POOL_SIZE,
  waitQueueTimeoutMS: WAIT_MS,
  serverSelectionTimeoutMS: WAIT_MS,
  connectTimeoutMS: CONNECT_TIMEOUT_MS,
  heartbeatFrequencyMS: HEARTBEAT_MS,
} as const;

/**
 * A client whose time-outs and pool are ours where the URL says nothing of them. Another `socketTimeoutMS` is for whoever
 * asks for more at once than people do.
 */
export function createClient(url: string, socketTimeoutMS = SOCKET_TIMEOUT_MS): MongoClient {
  const given = new Set((url.split('?')[1] ?? '').split('&').map((option) => option.split('=')[0]?.toLowerCase()));
  const defaults = Object.entries({ ...DEFAULTS, socketTimeoutMS }).filter(([name]) => !given.has(name.toLowerCase()));
  return new MongoClient(url, { appName: 'tertulia', ...Object.fromEntries(defaults) });
}

/**
 * The database that the URL names, asked for what the promises rest on, whatever the URL says: every write is on the
 * disks of a majority before it counts, and every read comes from the primary and shows only what is there for good.
 */
export function databaseOf(client: MongoClient, url: string): Db {
  return client.db(databaseName(url), {
    writeConcern: new WriteConcern('majority', undefined, true),
    readConcern: new ReadConcern('majority'),
    readPreference: ReadPreference.primary,
  });
}

/** Counts the operations that wait for a connection of the pool. */
export function countWaiting(client: MongoClient): { readonly connection: number } {
  const counts = { connection: 0 };
  client.on('connectionCheckOutStarted', () => (counts.connection += 1));
  client.on('connectionCheckOutFailed', () => (counts.connection -= 1));
  client.on('connectionCheckedOut', () => (counts.connection -= 1));
  return counts;
}
