import type { DatabaseSync } from 'node:sqlite';
import type { Account } from '@tertulia/protocol';
import type { NewSession, RotationResult, SessionRecord } from '../account-store.ts';
import { ACCOUNT_COLUMNS, toAccount, type AccountRow } from './account-row.ts';
import { row, rows, run } from './database.ts';

/** Tables of login sessions and their refresh tokens, and the one definition of a live session. */
export const sessionSchema = `
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  password_generation INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at INTEGER,
  address TEXT,
  user_agent TEXT
) WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- A rotation is the insert of the next generation: whoever comes second with the same token meets the index.
CREATE TABLE refresh_tokens (
  hash TEXT PRIMARY KEY,
  session_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  issued_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX refresh_tokens_by_generation ON refresh_tokens (session_id, generation);

CREATE VIEW live_sessions AS
  SELECT s.* FROM sessions s
  JOIN users u ON u.id = s.user_id AND u.is_active = 1
  JOIN passwords p ON p.user_id = s.user_id
    AND p.generation = (SELECT MAX(generation) FROM passwords WHERE user_id = s.user_id)
  WHERE s.ended_at IS NULL
    AND s.expires_at > CAST(unixepoch('subsec') * 1000 AS INTEGER)
    AND (s.password_generation = p.generation OR s.id = p.kept_session_id);
`;

/** Sessions that a sign-in clears away once they are over: more than it adds, so that they do not pile up. */
const CLEARED_AT_SIGN_IN = 10;

interface TokenRow {
  readonly hash: string;
  readonly session_id: string;
  readonly generation: number;
  readonly issued_at: number;
}

function findLogin(db: DatabaseSync, sessionId: string): Account | null {
  const found = row<AccountRow>(
    db,
    `SELECT ${ACCOUNT_COLUMNS} FROM live_sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?`,
    sessionId,
  );
  return found ? toAccount(found) : null;
}

function liveSessions(db: DatabaseSync, sessionIds: readonly string[]): string[] {
  return sessionIds.filter((id) => row(db, 'SELECT 1 FROM live_sessions WHERE id = ?', id) !== undefined);
}

function listSessions(db: DatabaseSync, userId: string): SessionRecord[] {
  return rows<SessionRecord>(
    db,
    `SELECT id, created_at, expires_at, address, user_agent,
       (SELECT MAX(issued_at) FROM refresh_tokens WHERE session_id = s.id) AS last_used_at
     FROM live_sessions s WHERE user_id = ? ORDER BY created_at DESC, id`,
    userId,
  ).map((session) => ({ ...session }));
}

function createSession(db: DatabaseSync, session: NewSession): number | null {
  const now = Date.now();
  const expiresAt = now + session.lifetime_ms;
  clearOver(db, now);
  run(
    db,
    `INSERT INTO sessions (id, user_id, password_generation, created_at, expires_at, address, user_agent)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    session.id,
    session.user_id,
    session.password_generation,
    now,
    expiresAt,
    session.address,
    session.user_agent,
  );
  addToken(db, { hash: session.token_hash, session_id: session.id, generation: 1, issued_at: now });
  if (findLogin(db, session.id)) return expiresAt;
  run(db, 'DELETE FROM refresh_tokens WHERE session_id = ?', session.id);
  run(db, 'DELETE FROM sessions WHERE id = ?', session.id);
  return null;
}

function clearOver(db: DatabaseSync, now: number): void {
  const over = 'SELECT id FROM sessions WHERE expires_at < ? ORDER BY expires_at LIMIT ?';
  run(db, `DELETE FROM refresh_tokens WHERE session_id IN (${over})`, now, CLEARED_AT_SIGN_IN);
  run(db, `DELETE FROM sessions WHERE id IN (${over})`, now, CLEARED_AT_SIGN_IN);
}

function addToken(db: DatabaseSync, token: TokenRow): boolean {
  const inserted = run(
    db,
    'INSERT INTO refresh_tokens (hash, session_id, generation, issued_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    token.hash,
    token.session_id,
    token.generation,
    token.issued_at,
  );
  return inserted === 1;
}

function rotate(db: DatabaseSync, presentedHash: string, successorHash: string, graceMs: number): RotationResult {
  const token = row<TokenRow>(db, 'SELECT * FROM refresh_tokens WHERE hash = ?', presentedHash);
  const account = token ? findLogin(db, token.session_id) : null;
  if (!token || !account) return { status: 'refused' };
  const { session_id, generation } = token;
  const now = Date.now();
  if (addToken(db, { hash: successorHash, session_id, generation: generation + 1, issued_at: now })) {
    return { status: 'rotated', session_id, account };
  }
  if (isNewest(db, session_id, successorHash, now - graceMs)) {
    return { status: 'repeated', session_id, account };
  }
  run(db, 'UPDATE sessions SET ended_at = ? WHERE id = ?', now, session_id);
  return { status: 'reused', session_id, user_id: account.id };
}

function isNewest(db: DatabaseSync, sessionId: string, hash: string, issuedAfter: number): boolean {
  const newest = row<TokenRow>(
    db,
    'SELECT * FROM refresh_tokens WHERE session_id = ? ORDER BY generation DESC LIMIT 1',
    sessionId,
  );
  return newest?.hash === hash && newest.issued_at > issuedAfter;
}

function endSession(db: DatabaseSync, userId: string, sessionId: string): boolean {
  if (!row(db, 'SELECT 1 FROM live_sessions WHERE id = ? AND user_id = ?', sessionId, userId)) return false;
  return run(db, 'UPDATE sessions SET ended_at = ? WHERE id = ?', Date.now(), sessionId) === 1;
}

/** Ends a user's sessions but one; answers the ids of those that had not been ended. */
export function endAllSessions(db: DatabaseSync, userId: string, keptSessionId: string | null): string[] {
  const now = Date.now();
  const over = rows<{ id: string }>(
    db,
    'SELECT id FROM sessions WHERE user_id = ? AND ended_at IS NULL AND expires_at > ? AND id IS NOT ?',
    userId,
    now,
    keptSessionId,
  );
  for (const { id } of over) run(db, 'UPDATE sessions SET ended_at = ? WHERE id = ?', now, id);
  return over.map(({ id }) => id);
}

/** What the reading thread can be asked about sessions. */
export const sessionReads = { findLogin, liveSessions, listSessions };

/** What the writing thread can be asked about sessions. */
export const sessionWrites = { createSession, rotate, endSession, endSessions: endAllSessions };
