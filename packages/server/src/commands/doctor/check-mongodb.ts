import { shownUrl } from '../../store/mongodb-url.ts';
import { ok, problem, type Finding } from './finding.ts';

const check = 'database';

/** Whether the database that MONGODB_URL names answers, and is of a schema that this version knows. */
export async function checkMongodb(url: string): Promise<Finding> {
  const name = shownUrl(url);
  const { inspectDatabase } = await import('../../store/mongodb/inspect.ts');
  try {
    const { server, schema_version, known_version } = await inspectDatabase(url);
    if (schema_version === null) return ok(check, `${name} (${server}) will be filled at the first start`);
    if (schema_version <= known_version) return ok(check, `${name} answers (${server}, schema ${schema_version})`);
    const versions = `schema ${schema_version}; this one knows ${known_version}`;
    return problem(check, `${name} was made by a newer version (${versions})`, 'update this one');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return problem(check, `${name} does not answer: ${reason}`, 'start it, or correct MONGODB_URL');
  }
}
