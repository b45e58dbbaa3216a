import {
  MongoBulkWriteError,
  MongoNetworkError,
  type Collection,
  type Document,
  type Filter,
  type OptionalUnlessRequiredId,
} from 'mongodb';
import { answered, DUPLICATE_KEY } from './retry.ts';

/** How long many writes in one request are tried: a large one takes its time, and so does a new primary. */
const PATIENCE_MS = 120_000;

/** FerretDB 1.24 on SQLite never answers a request with some 200 of them (measured); larger ones are not much faster elsewhere. */
const REPLACED_AT_ONCE = 50;

/** Inserts documents, each once; answers whether a unique index refused any, such as those of an earlier try. */
export function insertAll<T extends Document>(
  collection: Collection<T>,
  documents: readonly OptionalUnlessRequiredId<T>[],
): Promise<boolean> {
  return inBulk(documents, () => collection.insertMany([...documents], { ordered: false }));
}

/** Documents by whether some of the same `_id` are there already. */
export interface Versions<T> {
  readonly fresh: readonly T[];
  readonly changed: readonly T[];
}

/**
 * Puts documents in their places: fresh ones are inserted, and like the others replace what an earlier try left. A sharded
 * cluster finds the shard by the replacement.
 */
export async function putAll<T extends Document & { readonly _id: string }>(
  collection: Collection<T>,
  { fresh, changed }: Versions<T>,
): Promise<void> {
  const isRepeated = await insertAll(collection, fresh as OptionalUnlessRequiredId<T>[]);
  const replacements = [...(isRepeated ? fresh : []), ...changed].map((replacement) => ({
    replaceOne: { filter: { _id: replacement._id } as Filter<T>, replacement },
  }));
  for (let start = 0; start < replacements.length; start += REPLACED_AT_ONCE) {
    const some = replacements.slice(start, start + REPLACED_AT_ONCE);
    await inBulk(some, () => collection.bulkWrite(some, { ordered: false }));
  }
}

async function inBulk(documents: readonly unknown[], write: () => Promise<unknown>): Promise<boolean> {
  if (documents.length === 0) return false;
  return answered(async () => {
    try {
      await write();
      return false;
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError)) throw error;
      if (error.code === undefined) throw new MongoNetworkError(error.message, { cause: error }); // as it was in there
      if (isOnlyDuplicates(error)) return true;
      throw error;
    }
  }, PATIENCE_MS);
}

function isOnlyDuplicates(error: MongoBulkWriteError): boolean {
  const errors = [error.writeErrors].flat();
  return (
    errors.length > 0 && !error.result.getWriteConcernError() && errors.every(({ code }) => code === DUPLICATE_KEY)
  );
}
