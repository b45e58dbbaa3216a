import type { Config } from '../../config.ts';
import { explainFailure } from '../../failure.ts';
import { isDirectoryHeld } from '../../store/sqlite/sqlite-store.ts';
import { versionAt } from './check-port.ts';
import { ok, problem, type Finding } from './finding.ts';

const check = 'server';

/** Whether a server holds the data folder: fine where it is the one on PORT; else another could not start. */
export async function checkLock({ HOST, PORT, DATA_DIR }: Config, directory: string): Promise<Finding> {
  try {
    const held = isDirectoryHeld(directory);
    const answers = PORT !== 0 && (await versionAt(HOST, PORT)) !== null;
    if (held === answers) return ok(check, `${held ? 'one' : 'none'} is running on this data folder`);
    const advice = 'stop that one, or set PORT and DATA_DIR both to its, or both to others';
    const found = held
      ? `one is running on ${directory}, but not on PORT=${PORT}`
      : `one is running on PORT=${PORT}, but not on ${directory}`;
    return problem(check, `${found}: another cannot start`, advice);
  } catch (error) {
    const advice = 'see what is said of the data folder';
    return problem(check, explainFailure(error, DATA_DIR) ?? String(error), advice);
  }
}
