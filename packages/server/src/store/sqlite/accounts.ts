import type { DatabaseSync } from 'node:sqlite';
import type { Account } from '@tertulia/protocol';
import type { Credentials, NamingResult, NewPassword, NewUser, UserChanges } from '../account-store.ts';
import { ACCOUNT_COLUMNS, toAccount, type AccountRow } from './account-row.ts';
import { row, run } from './database.ts';
import { endAllSessions, sessionReads, sessionSchema, sessionWrites } from './sessions.ts';

/** The tables of accounts and login sessions. */
export const accountSchema = `
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  username TEXT NOT NULL,
  username_key TEXT NOT NULL,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  full_name TEXT,
  is_active INTEGER NOT NULL DEFAULT 1,
  is_superuser INTEGER NOT NULL,
  created_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX users_by_username ON users (username_key);
CREATE UNIQUE INDEX users_by_email ON users (email_key);

-- The highest generation is the account's password. Older ones keep their row, without the hash, so that
-- two changes at once meet in the primary key.
CREATE TABLE passwords (
  user_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  hash TEXT NOT NULL,
  kept_session_id TEXT,
  PRIMARY KEY (user_id, generation)
) WITHOUT ROWID;
${sessionSchema}`;

function findUser(db: DatabaseSync, userId: string): Account | null {
  const found = row<AccountRow>(db, `SELECT ${ACCOUNT_COLUMNS} FROM users u WHERE id = ?`, userId);
  return found ? toAccount(found) : null;
}

function findUserByName(db: DatabaseSync, usernameKey: string): Account | null {
  const found = row<AccountRow>(db, `SELECT ${ACCOUNT_COLUMNS} FROM users u WHERE username_key = ?`, usernameKey);
  return found ? toAccount(found) : null;
}

function findCredentials(db: DatabaseSync, key: string): Credentials | null {
  const found = row<AccountRow & { hash: string; generation: number }>(
    db,
    `SELECT ${ACCOUNT_COLUMNS}, p.hash, p.generation FROM users u JOIN passwords p ON p.user_id = u.id
     WHERE u.${key.includes('@') ? 'email_key' : 'username_key'} = ? ORDER BY p.generation DESC LIMIT 1`,
    key,
  );
  return found ? { account: toAccount(found), password_hash: found.hash, password_generation: found.generation } : null;
}

function takenBy(db: DatabaseSync, userId: string, usernameKey: string, emailKey: string): NamingResult | null {
  if (row(db, 'SELECT 1 FROM users WHERE email_key = ? AND id <> ?', emailKey, userId))
    return { status: 'email_taken' };
  if (row(db, 'SELECT 1 FROM users WHERE username_key = ? AND id <> ?', usernameKey, userId)) {
    return { status: 'username_taken' };
  }
  return null;
}

function createUser(db: DatabaseSync, user: NewUser): NamingResult {
  const taken = takenBy(db, user.id, user.username_key, user.email_key);
  if (taken) return taken;
  run(
    db,
    `INSERT INTO users (id, username, username_key, email, email_key, full_name, is_superuser, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    user.id,
    user.username,
    user.username_key,
    user.email,
    user.email_key,
    user.full_name,
    user.is_superuser ? 1 : 0,
    user.created_at,
  );
  run(db, 'INSERT INTO passwords (user_id, generation, hash) VALUES (?, 1, ?)', user.id, user.password_hash);
  return { status: 'stored', account: findUser(db, user.id)! };
}

function updateUser(db: DatabaseSync, userId: string, changes: UserChanges): NamingResult | { status: 'missing' } {
  const now = row<{
    username: string;
    username_key: string;
    email: string;
    email_key: string;
    full_name: string | null;
  }>(db, 'SELECT username, username_key, email, email_key, full_name FROM users WHERE id = ?', userId);
  if (!now) return { status: 'missing' };
  const username = changes.username ?? { name: now.username, key: now.username_key };
  const email = changes.email ?? { address: now.email, key: now.email_key };
  const taken = takenBy(db, userId, username.key, email.key);
  if (taken) return taken;
  run(
    db,
    'UPDATE users SET username = ?, username_key = ?, email = ?, email_key = ?, full_name = ? WHERE id = ?',
    username.name,
    username.key,
    email.address,
    email.key,
    changes.full_name === undefined ? now.full_name : changes.full_name,
    userId,
  );
  return { status: 'stored', account: findUser(db, userId)! };
}

function setActive(db: DatabaseSync, userId: string, active: boolean): string[] | null {
  if (!findUser(db, userId)) return null;
  const ended = active ? [] : endAllSessions(db, userId, null);
  run(db, 'UPDATE users SET is_active = ? WHERE id = ?', active ? 1 : 0, userId);
  return ended;
}

function changePassword(db: DatabaseSync, password: NewPassword): string[] | null {
  const { user_id, generation, password_hash, kept_session_id } = password;
  const inserted = run(
    db,
    'INSERT INTO passwords (user_id, generation, hash, kept_session_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    user_id,
    generation,
    password_hash,
    kept_session_id,
  );
  if (inserted === 0) return null;
  run(db, "UPDATE passwords SET hash = '' WHERE user_id = ? AND generation < ?", user_id, generation);
  return endAllSessions(db, user_id, kept_session_id);
}

/** What the reading thread can be asked about accounts. */
export const accountReads = { findUser, findUserByName, findCredentials, ...sessionReads };

/** What the writing thread can be asked about accounts. */
export const accountWrites = { createUser, updateUser, setActive, changePassword, ...sessionWrites };
