import type { ConversationEvent } from '@tertulia/protocol';
import type { ConversationView } from '../store.ts';
import type { Database } from './collections.ts';
import { toEvent } from './event-documents.ts';
import { nameMembers, readSnapshot } from './snapshots.ts';

/** The view folded from the whole log, or null where there is no such conversation. */
export async function readView(db: Database, conversationId: string): Promise<ConversationView | null> {
  const { snapshot } = await readSnapshot(db, conversationId);
  if (!snapshot) return null;
  await nameMembers(db, snapshot);
  const { id, seq, title, is_active, is_deleted, members, open_tasks } = snapshot;
  return { id, seq, title, is_active, is_deleted, members, open_tasks };
}

/** Events above a seq, in order. */
export async function readLog(
  db: Database,
  conversationId: string,
  afterSeq: number,
  limit: number,
): Promise<ConversationEvent[]> {
  const above = { conversation_id: conversationId, seq: { $gt: afterSeq } };
  const found = await db.events.find(above).sort({ seq: 1 }).limit(limit).toArray();
  return found.map(toEvent);
}

/** As the views have them: of an event that was inserted a moment ago they may not know yet. */
export async function lastSeqs(db: Database, conversationIds: readonly string[]): Promise<Map<string, number>> {
  const wanted = { _id: { $in: [...conversationIds] } };
  const found = await db.conversations.find(wanted, { projection: { seq: 1 } }).toArray();
  return new Map(found.map(({ _id, seq }) => [_id, seq]));
}

/** The event that a sender's `client_msg_id` stands for. */
export async function findEvent(
  db: Database,
  conversationId: string,
  sender: string,
  clientMsgId: string,
): Promise<ConversationEvent | null> {
  const found = await db.events.findOne({ conversation_id: conversationId, sender, client_msg_id: clientMsgId });
  return found && toEvent(found);
}
