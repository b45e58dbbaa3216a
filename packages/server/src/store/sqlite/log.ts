import type { DatabaseSync } from 'node:sqlite';
import type { ConversationEvent, Member, StartedTask } from '@tertulia/protocol';
import type { AppendResult, ConversationView, NewEvent } from '../store.ts';
import { applyEvent } from './apply-event.ts';
import { row, rows, run } from './database.ts';
import { insertClaim } from './tasks.ts';

interface EventRow {
  conversation_id: string;
  seq: number;
  type: string;
  actor: string;
  created_at: string;
  data: string;
}

const EVENT = 'conversation_id, seq, type, actor, created_at, data';

/** The stored row as the wire has it. */
export function toEvent(stored: EventRow): ConversationEvent {
  return { ...stored, actor: JSON.parse(stored.actor), data: JSON.parse(stored.data) } as ConversationEvent;
}

function insertEvent(db: DatabaseSync, { event, sender, client_msg_id, ends_task }: NewEvent): boolean {
  const inserted = run(
    db,
    `INSERT INTO events (conversation_id, seq, type, actor, created_at, sender, client_msg_id, ends_task, data)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    event.conversation_id,
    event.seq,
    event.type,
    JSON.stringify(event.actor),
    event.created_at,
    sender,
    client_msg_id,
    ends_task,
    JSON.stringify(event.data),
  );
  return inserted === 1;
}

/** The insert decides; where a unique index refuses it, looking tells which one. */
function append(db: DatabaseSync, given: NewEvent): AppendResult {
  if (!insertEvent(db, given)) return refusal(db, given);
  applyEvent(db, given.event);
  if (given.claim) insertClaim(db, given.event.conversation_id, given.claim);
  return { status: 'appended' };
}

function refusal(db: DatabaseSync, { event, sender, client_msg_id, ends_task }: NewEvent): AppendResult {
  const find = `SELECT ${EVENT} FROM events WHERE conversation_id = ?`;
  const first = client_msg_id
    ? row<EventRow>(db, `${find} AND sender = ? AND client_msg_id = ?`, event.conversation_id, sender, client_msg_id)
    : undefined;
  if (first) return { status: 'repeated', first: toEvent(first) };
  const end = ends_task ? row<EventRow>(db, `${find} AND ends_task = ?`, event.conversation_id, ends_task) : undefined;
  return end ? { status: 'task_ended', end: toEvent(end) } : { status: 'seq_taken' };
}

interface ViewRow {
  id: string;
  seq: number;
  title: string;
  is_active: number;
  is_deleted: number;
}

function view(db: DatabaseSync, conversationId: string): ConversationView | null {
  const found = row<ViewRow>(
    db,
    'SELECT id, seq, title, is_active, is_deleted FROM conversations WHERE id = ?',
    conversationId,
  );
  if (!found) return null;
  return {
    ...found,
    is_active: found.is_active === 1,
    is_deleted: found.is_deleted === 1,
    members: new Map(members(db, conversationId).map((member) => [member.user_id, member])),
    open_tasks: new Map(openTasks(db, conversationId).map((task) => [task.id, task])),
  };
}

/** The members of a conversation with their present names. */
export function members(db: DatabaseSync, conversationId: string): Member[] {
  return rows<Member>(
    db,
    `SELECT user_id, coalesce(username, '') AS username, role, m.joined_at FROM members m LEFT JOIN users ON users.id = user_id
     WHERE conversation_id = ? ORDER BY m.joined_at, user_id`,
    conversationId,
  );
}

/** The task as the event that started it carried it, with what was changed since. */
export function toStartedTask(found: { id: string; user_id: string; assistant: string; fields: string }): StartedTask {
  return { id: found.id, user_id: found.user_id, assistant: found.assistant, ...JSON.parse(found.fields) };
}

function openTasks(db: DatabaseSync, conversationId: string): StartedTask[] {
  const sql = `SELECT id, user_id, assistant, fields FROM tasks WHERE conversation_id = ? AND ended_at IS NULL ORDER BY seq`;
  return rows<Parameters<typeof toStartedTask>[0]>(db, sql, conversationId).map(toStartedTask);
}

/** Events above a seq, in order. */
export function readEvents(db: DatabaseSync, conversationId: string, afterSeq: number, limit: number): EventRow[] {
  const sql = `SELECT ${EVENT} FROM events WHERE conversation_id = ? AND seq > ? ORDER BY seq LIMIT ?`;
  return rows<EventRow>(db, sql, conversationId, afterSeq, limit);
}

/** The last seq of a log, 0 where there is none. */
export function lastSeq(db: DatabaseSync, conversationId: string): number {
  const sql = 'SELECT seq FROM events WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1';
  return row<{ seq: number }>(db, sql, conversationId)?.seq ?? 0;
}

/** Removes what deleted conversations leave behind, at most `limit` rows a call; answers how many went. */
function sweepDeleted(db: DatabaseSync, limit: number): number {
  const deleted = 'SELECT id FROM conversations WHERE is_deleted = 1';
  const target = row<{ conversation_id: string }>(
    db,
    `SELECT conversation_id FROM events e JOIN conversations c ON c.id = e.conversation_id
     WHERE c.id IN (${deleted}) AND e.seq < c.seq LIMIT 1`,
  )?.conversation_id;
  if (target === undefined) return 0;
  run(db, 'DELETE FROM checkpoints WHERE task_id IN (SELECT id FROM tasks WHERE conversation_id = ?)', target);
  run(db, 'DELETE FROM tasks WHERE conversation_id = ?', target);
  const doomed = `SELECT seq FROM events WHERE conversation_id = ? AND seq < (SELECT seq FROM conversations WHERE id = ?) ORDER BY seq LIMIT ?`;
  run(db, `DELETE FROM messages WHERE conversation_id = ? AND seq IN (${doomed})`, target, target, target, limit);
  return run(db, `DELETE FROM events WHERE conversation_id = ? AND seq IN (${doomed})`, target, target, target, limit);
}

/** Reads of the log, by name, for the reading thread. */
export const logReads = {
  view,
  lastSeq,
  readLog: (db: DatabaseSync, conversationId: string, afterSeq: number, limit: number) =>
    readEvents(db, conversationId, afterSeq, limit).map(toEvent),
  epoch: (db: DatabaseSync) => row<{ value: string }>(db, "SELECT value FROM meta WHERE key = 'epoch'")?.value ?? '',
};

/** Writes of the log, by name, for the writing thread. */
export const logWrites = {
  append,
  sweepDeleted,
  /** The write behind readiness: it fails where nothing can be stored. */
  touch: (db: DatabaseSync, at: number) =>
    run(
      db,
      "INSERT INTO meta (key, value) VALUES ('touched', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      String(at),
    ),
};
