import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, rename, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readConfig } from '../config.ts';
import { Refusal } from '../failure.ts';
import { DATABASE_FILE, lockDirectory } from '../store/sqlite/sqlite-store.ts';
import { EXIT, required, runAsProcess, type Command } from './console/command.ts';
import {
  closeWal,
  draftCopy,
  isFile,
  refuseUnusable,
  removeDatabase,
  sizeOf,
  stampOf,
  syncFolderOf,
  syncToDisk,
  withDatabase,
} from './console/database-file.ts';
import { embeddedFolder } from './console/embedded-folder.ts';

/** Puts a backup in the place of the database. */
export const restore: Command = {
  name: 'restore',
  about: 'Puts a backup in the place of the database, which is kept beside it. Stop the server first.',
  options: { from: { value: 'FILE', about: 'The backup, as npm run backup made it.' } },
  async run(options, console) {
    const from = resolve(required(options, 'from'));
    const directory = embeddedFolder(readConfig(console.variables));
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const lock = lockDirectory(directory);
    try {
      const kept = await replaceDatabase(join(directory, DATABASE_FILE), from);
      const size = sizeOf((await stat(from)).size);
      const old = kept ? ` The database before it is kept as ${kept}.` : '';
      console.print(`${from} (${size}) was checked and is now the database.${old} Start the server.`);
      return EXIT.done;
    } finally {
      lock.release();
    }
  },
};

async function replaceDatabase(database: string, from: string): Promise<string | null> {
  const draft = await withDatabase(from, { readOnly: true }, (db) => {
    refuseUnusable(db, from);
    return draftCopy(db, database);
  });
  try {
    await withDatabase(draft, { readOnly: false }, (db) => {
      refuseUnusable(db, 'The copy');
      // Clients tell by a new epoch that what they have seen may be gone (G4).
      db.prepare("UPDATE meta SET value = ? WHERE key = 'epoch'").run(randomUUID());
      // A login that was ended after the backup must not live again: everybody signs in anew.
      db.prepare('UPDATE sessions SET ended_at = ? WHERE ended_at IS NULL').run(Date.now());
      closeWal(db);
    });
    await syncToDisk(draft);
    const kept = await keepAside(database);
    await rename(draft, database);
    await syncFolderOf(database);
    return kept;
  } catch (error) {
    await removeDatabase(draft);
    throw error;
  }
}

/**
 * Gives the old database a second, dated name. Its write-ahead log must not lie beside the new one, which would take it
 * for its own: it is folded in, or where the old file is too damaged for that, kept under the dated name as well.
 */
async function keepAside(database: string): Promise<string | null> {
  if (!(await isFile(database))) return null;
  const kept = database.replace(/(\.sqlite)?$/, `-before-${stampOf(new Date())}.sqlite`);
  await withDatabase(database, { readOnly: false }, closeWal).catch(() => undefined); // damaged: the next lines see to it
  for (const suffix of ['-wal', '-shm']) {
    if (await isFile(`${database}${suffix}`)) await rename(`${database}${suffix}`, `${kept}${suffix}`);
  }
  await link(database, kept).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw new Refusal(`${kept} is there already. Try again.`);
    await copyFile(database, kept, constants.COPYFILE_EXCL); // not every file system has links
  });
  return kept;
}

if (import.meta.main) await runAsProcess(restore);
