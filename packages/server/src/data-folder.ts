import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Config } from './config.ts';
import { explainFile, Refusal } from './failure.ts';

const REMEDY = 'Set DATA_DIR to a folder of your own, or give this one to the user that runs the server.';

/**
 * The folder that DATA_DIR names, made where it is missing.
 * @throws {Refusal} naming the setting, where it cannot be made or written to
 */
export async function openDataFolder({ DATA_DIR }: Config): Promise<string> {
  const directory = resolve(DATA_DIR);
  try {
    await makeFolder(directory);
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return directory;
  } catch (error) {
    const why = explainFile(error) ?? String(error);
    throw new Refusal(`DATA_DIR=${DATA_DIR}: ${why}. ${REMEDY}`, { cause: error });
  }
}

/** One folder at a time: Node 24's recursive mkdir never ends where none can be made, as under /proc. */
async function makeFolder(directory: string): Promise<void> {
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (found && !found.isDirectory()) throw new Refusal('it is a file, not a folder');
  if (found) return;
  if (dirname(directory) !== directory) await makeFolder(dirname(directory));
  await mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new Refusal('no folder can be made there');
    if (error.code !== 'EEXIST') throw error; // another process was faster
  });
}
