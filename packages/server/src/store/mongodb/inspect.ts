import type { Document } from 'mongodb';
import { createClient, databaseOf } from './client.ts';
import { SCHEMA_VERSION } from './meta.ts';

/** What is behind a MongoDB URL. */
export interface MongodbFacts {
  /** `MongoDB 7.0.14, replica set rs0`, or what else the server says of itself. */
  readonly server: string;
  /** Of the database's documents; null where the database will be made at the first start. */
  readonly schema_version: number | null;
  /** The newest that this program knows. */
  readonly known_version: number;
}

/** Looks at a database and changes nothing. @throws what keeps it from answering */
export async function inspectDatabase(url: string): Promise<MongodbFacts> {
  const client = createClient(url);
  try {
    await client.connect();
    const db = databaseOf(client, url);
    const meta = db.collection<{ _id: string; value: number }>('meta');
    const [build, schema] = await Promise.all([db.command({ buildInfo: 1 }), meta.findOne({ _id: 'schema' })]);
    const kind = kindOf(await db.command({ hello: 1 }).catch(() => ({}))); // a server of the protocol may not know it
    const server = `MongoDB ${String(build['version'])}${kind}`;
    return { server, schema_version: schema?.value ?? null, known_version: SCHEMA_VERSION };
  } finally {
    await client.close();
  }
}

function kindOf(hello: Document): string {
  if (hello['setName'] !== undefined) return `, replica set ${String(hello['setName'])}`;
  return hello['msg'] === 'isdbgrid' ? ', sharded cluster' : ', a single server';
}
