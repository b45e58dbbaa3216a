import type { DatabaseSync } from 'node:sqlite';
import type { Author, ConversationEvent, Message } from '@tertulia/protocol';
import { messageOf, type NewEvent } from '../store.ts';
import { prepare, row, run } from './database.ts';

/** A row of `events`. The message that an event carries is in the columns from `message_id` to `author`. */
export interface EventRow {
  position: number;
  seq: number;
  type: ConversationEvent['type'];
  actor: string;
  created_at: string;
  message_id: string | null;
  task_id: string | null;
  role: Message['role'] | null;
  content: string | null;
  metadata: string | null;
  timestamp: number | null;
  author: string | null;
  data: string;
}

/** The columns that `toEvent` and `toMessage` read. */
export const EVENT_COLUMNS =
  'position, seq, type, actor, created_at, message_id, task_id, role, content, metadata, timestamp, author, data';

/** The number of a conversation in this file, or undefined where there is none. */
export function numberOf(db: DatabaseSync, conversationId: string): number | undefined {
  return row<{ number: number }>(db, 'SELECT number FROM conversations WHERE id = ?', conversationId)?.number;
}

/** Inserts an event; answers its position, or null where a unique index refused it. */
export function insertEvent(
  db: DatabaseSync,
  conversation: number,
  given: NewEvent,
  endsTask: number | null,
): number | null {
  const { event, sender, client_msg_id } = given;
  const message = messageOf(event);
  const actor = JSON.stringify(event.actor);
  const author = message && JSON.stringify(message.author);
  const { changes, lastInsertRowid } = prepare(
    db,
    `INSERT INTO events (conversation, seq, type, actor, created_at, sender, client_msg_id, ends_task,
       message_id, task_id, role, content, metadata, timestamp, author, data)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  ).run(
    conversation,
    event.seq,
    event.type,
    actor,
    event.created_at,
    sender,
    client_msg_id,
    endsTask,
    message?.id ?? null,
    message?.task_id ?? null,
    message?.role ?? null,
    message?.content ?? null,
    message ? JSON.stringify(message.metadata) : null,
    message?.timestamp ?? null,
    author === undefined || author === actor ? null : author,
    JSON.stringify(message ? { ...event.data, message: undefined } : event.data),
  );
  return changes === 1 ? Number(lastInsertRowid) : null;
}

/** The stored row as the wire has it. */
export function toEvent(stored: EventRow, conversationId: string): ConversationEvent {
  const { seq, type, created_at } = stored;
  const actor = JSON.parse(stored.actor) as Author;
  const rest = JSON.parse(stored.data) as object;
  const data = stored.message_id === null ? rest : { ...rest, message: toMessage(stored, conversationId) };
  return { conversation_id: conversationId, seq, type, actor, created_at, data } as ConversationEvent;
}

/** The message that a row carries, as it stands: a deleted one has no text any more. */
export function toMessage(stored: EventRow, conversationId: string): Message {
  return {
    id: stored.message_id ?? '',
    role: stored.role ?? 'system',
    content: stored.content ?? '',
    metadata: JSON.parse(stored.metadata ?? '{}'),
    timestamp: stored.timestamp ?? 0,
    conversation_id: conversationId,
    task_id: stored.task_id,
    author: JSON.parse(stored.author ?? stored.actor),
    seq: stored.seq,
  };
}

/** Notes that an event ends the task which it starts itself. */
export function markOwnEnd(db: DatabaseSync, position: number): void {
  run(db, 'UPDATE events SET ends_task = position WHERE position = ?', position);
}
