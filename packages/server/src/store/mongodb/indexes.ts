import { MongoServerError, type Db } from 'mongodb';
import type { IndexWanted } from './collections.ts';
import { answered } from './retry.ts';

const NAMESPACE_NOT_FOUND = 26;

/** The database lacks what every promise rests on. */
class MissingIndex extends Error {
  constructor(collection: string, { name, key }: IndexWanted, cause: unknown) {
    const fields = Object.keys(key).join(', ');
    const reason = cause instanceof Error ? cause.message : 'another one stands in its place; drop that one';
    super(`The index ${name} (${fields}) of the collection ${collection} cannot be made: ${reason}`, { cause });
    this.name = 'MissingIndex';
  }
}

/**
 * Makes what is missing and sees that it is there. Several nodes may do so at once. What is there is not asked for
 * again: not every server of the protocol takes that well.
 * @throws {MissingIndex}
 */
export async function ensureIndexes(db: Db, wanted: Readonly<Record<string, readonly IndexWanted[]>>): Promise<void> {
  await Promise.all(Object.entries(wanted).map(([collection, indexes]) => ensure(db, collection, indexes)));
}

/** Those that are not there, or are others, as `collection.index`; changes nothing. */
export async function missingIndexes(
  db: Db,
  wanted: Readonly<Record<string, readonly IndexWanted[]>>,
): Promise<string[]> {
  const all = Object.entries(wanted).flatMap(([collection, indexes]) =>
    indexes.map((index) => ({ collection, index })),
  );
  const missing: string[] = [];
  for (const { collection, index } of all) {
    if (!isSame(await found(db, collection, index.name), index)) missing.push(`${collection}.${index.name}`);
  }
  return missing;
}

async function ensure(db: Db, collection: string, indexes: readonly IndexWanted[]): Promise<void> {
  for (const index of indexes) {
    let refusal: unknown;
    try {
      await answered(() => makeIfMissing(db, collection, index));
    } catch (error) {
      if (!(error instanceof MongoServerError)) throw error;
      refusal = error; // where another node was faster the index is there now
    }
    if (!isSame(await answered(() => found(db, collection, index.name)), index)) {
      throw new MissingIndex(collection, index, refusal);
    }
  }
}

async function makeIfMissing(db: Db, collection: string, index: IndexWanted): Promise<void> {
  if (await found(db, collection, index.name)) return;
  const { name, key, unique } = index;
  await db.collection(collection).createIndex(key, { name, unique: unique ?? false });
}

interface IndexFound {
  readonly name: string;
  readonly key: Readonly<Record<string, unknown>>;
  readonly unique?: boolean;
}

async function found(db: Db, collection: string, name: string): Promise<IndexFound | undefined> {
  const indexes = await db
    .collection(collection)
    .listIndexes()
    .toArray()
    .catch((error: unknown) => {
      if (error instanceof MongoServerError && error.code === NAMESPACE_NOT_FOUND) return [];
      throw error;
    });
  return (indexes as IndexFound[]).find((index) => index.name === name);
}

function isSame(present: IndexFound | undefined, { key, unique }: IndexWanted): boolean {
  if (!present || (present.unique ?? false) !== (unique ?? false)) return false;
  return JSON.stringify(present.key) === JSON.stringify(key);
}
