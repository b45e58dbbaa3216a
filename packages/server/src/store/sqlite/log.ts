import type { DatabaseSync } from 'node:sqlite';
import type { ConversationEvent, Member } from '@tertulia/protocol';
import {
  messageOf,
  startOf,
  type AppendResult,
  type ConversationView,
  type NewEvent,
  type TaskOutline,
} from '../store.ts';
import { applyEvent, insertConversation } from './apply-event.ts';
import { row, rows, run } from './database.ts';
import { EVENT_COLUMNS, insertEvent, markOwnEnd, numberOf, toEvent, type EventRow } from './event-rows.ts';
import { insertClaim, taskNumber } from './task-rows.ts';

/** The insert decides; where a unique index refuses it, looking tells which one. */
function append(db: DatabaseSync, given: NewEvent): AppendResult {
  const { event, claim, ends_task } = given;
  const sql = 'SELECT number, is_deleted FROM conversations WHERE id = ?';
  const known = row<{ number: number; is_deleted: number }>(db, sql, event.conversation_id);
  // Of a deleted conversation the sweeper takes all seqs but the last: there no index would refuse an older view's event.
  if (known?.is_deleted) return refusal(db, known.number, given, null);
  const conversation = known?.number ?? (event.type === 'conversation_created' ? insertConversation(db, event) : null);
  if (conversation === null) return { status: 'seq_taken' }; // expected a log that is not there: decide again
  const endsOwn = ends_task !== null && startOf(event)?.id === ends_task;
  const about = startOf(event) ? null : (ends_task ?? taskOf(event));
  const task = about === null ? null : taskNumber(db, about);
  if (about !== null && task === null) return { status: 'task_missing' };
  const ended = ends_task === null || endsOwn ? null : task;
  const position = insertEvent(db, conversation, given, ended);
  if (position === null) return refusal(db, conversation, given, ended);
  applyEvent(db, event, { conversation, position, ended: endsOwn ? position : ended });
  if (endsOwn) markOwnEnd(db, position);
  if (claim) insertClaim(db, position, claim);
  return { status: 'appended' };
}

/** The task that an event is about without ending it. */
function taskOf(event: ConversationEvent): string | null {
  return event.type === 'task_deleted' ? event.data.task_id : (messageOf(event)?.task_id ?? null);
}

function refusal(db: DatabaseSync, conversation: number, given: NewEvent, ended: number | null): AppendResult {
  const { event, sender, client_msg_id } = given;
  const first = client_msg_id === null ? undefined : findByClientId(db, conversation, sender, client_msg_id);
  if (first) return { status: 'repeated', first: toEvent(first, event.conversation_id) };
  const end =
    ended === null ? undefined : row<EventRow>(db, `SELECT ${EVENT_COLUMNS} FROM events WHERE ends_task = ?`, ended);
  return end ? { status: 'task_ended', end: toEvent(end, event.conversation_id) } : { status: 'seq_taken' };
}

function findByClientId(db: DatabaseSync, conversation: number, sender: string | null, clientMsgId: string) {
  const sql = `SELECT ${EVENT_COLUMNS} FROM events WHERE conversation = ? AND sender = ? AND client_msg_id = ?`;
  return row<EventRow>(db, sql, conversation, sender, clientMsgId);
}

function findEvent(db: DatabaseSync, conversationId: string, sender: string, clientMsgId: string) {
  const conversation = numberOf(db, conversationId);
  const found = conversation === undefined ? undefined : findByClientId(db, conversation, sender, clientMsgId);
  return found ? toEvent(found, conversationId) : null;
}

interface ViewRow {
  number: number;
  id: string;
  seq: number;
  title: string;
  is_active: number;
  is_deleted: number;
}

/** A view on its way between threads: its maps as lists. */
export type ListedView = Omit<ConversationView, 'members' | 'open_tasks'> & {
  members: Member[];
  open_tasks: TaskOutline[];
};

function view(db: DatabaseSync, conversationId: string): ListedView | null {
  const found = row<ViewRow>(
    db,
    `SELECT number, id, seq, title, is_active, is_deleted FROM conversations JOIN activity ON conversation = number
     WHERE id = ?`,
    conversationId,
  );
  if (!found) return null;
  const { number, ...rest } = found;
  return {
    ...rest,
    is_active: found.is_active === 1,
    is_deleted: found.is_deleted === 1,
    members: members(db, number),
    open_tasks: openTasks(db, number),
  };
}

/** The members of a conversation with their present names. */
export function members(db: DatabaseSync, conversation: number): Member[] {
  return rows<Member>(
    db,
    `SELECT user_id, coalesce(username, '') AS username, role, m.joined_at
     FROM members m LEFT JOIN users ON users.id = user_id WHERE conversation = ? ORDER BY m.joined_at, user_id`,
    conversation,
  );
}

function openTasks(db: DatabaseSync, conversation: number): TaskOutline[] {
  const sql = `SELECT id, user_id, assistant FROM tasks
    WHERE conversation = ? AND ended_at IS NULL ORDER BY number`;
  return rows<TaskOutline>(db, sql, conversation);
}

/** Rows of events above a seq, in order. */
export function eventRows(db: DatabaseSync, conversation: number, afterSeq: number, limit: number): EventRow[] {
  const sql = `SELECT ${EVENT_COLUMNS} FROM events WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ?`;
  return rows<EventRow>(db, sql, conversation, afterSeq, limit);
}

function readLog(db: DatabaseSync, conversationId: string, afterSeq: number, limit: number): ConversationEvent[] {
  const conversation = numberOf(db, conversationId);
  if (conversation === undefined) return [];
  return eventRows(db, conversation, afterSeq, limit).map((stored) => toEvent(stored, conversationId));
}

/** The last seq of a log, 0 where there is none. */
function lastSeq(db: DatabaseSync, conversationId: string): number {
  const sql = 'SELECT seq FROM activity JOIN conversations ON number = conversation WHERE id = ?';
  return row<{ seq: number }>(db, sql, conversationId)?.seq ?? 0;
}

function lastSeqs(db: DatabaseSync, conversationIds: readonly string[]): [id: string, seq: number][] {
  return conversationIds.map((id): [string, number] => [id, lastSeq(db, id)]).filter(([, seq]) => seq > 0);
}

/** Removes what deleted conversations leave behind but their last event, at most `limit` rows; answers how many went. */
function sweepDeleted(db: DatabaseSync, limit: number): number {
  const target = row<{ conversation: number; last: number }>(
    db,
    `SELECT c.number AS conversation, a.seq AS last FROM conversations c JOIN activity a ON a.conversation = c.number
     WHERE c.is_deleted = 1 AND EXISTS (SELECT 1 FROM events e WHERE e.conversation = c.number AND e.seq < a.seq) LIMIT 1`,
  );
  if (!target) return 0;
  run(db, 'DELETE FROM tasks WHERE conversation = ?', target.conversation);
  const doomed = 'SELECT position FROM events WHERE conversation = ? AND seq < ? ORDER BY seq LIMIT ?';
  return run(db, `DELETE FROM events WHERE position IN (${doomed})`, target.conversation, target.last, limit);
}

/** Reads of the log, by name, for the reading thread. */
export const logReads = {
  view,
  lastSeq,
  lastSeqs,
  readLog,
  findEvent,
  epoch: (db: DatabaseSync) => row<{ value: string }>(db, "SELECT value FROM meta WHERE key = 'epoch'")?.value ?? '',
};

/** Writes of the log, by name, for the writing thread. */
export const logWrites = {
  append,
  sweepDeleted,
  /** The write behind readiness: it fails where nothing can be stored. */
  touch(db: DatabaseSync, at: number): void {
    const sql = `INSERT INTO meta (key, value) VALUES ('touched', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
    run(db, sql, String(at));
  },
};
