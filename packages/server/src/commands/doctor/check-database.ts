import { stat } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { explainFailure } from '../../failure.ts';
import { APPLICATION_ID } from '../../store/sqlite/database.ts';
import { SCHEMA_VERSION } from '../../store/sqlite/migrations.ts';
import { importProgress } from '../../store/sqlite/transfer-target.ts';
import { factsOf, isFile, pragma, sizeOf, withDatabase } from '../console/database-file.ts';
import { ok, problem, type Finding } from './finding.ts';

const check = 'database';

/** Whether the database can be opened, is ours, of a schema that this version knows, and whole. */
export async function checkDatabase(path: string): Promise<Finding> {
  try {
    if (!(await isFile(path))) return ok(check, `${path} will be made at the first start`);
    const size = sizeOf((await stat(path)).size);
    return await withDatabase(path, { readOnly: true }, (db) => examine(db, path, size));
  } catch (error) {
    const advice = 'see to the file, or restore a backup with npm run restore -- --from FILE';
    return problem(check, explainFailure(error, path) ?? String(error), advice);
  }
}

function examine(db: DatabaseSync, path: string, size: string): Finding {
  const { application_id, schema_version } = factsOf(db);
  if (application_id !== APPLICATION_ID) {
    return problem(check, `${path} is another program's`, 'set DATA_DIR to a folder of its own');
  }
  if (schema_version > SCHEMA_VERSION) {
    const versions = `schema ${schema_version}; this one knows ${SCHEMA_VERSION}`;
    return problem(check, `${path} was made by a newer version (${versions})`, 'update this one');
  }
  const integrity = pragma(db, 'quick_check');
  if (integrity !== 'ok') {
    const first = String(integrity).split('\n', 1)[0];
    return problem(check, `${path} is damaged: ${first}`, 'restore a backup with npm run restore -- --from FILE');
  }
  if (importProgress(db)?.is_finished === false) {
    return problem(check, `${path} holds a part of an import`, 'run npm run import with the same file again');
  }
  const step = schema_version < SCHEMA_VERSION ? `, brought to ${SCHEMA_VERSION} at the next start` : '';
  return ok(check, `${path} is whole (${size}, schema ${schema_version}${step})`);
}
