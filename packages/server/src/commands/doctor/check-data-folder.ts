import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { explainFailure } from '../../failure.ts';
import { sizeOf } from '../console/database-file.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

/** A database cannot grow in less than this; a warning comes at ten times of it. */
const LEAST_SPACE = 100_000_000;

const check = 'data folder';

/** Whether the server can write where its data lies, and nobody else. */
export async function checkDataFolder(directory: string): Promise<Finding> {
  const there = await nearestThere(directory);
  const advice = 'set DATA_DIR to a folder of your own, or give this one to the user that runs the server';
  try {
    const found = await stat(there);
    const { uid, mode } = found;
    if (!found.isDirectory()) return problem(check, `${there} is not a folder`, advice);
    await access(there, constants.R_OK | constants.W_OK | constants.X_OK);
    if (there !== directory) return ok(check, `${directory} will be made at the first start`);
    if (process.getuid && uid !== process.getuid()) {
      return warning(check, `${directory} belongs to user ${uid}; this is user ${process.getuid()}`, advice);
    }
    if (process.platform !== 'win32' && (mode & 0o007) !== 0) {
      return warning(check, `others on this machine may look into ${directory}`, `run chmod 700 ${directory}`);
    }
    return ok(check, directory);
  } catch (error) {
    return problem(check, explainFailure(error, directory) ?? String(error), advice);
  }
}

/** Whether there is room to grow. */
export async function checkSpace(directory: string): Promise<Finding> {
  const disk = await statfs(await nearestThere(directory)).catch(() => null);
  if (!disk) return warning('disk space', 'cannot be found out', 'see what is said of the data folder');
  const free = disk.bavail * disk.bsize;
  const advice = 'free some space, or move DATA_DIR to a larger disk; without space nothing is stored';
  if (free < LEAST_SPACE) return problem('disk space', `${sizeOf(free)} free`, advice);
  if (free < 10 * LEAST_SPACE) return warning('disk space', `${sizeOf(free)} free`, advice);
  return ok('disk space', `${sizeOf(free)} free`);
}

/** The file that keeps development's secret: only its owner may read it. JWT_SECRET itself is a setting like others. */
export async function checkSecret(directory: string, given: string | undefined): Promise<Finding> {
  if (given) return ok('secret', 'JWT_SECRET is set');
  const path = join(directory, 'jwt-secret');
  const found = await stat(path).catch(() => null);
  if (!found) return ok('secret', 'in development made at the first start and kept in the data folder');
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    return problem('secret', `others may read ${path}`, `run chmod 600 ${path}, or delete it: all logins end then`);
  }
  return ok('secret', `${path}, for development only`);
}

/** The folder itself, or the nearest above it that is there. */
async function nearestThere(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? nearestThere(dirname(path)) : path;
  }
}
