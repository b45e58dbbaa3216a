import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** Marks the file as ours (`TERT`), so that another program's database is never migrated. */
export const APPLICATION_ID = 0x54455254;

/** Opens one connection with the durability every promise rests on: WAL, and an fsync before a commit is reported. */
export function openDatabase(path: string, options: { readOnly?: boolean } = {}): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: options.readOnly ?? false, timeout: 5_000 });
  if (!options.readOnly) {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF');
    // A busy page is then written back once for many commits (measured: see docs/benchmarks.md).
    db.exec('PRAGMA wal_autocheckpoint = 4000');
  }
  db.exec('PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 268435456');
  return db;
}

const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/** Prepares a statement once per connection; compiling SQL costs more than running it. */
export function prepare(db: DatabaseSync, sql: string): StatementSync {
  let known = statements.get(db);
  if (!known) statements.set(db, (known = new Map()));
  let statement = known.get(sql);
  if (!statement) known.set(sql, (statement = db.prepare(sql)));
  return statement;
}

/** The first row of a query, or undefined. */
export function row<T>(db: DatabaseSync, sql: string, ...values: SqlValue[]): T | undefined {
  return prepare(db, sql).get(...values) as T | undefined;
}

/** All rows of a query. */
export function rows<T>(db: DatabaseSync, sql: string, ...values: SqlValue[]): T[] {
  return prepare(db, sql).all(...values) as T[];
}

/** Runs a statement and answers how many rows it changed. */
export function run(db: DatabaseSync, sql: string, ...values: SqlValue[]): number {
  return Number(prepare(db, sql).run(...values).changes);
}

/** What SQLite binds. */
export type SqlValue = string | number | null;
