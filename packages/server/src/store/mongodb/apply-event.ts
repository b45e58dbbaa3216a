import type { UpdateFilter } from 'mongodb';
import { endOf, startOf } from '../store.ts';
import type { ConversationDocument, Database } from './collections.ts';
import type { StoredEvent } from './event-documents.ts';
import { insertOnce } from './insert-once.ts';
import { NotYetReadable } from './retry.ts';
import {
  openTaskField,
  readSnapshot,
  snapshotOf,
  taskKey,
  toConversationDocument,
  type Snapshot,
} from './snapshots.ts';
import { applyToTask } from './task-documents.ts';

/**
 * Brings the views up to an event that was inserted. May be done again, by anybody and in any order: a view that has
 * it is left alone, and one that lacks older events gets them too. Answers whether the event belongs to the log: not
 * where the conversation was deleted meanwhile, since the sweeper takes all seqs but the deletion's own, and there no
 * index refuses what rests on an older view. The sweeper then comes again.
 */
export async function applyEvent(db: Database, stored: StoredEvent): Promise<boolean> {
  const { event, task_id, task_change } = stored;
  if (event.type === 'conversation_deleted') {
    await deleteConversation(db, event.conversation_id, event.created_at);
    return applyToConversation(db, stored);
  }
  const changesTask = task_id !== null && task_change !== 'message';
  const [belongs] = await Promise.all([
    applyToConversation(db, stored),
    changesTask && applyToTask(db, stored, task_id),
  ]);
  if (!belongs) await insertOnce(db.deletions, { _id: event.conversation_id });
  return belongs;
}

async function applyToConversation(db: Database, stored: StoredEvent): Promise<boolean> {
  const { conversation_id, seq } = stored.event;
  if (seq === 1 && (await insertOnce(db.conversations, toConversationDocument(snapshotOf(stored))))) return true;
  const update = seq === 1 ? null : updateFor(stored);
  if (update) {
    const { matchedCount } = await db.conversations.updateOne({ _id: conversation_id, seq: seq - 1 }, update);
    if (matchedCount === 1) return true;
  }
  const snapshot = await catchUp(db, conversation_id);
  return !snapshot?.is_deleted || snapshot.seq === seq;
}

/** What a message changes: a few fields, however many members there are. Other events are seldom, and make the document anew. */
function updateFor({ event, claim }: StoredEvent): UpdateFilter<ConversationDocument> | null {
  if (event.type !== 'message_created' && event.type !== 'task_ended') return null;
  const $set: Record<string, unknown> = { seq: event.seq, updated_at: event.created_at };
  const task = startOf(event);
  const end = endOf(event);
  if (task && end?.id !== task.id) $set[`open_tasks.${taskKey(task.id)}`] = openTaskField(task, event.seq, claim);
  const isOver = end && end.id !== task?.id;
  return { $set, ...(isOver && { $unset: { [`open_tasks.${taskKey(end.id)}`]: '' } }) };
}

/** Brings a conversation's document up to its log. @throws {NotYetReadable} where others do so meanwhile */
async function catchUp(db: Database, conversationId: string): Promise<Snapshot | null> {
  const { document, snapshot, isBehind } = await readSnapshot(db, conversationId);
  if (!snapshot || !isBehind) return snapshot;
  const whole = toConversationDocument(snapshot);
  const isDone = document
    ? (await db.conversations.replaceOne({ _id: conversationId, seq: document.seq }, whole)).matchedCount === 1
    : await insertOnce(db.conversations, whole);
  if (!isDone) throw new NotYetReadable();
  return snapshot;
}

/** Nobody is to answer what is asked there any more; the rest is swept later, in small steps. */
async function deleteConversation(db: Database, conversationId: string, at: string): Promise<void> {
  await insertOnce(db.deletions, { _id: conversationId });
  const open = { conversation_id: conversationId, open_user_id: { $ne: null } };
  await db.tasks.updateMany(open, { $set: { status: 'cancelled', ended_at: at, open_user_id: null } });
}
