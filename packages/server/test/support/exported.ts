import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { exportAll } from '../../src/commands/export.ts';
import { importAll } from '../../src/commands/import.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { TransferRecord } from '../../src/store/transfer.ts';
import { run } from '../commands/run-command.ts';
import { LogBuilder } from '../store/log-builder.ts';

/** How many events the export of `makeExport` has: enough for three parts, of 1000, 1000 and 500 records. */
export const EVENTS = 2_500;

/** A database, its export with `--move`, and the lines of that; a line of its own follows each part. */
export interface Exported {
  readonly directory: string;
  readonly whole: string;
  readonly lines: readonly string[];
}

function onFatal(error: Error): never {
  throw error;
}

/** Makes a database with ten conversations, and exports it. Whoever asks removes the folder. */
export async function makeExport(): Promise<Exported> {
  const directory = mkdtempSync(join(tmpdir(), 'tertulia-'));
  const store = await SqliteStore.open({ directory, exclusive: true, onFatal });
  const logs = Array.from({ length: 10 }, () => new LogBuilder());
  for (const log of logs) await store.log.append(log.created());
  for (let seq = 2; seq <= EVENTS / logs.length; seq += 1) {
    await Promise.all(
      logs.map((log) => {
        log.seq = seq - 1;
        return store.log.append(log.event('message_created', { message: log.message(`message ${seq}`) }));
      }),
    );
  }
  await store.close();
  const whole = (await run(exportAll, ['--move', '--to', '-'], { DATA_DIR: directory })).output;
  return { directory, whole, lines: whole.match(/.*\n/g) ?? [] };
}

/** How many events the database in a folder has, or null where there is none. */
export function eventsIn(directory: string): number | null {
  const path = join(directory, 'tertulia.sqlite');
  if (!existsSync(path)) return null;
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(db.prepare('SELECT count(*) AS count FROM events').get()?.['count']);
  } finally {
    db.close();
  }
}

/** Runs the import of what comes on standard input. */
export function importInto(directory: string, input: string | Buffer, words: readonly string[] = ['--move']) {
  return run(importAll, ['--from', '-', ...words], { DATA_DIR: directory }, input);
}

/** Everything that an export holds, without its header and the lines with checksums. */
export function recordsOf(text: string): TransferRecord[] {
  const records = text.split('\n').slice(0, -1);
  return records
    .map((line) => JSON.parse(line) as TransferRecord)
    .filter(({ kind }) => ['account', 'login', 'event', 'attempt'].includes(kind));
}
