import { MongoClient } from 'mongodb';

/** A database whose name the URL leaves out. */
const DEFAULT_DATABASE = 'tertulia';

/** An answer that does not come within this time will not come: the connection is given up, and the operation repeated. */
const SOCKET_TIMEOUT_MS = 5_000;
/** How long an operation waits for a server that takes writes, or for a free connection. */
const WAIT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** How soon a dead server is noticed. */
const HEARTBEAT_MS = 5_000;
/** Operations under way at once; more wait their turn. */
const POOL_SIZE = 100;

/** Operations of a client by where they are. */
export interface PoolCounts {
  waiting: number;
  running: number;
}

/** The database that the URL names. */
export function databaseName(url: string): string {
  const [, name = ''] = /^[^:]+:\/\/[^/?]+\/([^?]+)/.exec(url) ?? [];
  return name === '' ? DEFAULT_DATABASE : decodeURIComponent(name);
}

/** The URL without the user, the password and the options: fit to be shown. */
export function shownUrl(url: string): string {
  const [, scheme = 'mongodb', hosts = ''] = /^([^:]+):\/\/(?:[^@/]*@)?([^/?]*)/.exec(url) ?? [];
  return `${scheme}://${hosts}/${databaseName(url)}`;
}

/** What the URL may set otherwise. */
const DEFAULTS = {
  maxPoolSize: POOL_SIZE,
  waitQueueTimeoutMS: WAIT_MS,
  serverSelectionTimeoutMS: WAIT_MS,
  connectTimeoutMS: CONNECT_TIMEOUT_MS,
  heartbeatFrequencyMS: HEARTBEAT_MS,
  socketTimeoutMS: SOCKET_TIMEOUT_MS,
} as const;

/**
 * A client that asks for what the promises rest on, whatever the URL says: every write is on the disks of a majority
 * before it counts, and every read comes from the primary and shows only what is there. The rest the URL may set.
 */
export function createClient(url: string): MongoClient {
  const given = new Set((url.split('?')[1] ?? '').split('&').map((option) => option.split('=')[0]?.toLowerCase()));
  const defaults = Object.entries(DEFAULTS).filter(([name]) => !given.has(name.toLowerCase()));
  return new MongoClient(url, {
    appName: 'tertulia',
    ...Object.fromEntries(defaults),
    writeConcern: { w: 'majority', journal: true },
    readConcernLevel: 'majority',
    readPreference: 'primary',
  });
}

/** Counts what waits for a connection and what has one. */
export function countOperations(client: MongoClient): PoolCounts {
  const counts: PoolCounts = { waiting: 0, running: 0 };
  client.on('connectionCheckOutStarted', () => (counts.waiting += 1));
  client.on('connectionCheckOutFailed', () => (counts.waiting -= 1));
  client.on('connectionCheckedOut', () => {
    counts.waiting -= 1;
    counts.running += 1;
  });
  client.on('connectionCheckedIn', () => (counts.running -= 1));
  return counts;
}
