import type { Collection, Filter, ObjectId, OptionalUnlessRequiredId } from 'mongodb';
import { insertOnce } from './insert-once.ts';
import { answered, NotYetReadable } from './retry.ts';

/**
 * Inserts a document and finds out whether it is there: null where it is, else the document that keeps it out.
 * `_id` must have been made for this insert alone: by it, a repeat after an unknown outcome knows its own document.
 * Which of the unique indexes refused is found by looking, in the order given, since some servers name none.
 * @throws {ChatError} `unavailable`: it is there, whole, or it is not
 */
export function insertOrRival<T extends { _id: ObjectId | string }>(
  collection: Collection<T>,
  document: T,
  uniqueKeys: readonly (readonly (keyof T)[])[],
): Promise<T | null> {
  return answered(async () => {
    if (await insertOnce(collection, document as OptionalUnlessRequiredId<T>)) return null;
    for (const key of [['_id'] as const, ...uniqueKeys]) {
      const found = await collection.findOne(sameIn(document, key));
      if (found) return String(found._id) === String(document._id) ? null : (found as T);
    }
    throw new NotYetReadable();
  });
}

function sameIn<T>(document: T, key: readonly (keyof T)[]): Filter<T> {
  return Object.fromEntries(key.map((field) => [field, document[field]])) as Filter<T>;
}
