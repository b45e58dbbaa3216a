import { codePoints, type EventPage, type Message } from '@tertulia/protocol';
import { MongoError, ReadConcern } from 'mongodb';
import { MESSAGE_PAGE_TEXT } from '../paging.ts';
import { messageOf } from '../store.ts';
import type { Database, EventDocument } from './collections.ts';
import { standing } from './conversations.ts';
import { toEvent } from './event-documents.ts';
import { running } from './running.ts';
import { lastSeq } from './snapshots.ts';

/** Events that are fetched at once: they may be large, and a page ends with its bytes. */
const FETCHED_EVENTS = 32;

const NOT_A_REPLICA_SET = 123;

/** A page of the log above a seq, for a member. */
export async function pageOfEvents(
  db: Database,
  userId: string,
  conversationId: string,
  afterSeq: number,
  limit: number,
  bytes: number,
): Promise<EventPage | null> {
  const own = await standing(db, userId, conversationId);
  if (!own) return null;
  const [answers, events] = await Promise.all([
    running(db, own),
    eventsBetween(db, conversationId, { after: afterSeq, last: own.seq, limit, bytes }),
  ]);
  if (afterSeq > own.seq) {
    const isBeyond = afterSeq > (await lastSeqForSure(db, conversationId));
    return { events: [], last_seq: own.seq, complete: true, ...(isBeyond && { reset: true }), running: answers };
  }
  const reached = events.at(-1)?.seq ?? afterSeq;
  return { events, last_seq: own.seq, complete: reached >= own.seq, running: answers };
}

interface Page {
  readonly after: number;
  readonly last: number;
  readonly limit: number;
  readonly bytes: number;
}

async function eventsBetween(db: Database, conversationId: string, { after, last, limit, bytes }: Page) {
  if (after >= last) return [];
  const above = { conversation_id: conversationId, seq: { $gt: after, $lte: last } };
  const events = [];
  let size = 0;
  for await (const document of db.events.find(above).sort({ seq: 1 }).limit(limit).batchSize(FETCHED_EVENTS)) {
    size += Buffer.byteLength(document.event);
    if (events.length > 0 && size > bytes) break;
    events.push(toEvent(document));
  }
  return events;
}

/**
 * The last seq, where a reader has more than was found: after a change of primary a majority read may be behind for a
 * moment, and a reader must not be told that its log is another one. A server that has no such read answers as before.
 */
async function lastSeqForSure(db: Database, conversationId: string): Promise<number> {
  const filter = { conversation_id: conversationId };
  const sort = { seq: -1 } as const;
  const options = {
    sort,
    projection: { _id: 0, seq: 1 },
    maxTimeMS: 2_000,
    readConcern: new ReadConcern('linearizable'),
  };
  const last = await db.events.findOne(filter, options).catch((error: unknown) => {
    if (error instanceof MongoError && error.code === NOT_A_REPLICA_SET) return null;
    throw error;
  });
  return last?.seq ?? lastSeq(db, conversationId);
}

/** Messages below a seq, newest last, for a member. */
export async function pageOfMessages(
  db: Database,
  userId: string,
  conversationId: string,
  beforeSeq: number,
  limit: number,
): Promise<Message[] | null> {
  const own = await standing(db, userId, conversationId);
  if (!own) return null;
  return newestMessages(db, conversationId, Math.min(beforeSeq, own.seq + 1), limit, MESSAGE_PAGE_TEXT);
}

/** The newest messages below a seq, newest last; it ends with the one that brings its text to `text` code points. */
async function newestMessages(
  db: Database,
  conversationId: string,
  beforeSeq: number,
  limit: number,
  text = Infinity,
): Promise<Message[]> {
  const below = { conversation_id: conversationId, seq: { $lt: beforeSeq }, is_message: true };
  const messages: Message[] = [];
  let size = 0;
  if (limit === 0) return messages; // to the database it would mean all
  for await (const document of db.events.find(below).sort({ seq: -1 }).limit(limit).batchSize(FETCHED_EVENTS)) {
    const message = messageIn(document);
    messages.push(message);
    size += codePoints(message.content);
    if (size >= text) break;
  }
  return messages.toReversed();
}

/** The message that a document with `is_message` carries. */
export function messageIn(document: Pick<EventDocument, 'event'>): Message {
  const message = messageOf(toEvent(document));
  if (!message) throw new Error('an event that is marked as a message has none');
  return message;
}

/** The title and the newest messages of a conversation up to `seq`, oldest first, for an assistant. */
export async function context(db: Database, conversationId: string, seq: number, limit: number) {
  const [document, messages] = await Promise.all([
    db.conversations.findOne({ _id: conversationId }, { projection: { title: 1 } }),
    newestMessages(db, conversationId, seq + 1, limit),
  ]);
  return { title: document?.title ?? '', messages };
}
