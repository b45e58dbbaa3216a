import type { DatabaseSync } from 'node:sqlite';
import type { Message, RunningAnswer } from '@tertulia/protocol';
import type { Claim, DueTask } from '../store.ts';
import { toMessage, type MessageRow } from './conversations.ts';
import { row, rows, run } from './database.ts';
import { toStartedTask } from './log.ts';

/** How long a lease stands without renewal, in ms (DESIGN G6). */
const LEASE_MS = 15_000;

/** Inserts the claim of an attempt; the unique key decides. */
export function insertClaim(db: DatabaseSync, conversationId: string, { task_id, attempt, owner }: Claim): boolean {
  const sql = `INSERT INTO claims (conversation_id, task_id, attempt, owner, lease_until) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING`;
  return run(db, sql, conversationId, task_id, attempt, owner, Date.now() + LEASE_MS) === 1;
}

/** No insert while an earlier attempt's lease stands, or after the task's end. */
function claim(db: DatabaseSync, conversationId: string, wanted: Claim): boolean {
  const open = row(
    db,
    'SELECT 1 FROM tasks WHERE id = ? AND conversation_id = ? AND ended_at IS NULL',
    wanted.task_id,
    conversationId,
  );
  const last = row<{ attempt: number; lease_until: number }>(
    db,
    'SELECT attempt, lease_until FROM claims WHERE conversation_id = ? AND task_id = ? ORDER BY attempt DESC LIMIT 1',
    conversationId,
    wanted.task_id,
  );
  if (!open || wanted.attempt !== (last?.attempt ?? 0) + 1 || (last && last.lease_until > Date.now())) return false;
  return insertClaim(db, conversationId, wanted);
}

function renew(db: DatabaseSync, owner: string): string[] {
  const now = Date.now();
  run(db, 'UPDATE claims SET lease_until = ? WHERE owner = ? AND lease_until > ?', now + LEASE_MS, owner, now);
  const held = rows<{ task_id: string }>(
    db,
    'SELECT task_id FROM claims WHERE owner = ? AND lease_until > ?',
    owner,
    now,
  );
  return held.map(({ task_id }) => task_id);
}

interface DueRow {
  id: string;
  conversation_id: string;
  seq: number;
  user_id: string;
  assistant: string;
  fields: string;
  attempt: number;
}

function due(db: DatabaseSync, limit: number): DueTask[] {
  const sql = `
    SELECT id, conversation_id, seq, user_id, assistant, fields,
      (SELECT coalesce(max(attempt), 0) FROM claims c WHERE c.conversation_id = t.conversation_id AND c.task_id = t.id) AS attempt
    FROM tasks t
    WHERE ended_at IS NULL AND assistant <> 'external'
      AND NOT EXISTS (SELECT 1 FROM tasks e WHERE e.conversation_id = t.conversation_id AND e.seq < t.seq AND e.ended_at IS NULL)
      AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.conversation_id = t.conversation_id AND c.task_id = t.id AND c.lease_until > ?)
    ORDER BY created_at LIMIT ?`;
  return rows<DueRow>(db, sql, Date.now(), limit).map((found) => ({
    task: toStartedTask(found),
    conversation_id: found.conversation_id,
    seq: found.seq,
    attempt: found.attempt + 1,
  }));
}

/** The last attempt at a task and the pieces of its text, joined. */
export function progress(db: DatabaseSync, taskId: string): RunningAnswer {
  const attempt =
    row<{ attempt: number | null }>(
      db,
      'SELECT max(claims.attempt) AS attempt FROM claims JOIN tasks ON id = task_id WHERE task_id = ? AND claims.conversation_id = tasks.conversation_id',
      taskId,
    )?.attempt ?? 0;
  const pieces = rows<{ text: string }>(
    db,
    'SELECT text FROM checkpoints WHERE task_id = ? AND attempt = ? ORDER BY start',
    taskId,
    attempt,
  );
  return { task_id: taskId, attempt, text: pieces.map(({ text }) => text).join('') };
}

/** The answers of a conversation that are due or being written. */
export function running(db: DatabaseSync, conversationId: string): RunningAnswer[] {
  const sql = 'SELECT id FROM tasks WHERE conversation_id = ? AND ended_at IS NULL ORDER BY seq';
  return rows<{ id: string }>(db, sql, conversationId).map(({ id }) => progress(db, id));
}

function checkpoint(db: DatabaseSync, taskId: string, attempt: number, index: number, text: string): void {
  const sql = `INSERT INTO checkpoints (task_id, attempt, start, text)
    SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM tasks WHERE id = ? AND ended_at IS NULL) ON CONFLICT DO NOTHING`;
  run(db, sql, taskId, attempt, index, text, taskId);
}

/** The messages of a task: the question, then its answers. */
export function exchange(db: DatabaseSync, taskId: string): Message[] {
  const sql = `SELECT m.* FROM tasks t JOIN messages m ON m.conversation_id = t.conversation_id AND m.seq >= t.seq
    AND m.seq <= coalesce(t.ended_seq, 9e15) AND m.task_id = t.id WHERE t.id = ? ORDER BY m.seq`;
  return rows<MessageRow>(db, sql, taskId).map(toMessage);
}

function context(db: DatabaseSync, conversationId: string, seq: number, limit: number) {
  const sql = 'SELECT * FROM messages WHERE conversation_id = ? AND seq <= ? ORDER BY seq DESC LIMIT ?';
  const messages = rows<MessageRow>(db, sql, conversationId, seq, limit).map(toMessage).toReversed();
  const title = row<{ title: string }>(db, 'SELECT title FROM conversations WHERE id = ?', conversationId)?.title ?? '';
  return { title, messages };
}

function openTaskIds(db: DatabaseSync, userId: string): string[] {
  const sql = `SELECT id FROM tasks WHERE ended_at IS NULL AND user_id = ? AND assistant <> 'external'`;
  return rows<{ id: string }>(db, sql, userId).map(({ id }) => id);
}

/** Reads of tasks, by name, for the reading thread. */
export const taskReads = { due, progress, running, exchange, context, openTaskIds };

/** Writes of tasks, by name, for the writing thread. */
export const taskWrites = {
  claim,
  renew,
  checkpoint,
  release: (db: DatabaseSync, given: Claim) =>
    run(
      db,
      'UPDATE claims SET lease_until = 0 WHERE task_id = ? AND attempt = ? AND owner = ?',
      given.task_id,
      given.attempt,
      given.owner,
    ),
  releaseOthers: (db: DatabaseSync, owner: string) =>
    run(db, 'UPDATE claims SET lease_until = 0 WHERE owner <> ?', owner),
};
