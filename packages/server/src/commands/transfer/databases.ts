import { join, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Config } from '../../config.ts';
import { openDataFolder } from '../../data-folder.ts';
import { Refusal } from '../../failure.ts';
import { shownUrl } from '../../store/mongodb-url.ts';
import { openDatabase } from '../../store/sqlite/database.ts';
import { migrate } from '../../store/sqlite/migrations.ts';
import { DATABASE_FILE, lockDirectory, makePrivate } from '../../store/sqlite/sqlite-store.ts';
import { importProgress, sqliteTarget } from '../../store/sqlite/transfer-target.ts';
import { sqliteSource } from '../../store/sqlite/transfer-source.ts';
import { UnfinishedImport, type TransferSource, type TransferTarget } from '../../store/transfer.ts';
import { isFile, refuseUnknown } from '../console/database-file.ts';

/** A database that was opened to move things, and its name for people. */
export interface Opened<T> {
  readonly database: T;
  readonly name: string;
}

/**
 * Opens the database that the settings name, to read everything. A move wants it alone: no server may be running.
 * @throws {Refusal} where there is none
 */
export async function openSource(
  { DATA_DIR, MONGODB_URL: url }: Config,
  isMove: boolean,
): Promise<Opened<TransferSource>> {
  if (url === undefined) return openSqliteSource(resolve(DATA_DIR), isMove);
  const { openMongoSource } = await import('../../store/mongodb/open-transfer.ts');
  return { name: shownUrl(url), database: await openMongoSource(url, isMove) };
}

/** Opens or makes the database that the settings name, to fill it. No server may be running. */
export async function openTarget(config: Config): Promise<Opened<TransferTarget>> {
  const { MONGODB_URL: url } = config;
  if (url === undefined) return openSqliteTarget(await openDataFolder(config));
  const { openMongoTarget } = await import('../../store/mongodb/open-transfer.ts');
  return { name: shownUrl(url), database: await openMongoTarget(url) };
}

async function openSqliteSource(directory: string, isMove: boolean): Promise<Opened<TransferSource>> {
  const name = join(directory, DATABASE_FILE);
  if (!(await isFile(name))) throw new Refusal(`${name}: there is no such file. Does DATA_DIR name the right folder?`);
  const lock = isMove ? lockDirectory(directory) : null;
  const db = openOnce(name, !isMove);
  try {
    refuseUnknown(db, name);
    if (isMove) migrate(db);
    if (importProgress(db)?.is_finished === false) throw new UnfinishedImport(name);
    return { name, database: closing(sqliteSource(db), () => lock?.release()) };
  } catch (error) {
    db.close();
    lock?.release();
    throw error;
  }
}

function openSqliteTarget(directory: string): Opened<TransferTarget> {
  const name = join(directory, DATABASE_FILE);
  const lock = lockDirectory(directory);
  try {
    makePrivate(name);
    const db = openOnce(name, false);
    migrate(db);
    return { name, database: closing(sqliteTarget(db), () => lock.release()) };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Each row is used once: mapping the file would only make the command look as large as it. */
function openOnce(path: string, readOnly: boolean): DatabaseSync {
  const db = openDatabase(path, { readOnly });
  db.exec('PRAGMA mmap_size = 0');
  return db;
}

function closing<T extends { close(): Promise<void> }>(database: T, after: () => void): T {
  return { ...database, close: () => database.close().finally(after) };
}
