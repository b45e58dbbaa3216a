import type { DatabaseSync } from 'node:sqlite';
import type { ConversationEvent, EndedTask, LogEventData, Message, StartedTask } from '@tertulia/protocol';
import { endOf } from '../store.ts';
import { row, run } from './database.ts';

type EventOf<T extends ConversationEvent['type']> = Extract<ConversationEvent, { type: T }>;

/** Derives the views from one event, in the transaction that appends it. */
export function applyEvent(db: DatabaseSync, event: ConversationEvent): void {
  switch (event.type) {
    case 'conversation_created':
      createConversation(db, event);
      break;
    case 'conversation_updated':
      updateConversation(db, event);
      break;
    case 'message_created':
      insertMessage(db, event, event.data.message, event.data.task);
      break;
    case 'task_ended':
      break;
    case 'task_updated':
      updateTask(db, event);
      break;
    case 'task_deleted':
      deleteTask(db, event);
      break;
    case 'member_joined':
      insertMember(db, event.conversation_id, event.data.member);
      break;
    case 'member_left':
      run(
        db,
        'DELETE FROM members WHERE conversation_id = ? AND user_id = ?',
        event.conversation_id,
        event.data.user_id,
      );
      break;
    case 'conversation_deleted':
      deleteConversation(db, event.conversation_id);
      break;
  }
  const end = endOf(event);
  if (end) endTask(db, event, end);
  if (event.type !== 'conversation_created') {
    const sql = 'UPDATE conversations SET seq = ?, updated_at = ? WHERE id = ?';
    run(db, sql, event.seq, event.created_at, event.conversation_id);
  }
}

function createConversation(db: DatabaseSync, event: EventOf<'conversation_created'>): void {
  const { owner, message, task, title, description, metadata, is_active } = event.data;
  run(
    db,
    `INSERT INTO conversations (id, seq, owner_id, title, description, metadata, is_active, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    event.conversation_id,
    event.seq,
    owner.user_id,
    title,
    description,
    JSON.stringify(metadata),
    is_active ? 1 : 0,
    event.created_at,
    event.created_at,
  );
  insertMember(db, event.conversation_id, owner);
  if (message) insertMessage(db, event, message, task);
}

function insertMember(db: DatabaseSync, conversationId: string, member: LogEventData<'member_joined'>['member']): void {
  const sql = 'INSERT INTO members (conversation_id, user_id, role, joined_at) VALUES (?, ?, ?, ?)';
  run(db, sql, conversationId, member.user_id, member.role, member.joined_at);
}

function insertMessage(db: DatabaseSync, event: ConversationEvent, message: Message, task?: StartedTask): void {
  run(
    db,
    `INSERT INTO messages (conversation_id, seq, id, task_id, role, content, metadata, timestamp, author)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    event.conversation_id,
    event.seq,
    message.id,
    message.task_id,
    message.role,
    message.content,
    JSON.stringify(message.metadata),
    message.timestamp,
    JSON.stringify(message.author),
  );
  if (task) insertTask(db, event, task);
}

function insertTask(db: DatabaseSync, event: ConversationEvent, task: StartedTask): void {
  const { id, user_id, assistant, ...fields } = task;
  run(
    db,
    `INSERT INTO tasks (id, conversation_id, seq, user_id, assistant, fields, status, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
    id,
    event.conversation_id,
    event.seq,
    user_id,
    assistant,
    JSON.stringify(fields),
    event.created_at,
    event.created_at,
  );
}

function endTask(db: DatabaseSync, event: ConversationEvent, end: EndedTask): void {
  run(
    db,
    `UPDATE tasks SET status = ?, attempt = ?, error = ?, updated_at = ?, ended_at = ?, ended_seq = ?
     WHERE id = ? AND ended_at IS NULL`,
    end.status,
    end.attempt,
    end.error && JSON.stringify(end.error),
    event.created_at,
    event.created_at,
    event.seq,
    end.id,
  );
  run(db, 'DELETE FROM claims WHERE conversation_id = ? AND task_id = ?', event.conversation_id, end.id);
  run(db, 'DELETE FROM checkpoints WHERE task_id = ?', end.id);
}

function updateConversation(db: DatabaseSync, event: EventOf<'conversation_updated'>): void {
  const { title, description, metadata, is_active } = event.data;
  run(
    db,
    `UPDATE conversations SET title = coalesce(?, title), description = iif(?, ?, description),
     metadata = coalesce(?, metadata), is_active = coalesce(?, is_active) WHERE id = ?`,
    title ?? null,
    description === undefined ? 0 : 1,
    description ?? null,
    metadata ? JSON.stringify(metadata) : null,
    is_active === undefined ? null : Number(is_active),
    event.conversation_id,
  );
}

function updateTask(db: DatabaseSync, event: EventOf<'task_updated'>): void {
  const { task_id, fields: given } = event.data;
  const { status, ...changes } = given;
  const stored = row<{ fields: string; status: string }>(
    db,
    'SELECT fields, status FROM tasks WHERE id = ? AND conversation_id = ? AND ended_at IS NULL',
    task_id,
    event.conversation_id,
  );
  if (!stored) return;
  const fields = JSON.stringify({ ...JSON.parse(stored.fields), ...changes });
  const sql = 'UPDATE tasks SET fields = ?, status = ?, updated_at = ? WHERE id = ?';
  run(db, sql, fields, status ?? stored.status, event.created_at, task_id);
}

/** The task and its messages go from the views, and their text from the log: deletion is the one rewriting there is. */
function deleteTask(db: DatabaseSync, event: EventOf<'task_deleted'>): void {
  const { task_id } = event.data;
  const blank = `json_set(data, '$.message.content', '', '$.message.metadata', json('{}'))`;
  const its = `conversation_id = ? AND seq IN (SELECT seq FROM messages WHERE conversation_id = ? AND task_id = ?)`;
  run(db, `UPDATE events SET data = ${blank} WHERE ${its}`, event.conversation_id, event.conversation_id, task_id);
  run(db, 'DELETE FROM messages WHERE conversation_id = ? AND task_id = ?', event.conversation_id, task_id);
  run(db, 'DELETE FROM tasks WHERE id = ? AND conversation_id = ?', task_id, event.conversation_id);
}

/** Nobody reaches it from now on; its rows are swept later, in small steps. */
function deleteConversation(db: DatabaseSync, conversationId: string): void {
  run(
    db,
    `UPDATE conversations SET is_deleted = 1, title = '', description = NULL, metadata = '{}' WHERE id = ?`,
    conversationId,
  );
  run(db, 'DELETE FROM members WHERE conversation_id = ?', conversationId);
  run(db, 'DELETE FROM claims WHERE conversation_id = ?', conversationId);
  run(
    db,
    `UPDATE tasks SET status = 'cancelled', ended_at = updated_at WHERE conversation_id = ? AND ended_at IS NULL`,
    conversationId,
  );
}
