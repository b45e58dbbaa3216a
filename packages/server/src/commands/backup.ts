import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readConfig } from '../config.ts';
import { Refusal } from '../failure.ts';
import { DATABASE_FILE } from '../store/sqlite/sqlite-store.ts';
import { EXIT, runAsProcess, type Command } from './console/command.ts';
import {
  closeWal,
  draftCopy,
  isFile,
  refuseUnusable,
  removeDatabase,
  sizeOf,
  stampOf,
  syncToDisk,
  withDatabase,
} from './console/database-file.ts';
import { embeddedFolder } from './console/embedded-folder.ts';
import { writeNewFile } from './console/new-file.ts';

/** Copies the database, also while a server writes to it. */
export const backUp: Command = {
  name: 'backup',
  about: 'Copies the database to one file and checks the copy. It may be run while the server runs.',
  options: {
    to: { value: 'FILE', about: 'Where to; by default a dated file in DATA_DIR/backups. A file that is there stays.' },
  },
  async run(options, console) {
    const directory = embeddedFolder(readConfig(console.variables));
    const byDefault = join(directory, 'backups', `tertulia-${stampOf(new Date())}.sqlite`);
    const to = typeof options['to'] === 'string' ? resolve(options['to']) : byDefault;
    const from = join(directory, DATABASE_FILE);
    if (!(await isFile(from)))
      throw new Refusal(`${from}: there is no such file. Does DATA_DIR name the right folder?`);
    if (to === byDefault) await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await copyChecked(from, to);
    console.print(`The backup is ${to} (${sizeOf((await stat(to)).size)}); its copy of the database was checked.`);
    return EXIT.done;
  },
};

/** An empty file holds the name until the copy is whole. */
function copyChecked(from: string, to: string): Promise<void> {
  return writeNewFile(to, 'a backup', async () => {
    const draft = await withDatabase(from, { readOnly: true }, (db) => draftCopy(db, to));
    try {
      await withDatabase(draft, { readOnly: false }, (db) => {
        refuseUnusable(db, 'The copy');
        closeWal(db);
      });
      await syncToDisk(draft);
      await rename(draft, to);
    } catch (error) {
      await removeDatabase(draft);
      throw error;
    }
  });
}

if (import.meta.main) await runAsProcess(backUp);
