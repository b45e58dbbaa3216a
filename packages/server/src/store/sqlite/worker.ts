import { parentPort, workerData } from 'node:worker_threads';
import type { DatabaseSync } from 'node:sqlite';
import { beginWriting, isBusy } from './begin-writing.ts';
import { openDatabase } from './database.ts';
import { reads, writes, type Operation, type Outcome } from './operations.ts';

/** What a database thread is started with. */
export interface WorkerSettings {
  readonly path: string;
  readonly role: 'read' | 'write';
}

type AnyOperation = (db: DatabaseSync, ...values: unknown[]) => unknown;

const { path, role } = workerData as WorkerSettings;
const port = parentPort;
if (!port) throw new Error('this file is the entry of a worker thread');
const db = openDatabase(path, { readOnly: role === 'read' });
if (role === 'write') db.exec('PRAGMA busy_timeout = 0'); // it waits in `beginWriting`
const operations = (role === 'read' ? reads : writes) as unknown as Record<string, AnyOperation>;

function perform({ name, values }: Operation): unknown {
  const operation = operations[name];
  if (!operation) throw new Error(`no ${role} operation is named ${name}`);
  return operation(db, ...values);
}

function attempt(work: () => unknown): Outcome {
  try {
    return { result: work() };
  } catch (error) {
    return { failed: String(error), code: (error as { errcode?: number }).errcode };
  }
}

function transaction<T>(work: () => T): T {
  beginWriting(db);
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Commits a batch as one transaction. Where any of it fails nothing of it stands, and each operation then runs in a
 * transaction of its own, so that one bad operation fails alone. Who did not get a turn would not get one then, either.
 */
function commit(batch: Operation[]): Outcome[] {
  const together = attempt(() => transaction(() => batch.map(perform)));
  if (!('failed' in together)) return (together.result as unknown[]).map((result) => ({ result }));
  if (batch.length === 1 || isBusy(together.code)) return batch.map(() => together);
  return batch.map((operation) => attempt(() => transaction(() => perform(operation))));
}

/** A batch of reads sees one snapshot: a page's events and the log's last seq must be of the same moment. */
function read(batch: Operation[]): Outcome[] {
  db.exec('BEGIN');
  const outcomes = batch.map((operation) => attempt(() => perform(operation)));
  db.exec('COMMIT');
  return outcomes;
}

/** Each by itself: one result that is too large for a text fails alone. */
function toJson(outcome: Outcome): string {
  const json = attempt(() => JSON.stringify(outcome));
  return 'failed' in json ? JSON.stringify(json) : (json.result as string);
}

port.on('message', (message: string) => {
  if (message === 'close') {
    db.close();
    port.close();
    return;
  }
  const batch = JSON.parse(message) as Operation[];
  const outcomes = role === 'write' ? commit(batch) : read(batch);
  port.postMessage(outcomes.map(toJson));
});
