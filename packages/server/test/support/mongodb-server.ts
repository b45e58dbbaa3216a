import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MongoClient } from 'mongodb';
import { findFerretdb } from './requirements.ts';

/** A server that speaks MongoDB's wire protocol, and databases on it that nobody else uses. */
export interface MongodbServer {
  /** Without a database's name. */
  readonly url: string;
  /** The URL of a database that is new. It is dropped when the server is stopped. */
  newDatabase(): string;
  stop(): Promise<void>;
}

/**
 * Starts FerretDB on SQLite in a temporary folder, within some 50 ms, so that each test file has its own. Where the
 * environment names a server (`TEST_MONGODB_URL`, with `authSource` if it has a user), that one is used instead.
 */
export async function startMongodb(): Promise<MongodbServer> {
  const named = process.env['TEST_MONGODB_URL'];
  if (named) return onServer(named, dropDatabases);
  const { url, end } = await startFerretdb();
  return onServer(url, end);
}

function onServer(url: string, end: (url: string, databases: readonly string[]) => Promise<void>): MongodbServer {
  const databases: string[] = [];
  return {
    url,
    newDatabase() {
      const name = `tertulia_test_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
      databases.push(name);
      return withDatabase(url, name);
    },
    stop: () => end(url, databases),
  };
}

/** The URL with another database. No `URL`: that knows no lists of hosts. */
export function withDatabase(url: string, database: string): string {
  const [, hosts, options = ''] = /^([^:]+:\/\/[^/?]+)(?:\/[^?]*)?(\?.*)?$/.exec(url) ?? [];
  if (!hosts) throw new Error('TEST_MONGODB_URL is no MongoDB URL: write it as mongodb://HOST:PORT');
  return `${hosts}/${database}${options}`;
}

async function dropDatabases(url: string, databases: readonly string[]): Promise<void> {
  for (const name of databases) await dropDatabase(withDatabase(url, name));
}

/** Removes the database that the URL names. */
export async function dropDatabase(url: string): Promise<void> {
  const client = new MongoClient(url);
  await client.db().dropDatabase();
  await client.close();
}

async function startFerretdb(): Promise<{ url: string; end: () => Promise<void> }> {
  const program = findFerretdb();
  if (!program) throw new Error('FerretDB is not there: use describeWith("ferretdb", …)');
  const folder = await mkdtemp(join(tmpdir(), 'tertulia-ferretdb-'));
  const child = spawn(program, [folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const url = await Promise.race([once(lines, 'line').then(([line]) => String(line)), ended.then(() => null)]);
  if (url === null) throw new Error('FerretDB did not start');
  return {
    url,
    async end() {
      child.stdin.end(); // it stops when its standard input closes, also when this process dies
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}
