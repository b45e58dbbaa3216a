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

/** A document in the place of one that `filter` finds as long as it is as it was when it was read. */
export interface Replacement<T> {
  readonly filter: Filter<T>;
  readonly replacement: T;
}

/** Replaces documents. What a network held back comes too late to find the older ones, and changes nothing. */
export async function replaceAll<T extends Document>(
  collection: Collection<T>,
  replacements: readonly Replacement<T>[],
): Promise<void> {
  for (let start = 0; start < replacements.length; start += REPLACED_AT_ONCE) {
    const some = replacements.slice(start, start + REPLACED_AT_ONCE).map((replaceOne) => ({ replaceOne }));
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
