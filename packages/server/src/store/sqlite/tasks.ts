import type { DatabaseSync } from 'node:sqlite';
import type { Message, RunningAnswer } from '@tertulia/protocol';
import { LEASE_MS, type Claim, type DueTask, type OpenTask } from '../store.ts';
import { row, rows, run } from './database.ts';
import { EVENT_COLUMNS, toMessage, type EventRow } from './event-rows.ts';
import { insertClaim, toStartedTask, type StartedTaskRow } from './task-rows.ts';

/** No insert while an earlier attempt's lease stands, or after the task's end. */
function claim(db: DatabaseSync, wanted: Claim): boolean {
  const open = row<{ number: number }>(
    db,
    'SELECT number FROM tasks WHERE id = ? AND ended_at IS NULL',
    wanted.task_id,
  );
  if (!open) return false;
  const last = row<{ attempt: number; lease_until: number }>(
    db,
    'SELECT attempt, lease_until FROM claims WHERE task = ? ORDER BY attempt DESC LIMIT 1',
    open.number,
  );
  if (wanted.attempt !== (last?.attempt ?? 0) + 1 || (last && last.lease_until > Date.now())) return false;
  return insertClaim(db, open.number, wanted);
}

function renew(db: DatabaseSync, owner: string, taskIds: readonly string[]): string[] {
  const now = Date.now();
  const sql = `UPDATE claims SET lease_until = ?
    WHERE task = (SELECT number FROM tasks WHERE id = ?) AND owner = ?
      AND lease_until > 0 AND attempt = (SELECT max(attempt) FROM claims o WHERE o.task = claims.task)`;
  return taskIds.filter((id) => run(db, sql, now + LEASE_MS, id, owner) > 0);
}

/** What an exchange is cut at. */
const EXCHANGE_MESSAGES = 100;

interface DueRow extends StartedTaskRow {
  conversation_id: string;
  seq: number;
  attempt: number;
}

/** Only the first open task of a conversation can be due: one pass over the index of open tasks finds them. */
function due(db: DatabaseSync, limit: number): DueTask[] {
  const sql = `
    SELECT t.id, t.user_id, t.assistant, t.fields, c.id AS conversation_id, e.seq,
      (SELECT coalesce(max(attempt), 0) FROM claims WHERE task = t.number) AS attempt
    FROM (
      SELECT number FROM (SELECT min(number) AS number FROM tasks WHERE ended_at IS NULL GROUP BY conversation) f
      WHERE NOT EXISTS (SELECT 1 FROM claims WHERE task = f.number AND lease_until > ?)
        AND (SELECT assistant FROM tasks WHERE number = f.number) <> 'external'
      ORDER BY number LIMIT ?
    ) first
    JOIN tasks t ON t.number = first.number
    JOIN conversations c ON c.number = t.conversation JOIN events e ON e.position = t.number
    ORDER BY t.number`;
  return rows<DueRow>(db, sql, Date.now(), limit).map((found) => ({
    task: toStartedTask(found),
    conversation_id: found.conversation_id,
    seq: found.seq,
    attempt: found.attempt + 1,
  }));
}

interface ProgressRow {
  id: string;
  number: number;
  assistant: string;
}

/** The last attempt at a task and the pieces of its text, joined. */
function progressOf(db: DatabaseSync, { id, number, assistant }: ProgressRow): RunningAnswer {
  const sql = 'SELECT max(attempt) AS attempt FROM claims WHERE task = ?';
  const attempt = row<{ attempt: number | null }>(db, sql, number)?.attempt ?? 0;
  const pieces = rows<{ start: number; text: string }>(
    db,
    'SELECT start, text FROM checkpoints WHERE task = ? AND attempt = ? ORDER BY start',
    number,
    attempt,
  );
  let text = '';
  for (const piece of pieces) {
    if (piece.start !== text.length) break; // the one before it was not stored: what follows would read wrong
    text += piece.text;
  }
  return { task_id: id, assistant, attempt, text };
}

function progress(db: DatabaseSync, taskId: string): RunningAnswer | null {
  const found = row<ProgressRow>(db, 'SELECT id, number, assistant FROM tasks WHERE id = ?', taskId);
  return found ? progressOf(db, found) : null;
}

/** The first answers of a conversation that are due or being written. */
export function running(db: DatabaseSync, conversation: number): RunningAnswer[] {
  const sql =
    'SELECT id, number, assistant FROM tasks WHERE conversation = ? AND ended_at IS NULL ORDER BY number LIMIT 100';
  return rows<ProgressRow>(db, sql, conversation).map((found) => progressOf(db, found));
}

function checkpoint(db: DatabaseSync, taskId: string, attempt: number, index: number, text: string): void {
  const sql = `INSERT INTO checkpoints (task, attempt, start, text)
    SELECT number, ?, ?, ? FROM tasks WHERE id = ? AND ended_at IS NULL ON CONFLICT DO NOTHING`;
  run(db, sql, attempt, index, text, taskId);
}

/** The messages of a task, of which a worker outside may write any number: the question, then its first answers. */
export function exchange(db: DatabaseSync, taskId: string): Message[] {
  const task = row<{
    number: number;
    conversation: number;
    conversation_id: string;
    first: number;
    last: number | null;
  }>(
    db,
    `SELECT t.number, t.conversation, c.id AS conversation_id, e.seq AS first, t.ended_seq AS last
     FROM tasks t JOIN conversations c ON c.number = t.conversation JOIN events e ON e.position = t.number WHERE t.id = ?`,
    taskId,
  );
  if (!task) return [];
  const sql = `SELECT ${EVENT_COLUMNS} FROM events
    WHERE conversation = ? AND seq BETWEEN ? AND ? AND task_id = ? ORDER BY seq LIMIT ${EXCHANGE_MESSAGES}`;
  const found = rows<EventRow>(db, sql, task.conversation, task.first, task.last ?? Number.MAX_SAFE_INTEGER, taskId);
  return found.map((stored) => toMessage(stored, task.conversation_id));
}

function context(db: DatabaseSync, conversationId: string, seq: number, limit: number) {
  const found = row<{ number: number; title: string }>(
    db,
    'SELECT number, title FROM conversations WHERE id = ?',
    conversationId,
  );
  if (!found) return { title: '', messages: [] };
  const sql = `SELECT ${EVENT_COLUMNS} FROM events
    WHERE conversation = ? AND seq <= ? AND content IS NOT NULL ORDER BY seq DESC LIMIT ?`;
  const messages = rows<EventRow>(db, sql, found.number, seq, limit).map((stored) => toMessage(stored, conversationId));
  return { title: found.title, messages: messages.toReversed() };
}

function openTasks(db: DatabaseSync, userId: string): OpenTask[] {
  const sql = `SELECT t.id AS task_id, c.id AS conversation_id,
      EXISTS (SELECT 1 FROM claims WHERE task = t.number AND lease_until > ?) AS is_claimed
    FROM tasks t JOIN conversations c ON c.number = t.conversation
    WHERE ended_at IS NULL AND user_id = ? AND assistant <> 'external' ORDER BY t.number`;
  return rows<Omit<OpenTask, 'is_claimed'> & { is_claimed: number }>(db, sql, Date.now(), userId).map((found) => ({
    ...found,
    is_claimed: found.is_claimed === 1,
  }));
}

/** Reads of tasks, by name, for the reading thread. */
export const taskReads = { due, progress, exchange, context, openTasks };

/** Writes of tasks, by name, for the writing thread. */
export const taskWrites = {
  claim,
  renew,
  checkpoint,
  release(db: DatabaseSync, { task_id, attempt, owner }: Claim): void {
    const sql = `UPDATE claims SET lease_until = 0 WHERE task = (SELECT number FROM tasks WHERE id = ?)
      AND attempt = ? AND owner = ?`;
    run(db, sql, task_id, attempt, owner);
  },
  releaseOthers(db: DatabaseSync, owner: string): void {
    run(db, 'UPDATE claims SET lease_until = 0 WHERE owner <> ?', owner);
  },
};
