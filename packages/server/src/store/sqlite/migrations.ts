import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { accountSchema } from './accounts.ts';
import { APPLICATION_ID } from './database.ts';

const logSchema = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- The log: the truth. Everything below it is derived and carries the seq that it has applied.
CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  conversation_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  actor TEXT NOT NULL,
  created_at TEXT NOT NULL,
  sender TEXT,
  client_msg_id TEXT,
  ends_task TEXT,
  data TEXT NOT NULL
);
CREATE UNIQUE INDEX events_by_seq ON events (conversation_id, seq);
CREATE UNIQUE INDEX events_by_client_msg_id ON events (conversation_id, sender, client_msg_id)
  WHERE client_msg_id IS NOT NULL;
CREATE UNIQUE INDEX events_by_ended_task ON events (conversation_id, ends_task) WHERE ends_task IS NOT NULL;

CREATE TABLE conversations (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  owner_id TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT,
  metadata TEXT NOT NULL,
  is_active INTEGER NOT NULL,
  is_deleted INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX conversations_deleted ON conversations (id) WHERE is_deleted = 1;

CREATE TABLE members (
  conversation_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  role TEXT NOT NULL,
  joined_at TEXT NOT NULL,
  PRIMARY KEY (conversation_id, user_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX members_by_user ON members (user_id, conversation_id);

-- Messages as they stand. The text has a column of its own, ready for a full-text index.
CREATE TABLE messages (
  conversation_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  task_id TEXT,
  role TEXT NOT NULL,
  content TEXT NOT NULL,
  metadata TEXT NOT NULL,
  timestamp REAL NOT NULL,
  author TEXT NOT NULL,
  PRIMARY KEY (conversation_id, seq)
) WITHOUT ROWID;

CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  conversation_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  assistant TEXT NOT NULL,
  fields TEXT NOT NULL,
  status TEXT NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  ended_at TEXT,
  ended_seq INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX tasks_by_conversation ON tasks (conversation_id, seq);
CREATE INDEX tasks_open ON tasks (conversation_id, seq) WHERE ended_at IS NULL;

-- One row per attempt at a task that has not ended.
CREATE TABLE claims (
  conversation_id TEXT NOT NULL,
  task_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  owner TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  PRIMARY KEY (conversation_id, task_id, attempt)
) WITHOUT ROWID;

-- The text so far of an attempt, in pieces; gone when the task ends.
CREATE TABLE checkpoints (
  task_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  start INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (task_id, attempt, start)
) WITHOUT ROWID;
`;

/** Numbered by position: entry 0 makes schema version 1. An entry that has been released never changes. */
const migrations: readonly ((db: DatabaseSync) => void)[] = [
  (db) => {
    db.exec(logSchema);
    db.exec(accountSchema);
    db.prepare("INSERT INTO meta (key, value) VALUES ('epoch', ?)").run(randomUUID());
  },
];

/** The file is another program's database, or one of a newer version of this program. */
export class ForeignDatabase extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ForeignDatabase';
  }
}

/** The newest schema version that this program knows. */
export const SCHEMA_VERSION = migrations.length;

/**
 * Brings a database to the newest schema. Each step is one exclusive transaction that also raises the version, so
 * a crash leaves a step wholly done or not begun, and a second process waits for the first.
 * @throws {ForeignDatabase}
 */
export function migrate(db: DatabaseSync): void {
  for (;;) {
    db.exec('BEGIN EXCLUSIVE');
    try {
      const done = migrateOnce(db);
      db.exec('COMMIT');
      if (done) return;
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  }
}

function migrateOnce(db: DatabaseSync): boolean {
  const version = checkedVersion(db);
  const step = migrations[version];
  if (!step) return true;
  step(db);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version + 1}`);
  return false;
}

function checkedVersion(db: DatabaseSync): number {
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;
  const version = pragma('user_version');
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (!isEmpty && pragma('application_id') !== APPLICATION_ID) {
    throw new ForeignDatabase(`${db.location()} is another program's database; set DATA_DIR to a folder of its own`);
  }
  if (version > SCHEMA_VERSION) {
    throw new ForeignDatabase(
      `${db.location()} was made by a newer version (schema ${version}; this one knows ${SCHEMA_VERSION}): update this one`,
    );
  }
  return version;
}
