import type { DatabaseSync } from 'node:sqlite';
import {
  Unfitting,
  type AccountRecord,
  type EventRecord,
  type ImportProgress,
  type LoginRecord,
  type TransferRecord,
  type TransferTarget,
} from '../transfer.ts';
import { insertTombstone } from './apply-event.ts';
import { row, run } from './database.ts';
import { logWrites } from './log.ts';

/** How far an import has come in this database, or null where none was begun. */
export function importProgress(db: DatabaseSync): ImportProgress | null {
  const found = row<{ value: string }>(db, "SELECT value FROM meta WHERE key = 'import'");
  return found ? (JSON.parse(found.value) as ImportProgress) : null;
}

/** Writes records in batches: each batch and the progress that it makes are one transaction. */
export function sqliteTarget(db: DatabaseSync): TransferTarget {
  return {
    progress: () => Promise.resolve(importProgress(db)),
    isEmpty: () => Promise.resolve(isEmpty(db)),
    async add(records, progress) {
      transaction(db, () => {
        const done = importProgress(db);
        if (done && done.parts >= progress.parts) return;
        for (const record of records) insert(db, record);
        setMeta(db, 'import', JSON.stringify(progress));
      });
    },
    async finish(progress, epoch) {
      transaction(db, () => {
        if (epoch !== null) setMeta(db, 'epoch', epoch);
        setMeta(db, 'import', JSON.stringify(progress));
      });
    },
    close() {
      db.close();
      return Promise.resolve();
    },
  };
}

function isEmpty(db: DatabaseSync): boolean {
  return ['users', 'sessions', 'conversations', 'events'].every(
    (table) => row(db, `SELECT 1 FROM ${table} LIMIT 1`) === undefined,
  );
}

function transaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function setMeta(db: DatabaseSync, key: string, value: string): void {
  const sql = 'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value';
  run(db, sql, key, value);
}

function insert(db: DatabaseSync, record: TransferRecord): void {
  switch (record.kind) {
    case 'account':
      insertAccount(db, record);
      break;
    case 'login':
      insertLogin(db, record);
      break;
    case 'event':
      insertEvent(db, record);
      break;
    case 'attempt':
      insertAttempt(db, record.task_id, record.attempt);
      break;
  }
}

function insertAccount(db: DatabaseSync, account: AccountRecord): void {
  const { id, username, username_key, email, email_key, full_name, is_active, is_superuser, created_at } = account;
  run(
    db,
    `INSERT INTO users (id, username, username_key, email, email_key, full_name, is_active, is_superuser, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[id, username, username_key, email, email_key, full_name],
    is_active ? 1 : 0,
    is_superuser ? 1 : 0,
    created_at,
  );
  const { generation, hash, kept_session_id } = account.password;
  const sql = 'INSERT INTO passwords (user_id, generation, hash, kept_session_id) VALUES (?, ?, ?, ?)';
  run(db, sql, id, generation, hash, kept_session_id);
}

function insertLogin(db: DatabaseSync, login: LoginRecord): void {
  const { id, user_id, password_generation, created_at, expires_at, address, user_agent } = login;
  run(
    db,
    `INSERT INTO sessions (id, user_id, password_generation, created_at, expires_at, address, user_agent)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ...[id, user_id, password_generation, created_at, expires_at, address, user_agent],
  );
  const sql = 'INSERT INTO refresh_tokens (hash, session_id, generation, issued_at) VALUES (?, ?, ?, ?)';
  for (const token of login.tokens) run(db, sql, token.hash, id, token.generation, token.issued_at);
}

/** By the way that a live event takes as well, so that the views are derived by the same code. */
function insertEvent(db: DatabaseSync, { event, sender, client_msg_id, ends_task }: EventRecord): void {
  const { conversation_id, seq, type } = event;
  const sql = 'SELECT a.seq FROM activity a JOIN conversations ON number = a.conversation WHERE id = ?';
  const last = row<{ seq: number }>(db, sql, conversation_id)?.seq ?? 0;
  if (type === 'conversation_deleted') {
    if (last === 0) insertTombstone(db, event);
  } else if (seq !== last + 1) {
    throw new Unfitting(`event ${seq} of conversation ${conversation_id} comes after event ${last}`);
  }
  const { status } = logWrites.append(db, { event, sender, client_msg_id, ends_task, claim: null });
  if (status !== 'appended') {
    throw new Unfitting(`event ${seq} of conversation ${conversation_id} is refused: ${status}`);
  }
}

/** As a claim whose lease has passed: the next attempt may be claimed at once. */
function insertAttempt(db: DatabaseSync, taskId: string, attempt: number): void {
  const sql = `INSERT INTO claims (task, attempt, owner, lease_until)
    SELECT number, ?, 'import', 0 FROM tasks WHERE id = ? AND ended_at IS NULL`;
  run(db, sql, attempt, taskId);
}
