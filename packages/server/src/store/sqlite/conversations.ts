import type { DatabaseSync } from 'node:sqlite';
import type { Conversation, EventPage, Member, Message } from '@tertulia/protocol';
import { MESSAGE_PAGE_TEXT } from '../paging.ts';
import type { ListQuery, LogHead } from '../store.ts';
import { row, rows } from './database.ts';
import { EVENT_COLUMNS, toEvent, toMessage, type EventRow } from './event-rows.ts';
import { eventRows, members } from './log.ts';
import { running } from './tasks.ts';

interface ConversationRow {
  number: number;
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
/** What an event's JSON has besides its data and its message's text and metadata, about. */
const ENVELOPE_BYTES = 500;

function toConversation(db: DatabaseSync, stored: ConversationRow): Conversation {
  const newest = `SELECT id FROM tasks WHERE conversation = ? ORDER BY number DESC LIMIT ${LISTED_TASKS}`;
  const tasks = rows<{ id: string }>(db, newest, stored.number);
  return {
    id: stored.id,
    user_id: stored.owner_id,
    title: stored.title,
    description: stored.description,
    metadata: JSON.parse(stored.metadata),
    is_active: stored.is_active === 1,
    task_ids: tasks.map(({ id }) => id).toReversed(),
    last_seq: stored.seq,
    created_at: stored.created_at,
    updated_at: stored.updated_at,
  };
}

const OWN = `FROM members m JOIN conversations c ON c.number = m.conversation JOIN activity a ON a.conversation = c.number
  WHERE m.user_id = ?`;

function getConversation(db: DatabaseSync, userId: string, conversationId: string): Conversation | null {
  const found = row<ConversationRow>(db, `SELECT c.*, a.seq, a.updated_at ${OWN} AND c.id = ?`, userId, conversationId);
  return found ? toConversation(db, found) : null;
}

function listConversations(db: DatabaseSync, userId: string, query: ListQuery) {
  const order = `ORDER BY ${query.sort_by} ${query.sort_order === 1 ? 'ASC' : 'DESC'}, c.id`;
  const page = `SELECT c.*, a.seq, a.updated_at ${OWN} ${order} LIMIT ? OFFSET ?`;
  const found = rows<ConversationRow>(db, page, userId, query.limit, query.skip);
  const count = 'SELECT count(*) AS count FROM members WHERE user_id = ?';
  const total = row<{ count: number }>(db, count, userId)?.count ?? 0;
  return { conversations: found.map((stored) => toConversation(db, stored)), total };
}

/** A conversation as far as a member may see it: the filter of every read below. */
function ownConversation(db: DatabaseSync, userId: string, conversationId: string) {
  return row<{ number: number; seq: number }>(db, `SELECT c.number, a.seq ${OWN} AND c.id = ?`, userId, conversationId);
}

function pageOfEvents(
  db: DatabaseSync,
  userId: string,
  conversationId: string,
  afterSeq: number,
  limit: number,
  bytes: number,
): EventPage | null {
  const own = ownConversation(db, userId, conversationId);
  if (!own) return null;
  const answers = running(db, own.number);
  if (afterSeq > own.seq) return { events: [], last_seq: own.seq, complete: true, reset: true, running: answers };
  const events = [];
  let size = 0;
  for (const stored of eventRows(db, own.number, afterSeq, limit)) {
    size += sizeOf(stored);
    if (events.length > 0 && size > bytes) break;
    events.push(toEvent(stored, conversationId));
  }
  const reached = events.at(-1)?.seq ?? afterSeq;
  return { events, last_seq: own.seq, complete: reached >= own.seq, running: answers };
}

function head(db: DatabaseSync, userId: string, conversationId: string): LogHead | null {
  const own = ownConversation(db, userId, conversationId);
  if (!own) return null;
  const open = row(db, 'SELECT 1 FROM tasks WHERE conversation = ? AND ended_at IS NULL LIMIT 1', own.number);
  return { last_seq: own.seq, is_answering: open !== undefined };
}

function sizeOf(stored: EventRow): number {
  const text = Buffer.byteLength(stored.content ?? '') + Buffer.byteLength(stored.metadata ?? '');
  return ENVELOPE_BYTES + Buffer.byteLength(stored.data) + text;
}

function pageOfMessages(
  db: DatabaseSync,
  userId: string,
  conversationId: string,
  beforeSeq: number,
  limit: number,
): Message[] | null {
  const own = ownConversation(db, userId, conversationId);
  if (!own) return null;
  const newest = `SELECT ${EVENT_COLUMNS} FROM events
    WHERE conversation = ? AND seq < ? AND content IS NOT NULL ORDER BY seq DESC LIMIT ?`;
  const measured = `SELECT *, sum(length(content)) OVER (ORDER BY seq DESC) - length(content) AS newer FROM (${newest})`;
  const sql = `SELECT ${EVENT_COLUMNS} FROM (${measured}) WHERE newer < ${MESSAGE_PAGE_TEXT} ORDER BY seq DESC`;
  const found = rows<EventRow>(db, sql, own.number, beforeSeq, limit);
  return found.map((stored) => toMessage(stored, conversationId)).toReversed();
}

function membersFor(db: DatabaseSync, userId: string, conversationId: string): Member[] | null {
  const own = ownConversation(db, userId, conversationId);
  return own ? members(db, own.number) : null;
}

/** Reads that members may do, by name, for the reading thread. */
export const conversationReads = {
  getConversation,
  listConversations,
  pageOfEvents,
  pageOfMessages,
  membersFor,
  head,
};
