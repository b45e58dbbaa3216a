import type { Document } from 'mongodb';
import { createClient, databaseOf } from './client.ts';
import { ACCOUNT_INDEXES } from './accounts.ts';
import { DatabaseClock } from './clock.ts';
import { INDEXES, collectionsOf } from './collections.ts';
import { missingIndexes } from './indexes.ts';
import { SCHEMA_VERSION } from './meta.ts';
import { importProgress } from './transfer-target.ts';

/** What is behind a MongoDB URL. */
export interface MongodbFacts {
  /** `MongoDB 7.0.14, replica set rs0`, or what else the server says of itself. */
  readonly server: string;
  /** Of the database's documents; null where the database will be made at the first start. */
  readonly schema_version: number | null;
  /** The newest that this program knows. */
  readonly known_version: number;
  /** `collection.index`, of those that are made at the next start. */
  readonly missing_indexes: readonly string[];
  /** How far the database's clock is ahead of this machine's. */
  readonly clock_ahead_ms: number;
  /** Whether it holds a part of an import. */
  readonly is_half_imported: boolean;
}

/** Looks at a database and changes nothing. @throws what keeps it from answering */
export async function inspectDatabase(url: string): Promise<MongodbFacts> {
  const client = createClient(url);
  try {
    await client.connect();
    const own = databaseOf(client, url);
    const clock = new DatabaseClock(own);
    const db = collectionsOf(own, clock);
    const build = await own.command({ buildInfo: 1 });
    const kind = kindOf(await own.command({ hello: 1 }).catch(() => ({}))); // a server of the protocol may not know it
    await clock.measure();
    const schema = await db.meta.findOne({ _id: 'schema' });
    return {
      server: `MongoDB ${String(build['version'])}${kind}`,
      schema_version: schema && Number(schema.value),
      known_version: SCHEMA_VERSION,
      missing_indexes: await missingIndexes(own, { ...INDEXES, ...ACCOUNT_INDEXES }),
      clock_ahead_ms: clock.now() - Date.now(),
      is_half_imported: (await importProgress(db))?.is_finished === false,
    };
  } finally {
    await client.close();
  }
}

function kindOf(hello: Document): string {
  if (hello['setName'] !== undefined) return `, replica set ${String(hello['setName'])}`;
  return hello['msg'] === 'isdbgrid' ? ', sharded cluster' : ', a single server';
}
