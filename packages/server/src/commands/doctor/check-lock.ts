import type { Config } from '../../config.ts';
import { explainFailure } from '../../failure.ts';
import { isDirectoryHeld } from '../../store/sqlite/sqlite-store.ts';
import { versionAt } from './check-port.ts';
import { ok, problem, type Finding } from './finding.ts';

const check = 'server';

/** Whether a server holds the data folder: fine where it is the one on PORT, which else could not start. */
export async function checkLock({ HOST, PORT, DATA_DIR }: Config, directory: string): Promise<Finding> {
  try {
    if (!isDirectoryHeld(directory)) return ok(check, 'none is running on this data folder');
  } catch (error) {
    const advice = 'see what is said of the data folder';
    return problem(check, explainFailure(error, DATA_DIR) ?? String(error), advice);
  }
  if (PORT !== 0 && (await versionAt(HOST, PORT)) !== null) return ok(check, 'one is running on this data folder');
  const advice = 'stop that one, set PORT to its port if you meant that one, or set DATA_DIR to another folder';
  return problem(check, `one is running on ${directory}, but not on PORT=${PORT}: another cannot start`, advice);
}
