import type { DatabaseSync } from 'node:sqlite';
import type { ConversationEvent, EndedTask, Member, StartedTask } from '@tertulia/protocol';
import { DELETED_TITLE, endOf, startOf } from '../store.ts';
import { row, run } from './database.ts';
import { taskNumber } from './task-rows.ts';

type EventOf<T extends ConversationEvent['type']> = Extract<ConversationEvent, { type: T }>;

/** The numbers behind an event: its conversation's, its own, and that of the task which it ends. */
interface Place {
  readonly conversation: number;
  readonly position: number;
  readonly ended: number | null;
}

/** Derives the views from one event, in the transaction that appends it. */
export function applyEvent(db: DatabaseSync, event: ConversationEvent, { conversation, position, ended }: Place): void {
  applyOwn(db, event, conversation);
  const start = startOf(event);
  if (start) startTask(db, event, start, conversation, position);
  const end = endOf(event);
  if (end && ended !== null) endTask(db, event, end, ended);
  const sql = 'UPDATE activity SET seq = ?, updated_at = ? WHERE conversation = ?';
  run(db, sql, event.seq, event.created_at, conversation);
}

function applyOwn(db: DatabaseSync, event: ConversationEvent, conversation: number): void {
  switch (event.type) {
    case 'conversation_created':
      insertMember(db, conversation, event.data.owner);
      break;
    case 'conversation_updated':
      updateConversation(db, event, conversation);
      break;
    case 'task_updated':
      updateTask(db, event);
      break;
    case 'task_deleted':
      deleteTask(db, event, conversation);
      break;
    case 'member_joined':
      insertMember(db, conversation, event.data.member);
      break;
    case 'member_left':
      run(db, 'DELETE FROM members WHERE conversation = ? AND user_id = ?', conversation, event.data.user_id);
      break;
    case 'conversation_deleted':
      deleteConversation(db, event, conversation);
      break;
    case 'message_created':
    case 'task_ended':
      break;
  }
}

/** The row behind a new conversation, made before its first event; answers its number, or null where the id is taken. */
export function insertConversation(db: DatabaseSync, event: EventOf<'conversation_created'>): number | null {
  const { owner, title, description, metadata, is_active } = event.data;
  const inserted = row<{ number: number }>(
    db,
    `INSERT INTO conversations (id, owner_id, title, description, metadata, is_active, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING number`,
    event.conversation_id,
    owner.user_id,
    title,
    description,
    JSON.stringify(metadata),
    is_active ? 1 : 0,
    event.created_at,
  );
  if (!inserted) return null;
  run(db, 'INSERT INTO activity (conversation, seq, updated_at) VALUES (?, 0, ?)', inserted.number, event.created_at);
  return inserted.number;
}

/** The row behind a conversation of which nothing is known but that it was deleted, made before that event. */
export function insertTombstone(db: DatabaseSync, event: EventOf<'conversation_deleted'>): void {
  const { number } = row<{ number: number }>(
    db,
    `INSERT INTO conversations (id, owner_id, title, metadata, is_active, created_at)
     VALUES (?, ?, '', '{}', 1, ?) RETURNING number`,
    event.conversation_id,
    event.actor.id,
    event.created_at,
  )!;
  const sql = 'INSERT INTO activity (conversation, seq, updated_at) VALUES (?, ?, ?)';
  run(db, sql, number, event.seq - 1, event.created_at);
}

function insertMember(db: DatabaseSync, conversation: number, member: Member): void {
  const sql = 'INSERT INTO members (conversation, user_id, role, joined_at) VALUES (?, ?, ?, ?)';
  run(db, sql, conversation, member.user_id, member.role, member.joined_at);
}

function startTask(
  db: DatabaseSync,
  event: ConversationEvent,
  task: StartedTask,
  conversation: number,
  position: number,
): void {
  const { id, user_id, assistant, ...fields } = task;
  run(
    db,
    `INSERT INTO tasks (number, id, conversation, user_id, assistant, fields, status, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
    position,
    id,
    conversation,
    user_id,
    assistant,
    JSON.stringify(fields),
    event.created_at,
    event.created_at,
  );
}

function endTask(db: DatabaseSync, event: ConversationEvent, end: EndedTask, number: number): void {
  run(
    db,
    'UPDATE tasks SET status = ?, attempt = ?, error = ?, updated_at = ?, ended_at = ?, ended_seq = ? WHERE number = ?',
    end.status,
    end.attempt,
    end.error && JSON.stringify(end.error),
    event.created_at,
    event.created_at,
    event.seq,
    number,
  );
  run(db, 'DELETE FROM claims WHERE task = ?', number);
  run(db, 'DELETE FROM checkpoints WHERE task = ?', number);
}

function updateConversation(db: DatabaseSync, event: EventOf<'conversation_updated'>, conversation: number): void {
  const { title, description, metadata, is_active } = event.data;
  run(
    db,
    `UPDATE conversations SET title = coalesce(?, title), description = iif(?, ?, description),
     metadata = coalesce(?, metadata), is_active = coalesce(?, is_active) WHERE number = ?`,
    title ?? null,
    description === undefined ? 0 : 1,
    description ?? null,
    metadata ? JSON.stringify(metadata) : null,
    is_active === undefined ? null : Number(is_active),
    conversation,
  );
}

function updateTask(db: DatabaseSync, event: EventOf<'task_updated'>): void {
  const { task_id, fields: given } = event.data;
  const { status, ...changes } = given;
  const stored = row<{ fields: string; status: string }>(
    db,
    'SELECT fields, status FROM tasks WHERE id = ? AND ended_at IS NULL',
    task_id,
  );
  if (!stored) return;
  const fields = JSON.stringify({ ...JSON.parse(stored.fields), ...changes });
  const sql = 'UPDATE tasks SET fields = ?, status = ?, updated_at = ? WHERE id = ?';
  run(db, sql, fields, status ?? stored.status, event.created_at, task_id);
}

/** What its author wrote into a task, for `json_set`. */
const BLANK_TASK = `'$.task.title', NULL, '$.task.description', NULL, '$.task.category', NULL,
  '$.task.tags', json('[]'), '$.task.metadata', json('{}')`;

/** The task goes from the views, and the text of its messages from the log: deletion is the one rewriting there is. */
function deleteTask(db: DatabaseSync, event: EventOf<'task_deleted'>, conversation: number): void {
  const { task_id } = event.data;
  const number = taskNumber(db, task_id);
  if (number === null) return;
  run(
    db,
    "UPDATE events SET content = NULL, metadata = '{}' WHERE conversation = ? AND task_id = ? AND position >= ?",
    conversation,
    task_id,
    number,
  );
  run(db, `UPDATE events SET data = json_set(data, ${BLANK_TASK}) WHERE position = ?`, number);
  const untitle =
    "UPDATE events SET data = json_set(data, '$.title', ?) WHERE position = ? AND type = 'conversation_created'";
  run(db, untitle, DELETED_TITLE, number); // it was made from the message
  run(db, "UPDATE events SET data = json_remove(data, '$.task.partial_text') WHERE ends_task = ?", number);
  run(
    db,
    `UPDATE events SET data = json_set(data, '$.fields', json('{}'))
     WHERE conversation = ? AND position > ? AND type = 'task_updated' AND data ->> '$.task_id' = ?`,
    conversation,
    number,
    task_id,
  );
  run(db, 'DELETE FROM tasks WHERE number = ?', number);
  run(db, 'DELETE FROM claims WHERE task = ?', number);
  run(db, 'DELETE FROM checkpoints WHERE task = ?', number);
}

/** Nobody reaches it from now on; its rows are swept later, in small steps. */
function deleteConversation(db: DatabaseSync, event: ConversationEvent, conversation: number): void {
  const blank =
    "UPDATE conversations SET is_deleted = 1, title = '', description = NULL, metadata = '{}' WHERE number = ?";
  run(db, blank, conversation);
  run(db, 'DELETE FROM members WHERE conversation = ?', conversation);
  const open = 'SELECT number FROM tasks WHERE conversation = ? AND ended_at IS NULL';
  run(db, `DELETE FROM claims WHERE task IN (${open})`, conversation);
  run(db, `DELETE FROM checkpoints WHERE task IN (${open})`, conversation);
  const cancel = "UPDATE tasks SET status = 'cancelled', ended_at = ? WHERE conversation = ? AND ended_at IS NULL";
  run(db, cancel, event.created_at, conversation);
}
