import { randomUUID } from 'node:crypto';
import type { Database } from './collections.ts';
import { insertOnce } from './insert-once.ts';
import { NotYetReadable, answered, isDuplicateKey } from './retry.ts';

/** Raised with every change of the documents or indexes that an older version would not understand. */
export const SCHEMA_VERSION = 1;

/** The database is one of a newer version of this program. */
class ForeignDatabase extends Error {
  constructor(version: number) {
    super(
      `The database was made by a newer version (schema ${version}; this one knows ${SCHEMA_VERSION}): update this one.`,
    );
    this.name = 'ForeignDatabase';
  }
}

/** The value that stands, or else this one, stored: of nodes that start at once, one makes it. */
export async function settled<T extends string | number>(db: Database, key: string, value: T): Promise<T> {
  return answered(async () => {
    const standing = await db.meta.findOne({ _id: key });
    if (standing) return standing.value as T;
    if (await insertOnce(db.meta, { _id: key, value })) return value;
    throw new NotYetReadable();
  });
}

/** Puts a value in the place of the one that stands; of two that do so at once, either may count. */
export async function note({ meta }: Pick<Database, 'meta'>, key: string, value: number): Promise<void> {
  try {
    await meta.updateOne({ _id: key }, { $set: { value } }, { upsert: true });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error; // both made it, and the other's stands
  }
}

/** The database's epoch: made with it. @throws {ForeignDatabase} */
export async function settleEpoch(db: Database): Promise<string> {
  const version = await settled(db, 'schema', SCHEMA_VERSION);
  if (version > SCHEMA_VERSION) throw new ForeignDatabase(version);
  return settled(db, 'epoch', randomUUID());
}
