import { open, rm, type FileHandle } from 'node:fs/promises';
import { Refusal } from '../../failure.ts';
import { syncFolderOf } from './database-file.ts';

/**
 * Makes a file that only its owner reads, by a name that was free, and lets `write` fill it; nothing that is there is
 * ever written over. Where it fails, the name is free again.
 * @throws {Refusal} where there is something by this name
 */
export async function writeNewFile(
  path: string,
  what: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await take(path, what);
  try {
    await write(file);
    await syncFolderOf(path);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

async function take(path: string, what: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Refusal(`${path} is there already, and ${what} writes over nothing. Choose another file with --to.`);
  }
}
