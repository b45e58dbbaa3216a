import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, open, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { Refusal } from '../../failure.ts';
import { APPLICATION_ID } from '../../store/sqlite/database.ts';
import { SCHEMA_VERSION } from '../../store/sqlite/migrations.ts';

/** All pages in one step: a copy in several steps begins anew at each commit of a busy server, and never ends. */
const ALL_PAGES = 2_147_483_647;

/** What a database file says of itself. */
export interface DatabaseFacts {
  readonly application_id: number;
  readonly schema_version: number;
}

/** Does something with a database file, and closes it however that goes. @throws {Refusal} where it is none. */
export async function withDatabase<T>(
  path: string,
  options: { readOnly: boolean },
  work: (db: DatabaseSync) => T | Promise<T>,
): Promise<T> {
  if (!(await isFile(path))) throw new Refusal(`${path}: there is no such file.`);
  const db = new DatabaseSync(path, { readOnly: options.readOnly, timeout: 5_000 });
  try {
    return await work(db);
  } catch (error) {
    if ((error as { errcode?: number }).errcode === 26)
      throw new Refusal(`${path} is not a database.`, { cause: error });
    throw error;
  } finally {
    db.close();
  }
}

/** Whether there is a file (and no folder) that can be read. */
export async function isFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return (await stat(path)).isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Whose database it is, and of which schema. */
export function factsOf(db: DatabaseSync): DatabaseFacts {
  return {
    application_id: pragma(db, 'application_id') as number,
    schema_version: pragma(db, 'user_version') as number,
  };
}

/** @throws {Refusal} where the database is not Tertulia's, or of a newer version. */
export function refuseUnknown(db: DatabaseSync, name: string): void {
  const { application_id, schema_version } = factsOf(db);
  if (application_id !== APPLICATION_ID || schema_version < 1) {
    throw new Refusal(`${name} is not a database of Tertulia.`);
  }
  if (schema_version > SCHEMA_VERSION) {
    throw new Refusal(
      `${name} was made by a newer version (schema ${schema_version}; this one knows ${SCHEMA_VERSION}). Update this one first.`,
    );
  }
}

/** @throws {Refusal} where the database is not Tertulia's, of a newer version, or damaged. */
export function refuseUnusable(db: DatabaseSync, name: string): void {
  refuseUnknown(db, name);
  const integrity = pragma(db, 'integrity_check');
  if (integrity !== 'ok') throw new Refusal(`${name} is damaged: ${String(integrity).split('\n', 1)[0]}.`);
}

/** One row's only value. */
export function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** A copy that only its owner can read, under a draft's name beside `path`; whoever asks gives it its name or removes it. */
export async function draftCopy(source: DatabaseSync, path: string): Promise<string> {
  const draft = `${path}.${randomUUID()}`;
  await (await open(draft, 'wx', 0o600)).close();
  try {
    await backup(source, draft, { rate: ALL_PAGES });
    return draft;
  } catch (error) {
    await removeDatabase(draft);
    throw error;
  }
}

/** One file that can be moved about: nothing of it is left in a write-ahead log. */
export function closeWal(db: DatabaseSync): void {
  db.exec('PRAGMA journal_mode = DELETE');
}

/** Removes a database with what lies beside it. */
export async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${path}${suffix}`, { force: true });
}

/** Puts a file, or the names in a folder, on the disk for good. */
export async function syncToDisk(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Puts the names in a file's folder on the disk for good. */
export function syncFolderOf(path: string): Promise<void> {
  return syncToDisk(dirname(path));
}

/** A moment as a part of a file's name, in UTC. */
export function stampOf(moment: Date): string {
  return moment.toISOString().replaceAll(':', '-').replace('Z', '');
}

/** A size for people. */
export function sizeOf(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.ceil(bytes / 1_000)} kB`;
  return bytes < 1_000_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${(bytes / 1_000_000_000).toFixed(2)} GB`;
}
