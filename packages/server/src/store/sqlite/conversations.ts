import type { DatabaseSync } from 'node:sqlite';
import type { Conversation, EventPage, Member, Message } from '@tertulia/protocol';
import type { ListQuery } from '../store.ts';
import { row, rows } from './database.ts';
import { lastSeq, members, readEvents, toEvent } from './log.ts';
import { running } from './tasks.ts';

/** A row of `messages`. */
export interface MessageRow {
  conversation_id: string;
  seq: number;
  id: string;
  task_id: string | null;
  role: Message['role'];
  content: string;
  metadata: string;
  timestamp: number;
  author: string;
}

/** The stored row as the wire has it. */
export function toMessage(stored: MessageRow): Message {
  return { ...stored, metadata: JSON.parse(stored.metadata), author: JSON.parse(stored.author) };
}

interface ConversationRow {
  id: string;
  seq: number;
  owner_id: string;
  title: string;
  description: string | null;
  metadata: string;
  is_active: number;
  created_at: string;
  updated_at: string;
}

/** How many of its newest tasks a conversation lists; `tasks?conversation_id=` has them all. */
const LISTED_TASKS = 100;

function toConversation(db: DatabaseSync, stored: ConversationRow): Conversation {
  const newest = rows<{ id: string }>(
    db,
    `SELECT id FROM tasks WHERE conversation_id = ? ORDER BY seq DESC LIMIT ${LISTED_TASKS}`,
    stored.id,
  );
  return {
    id: stored.id,
    user_id: stored.owner_id,
    title: stored.title,
    description: stored.description,
    metadata: JSON.parse(stored.metadata),
    is_active: stored.is_active === 1,
    task_ids: newest.map(({ id }) => id).toReversed(),
    last_seq: stored.seq,
    created_at: stored.created_at,
    updated_at: stored.updated_at,
  };
}

const OWN = 'FROM members m JOIN conversations c ON c.id = m.conversation_id WHERE m.user_id = ?';

function getConversation(db: DatabaseSync, userId: string, conversationId: string): Conversation | null {
  const found = row<ConversationRow>(db, `SELECT c.* ${OWN} AND m.conversation_id = ?`, userId, conversationId);
  return found ? toConversation(db, found) : null;
}

function listConversations(db: DatabaseSync, userId: string, query: ListQuery) {
  const order = `ORDER BY c.${query.sort_by} ${query.sort_order === 1 ? 'ASC' : 'DESC'}, c.id`;
  const found = rows<ConversationRow>(
    db,
    `SELECT c.* ${OWN} ${order} LIMIT ? OFFSET ?`,
    userId,
    query.limit,
    query.skip,
  );
  const total =
    row<{ count: number }>(db, 'SELECT count(*) AS count FROM members WHERE user_id = ?', userId)?.count ?? 0;
  return { conversations: found.map((stored) => toConversation(db, stored)), total };
}

/** Whether a user is a member: the filter of every read below. */
export function isMember(db: DatabaseSync, userId: string, conversationId: string): boolean {
  return (
    row(db, 'SELECT 1 FROM members WHERE conversation_id = ? AND user_id = ?', conversationId, userId) !== undefined
  );
}

function pageOfEvents(
  db: DatabaseSync,
  userId: string,
  conversationId: string,
  afterSeq: number,
  limit: number,
  bytes: number,
): EventPage | null {
  if (!isMember(db, userId, conversationId)) return null;
  const last = lastSeq(db, conversationId);
  const answers = running(db, conversationId);
  if (afterSeq > last) return { events: [], last_seq: last, complete: true, reset: true, running: answers };
  const events = [];
  let size = 0;
  for (const stored of readEvents(db, conversationId, afterSeq, limit)) {
    size += Buffer.byteLength(stored.data) + 300;
    if (events.length > 0 && size > bytes) break;
    events.push(toEvent(stored));
  }
  const reached = events.at(-1)?.seq ?? afterSeq;
  return { events, last_seq: last, complete: reached >= last, running: answers };
}

function pageOfMessages(
  db: DatabaseSync,
  userId: string,
  conversationId: string,
  beforeSeq: number,
  limit: number,
): Message[] | null {
  if (!isMember(db, userId, conversationId)) return null;
  const sql = 'SELECT * FROM messages WHERE conversation_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?';
  return rows<MessageRow>(db, sql, conversationId, beforeSeq, limit).map(toMessage).toReversed();
}

/** Reads that members may do, by name, for the reading thread. */
export const conversationReads = {
  getConversation,
  listConversations,
  pageOfEvents,
  pageOfMessages,
  lastSeqFor: (db: DatabaseSync, userId: string, conversationId: string): number | null =>
    isMember(db, userId, conversationId) ? lastSeq(db, conversationId) : null,
  membersFor: (db: DatabaseSync, userId: string, conversationId: string): Member[] | null =>
    isMember(db, userId, conversationId) ? members(db, conversationId) : null,
};
