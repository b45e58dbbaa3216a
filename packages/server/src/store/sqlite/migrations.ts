import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { accountSchema } from './accounts.ts';
import { APPLICATION_ID } from './database.ts';

const logSchema = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- A conversation's number within this file: small, and new ones lie beside each other. Its id starts with random bits.
CREATE TABLE conversations (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  owner_id TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT,
  metadata TEXT NOT NULL,
  is_active INTEGER NOT NULL,
  is_deleted INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL
);
CREATE INDEX conversations_deleted ON conversations (number) WHERE is_deleted = 1;

-- What every event changes of a conversation, apart: a few bytes, so that busy conversations share a page.
CREATE TABLE activity (
  conversation INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  updated_at TEXT NOT NULL
);

-- The log: the truth. A message is a part of its event's row, once, its text in a column of its own, ready for a
-- full-text index. Rows lie in the order of arrival, so that what commits together lies together.
CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  conversation INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  actor TEXT NOT NULL,
  created_at TEXT NOT NULL,
  sender TEXT,
  client_msg_id TEXT,
  ends_task INTEGER,
  message_id TEXT,
  task_id TEXT,
  role TEXT,
  content TEXT,
  metadata TEXT,
  timestamp REAL,
  author TEXT,
  data TEXT NOT NULL
);
CREATE UNIQUE INDEX events_by_seq ON events (conversation, seq);
CREATE UNIQUE INDEX events_by_client_msg_id ON events (conversation, sender, client_msg_id)
  WHERE client_msg_id IS NOT NULL;
CREATE UNIQUE INDEX events_by_ended_task ON events (ends_task) WHERE ends_task IS NOT NULL;

-- Everything below is derived from the log, in the transaction that appends to it.
CREATE TABLE members (
  conversation INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  role TEXT NOT NULL,
  joined_at TEXT NOT NULL,
  PRIMARY KEY (conversation, user_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX members_by_user ON members (user_id, conversation);

-- A task's number is the position of the event that starts it.
CREATE TABLE tasks (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  conversation INTEGER NOT NULL,
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
);
CREATE INDEX tasks_by_conversation ON tasks (conversation, number);
CREATE INDEX tasks_open ON tasks (conversation, number) WHERE ended_at IS NULL;

-- One row per attempt at a task that has not ended.
CREATE TABLE claims (
  task INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  owner TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  PRIMARY KEY (task, attempt)
) WITHOUT ROWID;

-- The text so far of an attempt, in pieces; gone when the task ends.
CREATE TABLE checkpoints (
  task INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  start INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (task, attempt, start)
) WITHOUT ROWID;
`;

/** Numbered by position: entry 0 makes schema version 1. An entry that has been released never changes. */
const migrations: readonly ((db: DatabaseSync) => void)[] = [
  (db) => {
    db.exec(logSchema);
    db.exec(accountSchema);
    db.prepare("INSERT INTO meta (key, value) VALUES ('epoch', ?)").run(randomUUID());
  },
  // What a user has open is read before each message where several servers share the file: else all tasks would be.
  (db) => db.exec('CREATE INDEX tasks_open_by_user ON tasks (user_id, number) WHERE ended_at IS NULL'),
];

/** The file is another program's database, or one of a newer version of this program. */
class ForeignDatabase extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ForeignDatabase';
  }
}

/** The newest schema version that this program knows. */
export const SCHEMA_VERSION = migrations.length;

/**
 * Brings a database to the newest schema; one that is there already is not locked. Each step is one exclusive
 * transaction that also raises the version, so a crash leaves a step wholly done or not begun, and a second process
 * waits for the first.
 * @throws {ForeignDatabase}
 */
export function migrate(db: DatabaseSync): void {
  while (checkedVersion(db) < SCHEMA_VERSION) {
    db.exec('BEGIN EXCLUSIVE');
    try {
      migrateOnce(db);
      db.exec('COMMIT');
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  }
}

/** Takes the next step, unless another process was faster. */
function migrateOnce(db: DatabaseSync): void {
  const version = checkedVersion(db);
  const step = migrations[version];
  if (!step) return;
  step(db);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version + 1}`);
}

function checkedVersion(db: DatabaseSync): number {
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;
  const version = pragma('user_version');
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (!isEmpty && pragma('application_id') !== APPLICATION_ID) {
    throw new ForeignDatabase(`${db.location()} is another program's database: set DATA_DIR to a folder of its own.`);
  }
  if (version > SCHEMA_VERSION) {
    throw new ForeignDatabase(
      `${db.location()} was made by a newer version (schema ${version}; this one knows ${SCHEMA_VERSION}): update this one.`,
    );
  }
  return version;
}
