import type { MongodbFacts } from '../../store/mongodb/inspect.ts';
import { shownUrl } from '../../store/mongodb-url.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

const check = 'database';

/** Leases last 15 s by the database's clock, and tokens go by this machine's: a second between them is no matter. */
const CLOCKS_APART_MS = 1_000;

/**
 * Whether the database that MONGODB_URL names answers, is of a schema that this version knows, and whole; and whether its
 * clock and this machine's agree.
 */
export async function checkMongodb(url: string): Promise<Finding[]> {
  const name = shownUrl(url);
  const { inspectDatabase } = await import('../../store/mongodb/inspect.ts');
  try {
    const facts = await inspectDatabase(url);
    return [examine(name, facts), compareClocks(facts)];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [problem(check, `${name} does not answer: ${reason}`, 'start it, or correct MONGODB_URL')];
  }
}

function examine(name: string, facts: MongodbFacts): Finding {
  const { server, schema_version, known_version, missing_indexes } = facts;
  if (schema_version === null) return ok(check, `${name} (${server}) will be filled at the first start`);
  if (schema_version > known_version) {
    const versions = `schema ${schema_version}; this one knows ${known_version}`;
    return problem(check, `${name} was made by a newer version (${versions})`, 'update this one');
  }
  if (facts.is_half_imported) {
    return problem(check, `${name} holds a part of an import`, 'run npm run import with the same file again');
  }
  if (missing_indexes.length > 0) {
    const advice = 'start a server: it makes them, or says why it cannot';
    return warning(check, `${name} lacks indexes: ${missing_indexes.join(', ')}`, advice);
  }
  return ok(check, `${name} answers (${server}, schema ${schema_version})`);
}

function compareClocks({ clock_ahead_ms: ahead }: MongodbFacts): Finding {
  const apart = `${(Math.abs(ahead) / 1_000).toFixed(1)} s`;
  if (Math.abs(ahead) < CLOCKS_APART_MS) return ok('clocks', `the database's and this one agree (${apart} apart)`);
  const message = `the database's is ${apart} ${ahead > 0 ? 'ahead of' : 'behind'} this one`;
  return warning(
    'clocks',
    message,
    'let a time service (NTP) set both; lists of logins and times of messages are wrong by it',
  );
}
