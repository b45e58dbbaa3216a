import { ChatError } from '@tertulia/protocol';
import { ObjectId } from 'mongodb';
import type { Logger } from '../../log.ts';
import { applyEvent } from './apply-event.ts';
import type { Database, EventDocument } from './collections.ts';
import { toStored } from './event-documents.ts';
import { insertOnce } from './insert-once.ts';
import { settled } from './meta.ts';
import { answered } from './retry.ts';
import { lastSeq } from './snapshots.ts';
import { hasApplied } from './task-documents.ts';

/**
 * Each event is looked at twice: soon, when whoever appended it should have brought it to the views, and once more for
 * what was inserted long after its `_id` was made, because a network held the request back.
 */
const PASSES = [
  { name: 'swept', delaySeconds: 5 },
  { name: 'swept_late', delaySeconds: 600 },
] as const;

const EVENTS_AT_ONCE = 500;

/** An event but for what it says. */
type Outline = Omit<EventDocument, 'event'>;

/**
 * Mends the views where whoever appended died before it brought an event to them, and removes what ended tasks and
 * deleted conversations leave behind. All nodes share the work by cursors; doing some of it twice does no harm.
 */
export async function sweep(db: Database, log: Logger, limit: number): Promise<number> {
  let pieces = 0;
  for (const pass of PASSES) pieces += await mendSince(db, log, pass.name, pass.delaySeconds);
  return Math.min(limit, pieces + (await removeDeleted(db, limit)));
}

async function mendSince(db: Database, log: Logger, name: string, delaySeconds: number): Promise<number> {
  const until = ObjectId.createFromTime(Math.floor(db.clock.now() / 1000) - delaySeconds);
  let after = ObjectId.createFromHexString(await settled(db, name, until.toHexString()));
  let mended = 0;
  for (let isDone = false; !isDone;) {
    const found: Outline[] = await answered(() =>
      db.events
        .find({ _id: { $gt: after, $lte: until } }, { projection: { event: 0 } })
        .sort({ _id: 1 })
        .limit(EVENTS_AT_ONCE)
        .toArray(),
    );
    if (found.length === 0) break;
    mended += await mend(db, log, found);
    isDone = found.length < EVENTS_AT_ONCE;
    after = isDone ? until : (found.at(-1)?._id ?? until);
    const value = after.toHexString();
    await answered(() => db.meta.updateOne({ _id: name }, { $set: { value } }));
  }
  return mended;
}

/** Brings to the views what they lack of these events; answers how many that were. */
async function mend(db: Database, log: Logger, events: readonly Outline[]): Promise<number> {
  const { lacking, deleted } = await answered(() => lackingIn(db, events));
  let mended = 0;
  for (const event of lacking) if (await mendOne(db, log, event)) mended += 1;
  await answered(() => removeAttempts(db, events));
  await Promise.all(deleted.map((_id) => answered(() => insertOnce(db.deletions, { _id }))));
  return mended;
}

/**
 * What cannot be applied, as to a document that has become too large, is one conversation's misfortune: readers fold it
 * in, and all others go on being mended. Answers whether it was applied. @throws {ChatError} `unavailable`
 */
async function mendOne(db: Database, log: Logger, { _id, conversation_id, seq }: Outline): Promise<boolean> {
  try {
    await answered(async () => {
      const document = await db.events.findOne({ _id, conversation_id });
      if (document) await applyEvent(db, toStored(document));
    });
    return true;
  } catch (error) {
    if (error instanceof ChatError) throw error;
    log.error({ err: error, conversation_id, seq }, 'an event cannot be mended: the views stay without it');
    return false;
  }
}

/** The events that the views do not have, in order, and the deleted conversations that still have events below their last. */
async function lackingIn(db: Database, events: readonly Outline[]): Promise<{ lacking: Outline[]; deleted: string[] }> {
  const conversationIds = [...new Set(events.map(({ conversation_id }) => conversation_id))];
  const taskIds = [...new Set(events.map(({ task_id }) => task_id).filter((id) => id !== null))];
  const [conversations, tasks] = await Promise.all([
    db.conversations.find({ _id: { $in: conversationIds } }, { projection: { seq: 1, is_deleted: 1 } }).toArray(),
    db.tasks
      .find(
        { _id: { $in: taskIds }, conversation_id: { $in: conversationIds } },
        { projection: { status: 1, fields_seq: 1, ended_seq: 1 } },
      )
      .toArray(),
  ]);
  const byConversation = new Map(conversations.map((found) => [found._id, found]));
  const byTask = new Map(tasks.map((found) => [found._id, found]));
  const isBelowDeletion = ({ conversation_id, seq }: Outline) => {
    const conversation = byConversation.get(conversation_id);
    return conversation?.is_deleted === true && seq < conversation.seq;
  };
  const lacking = events
    .filter(({ conversation_id, seq, task_id, task_change }) => {
      const conversation = byConversation.get(conversation_id);
      if (!conversation || conversation.seq < seq) return true;
      if (conversation.is_deleted || task_id === null || task_change === null || task_change === 'message')
        return false;
      return !hasApplied(byTask.get(task_id), task_change, seq);
    })
    .toSorted((one, other) => one.seq - other.seq);
  const deleted = events.filter(isBelowDeletion).map(({ conversation_id }) => conversation_id);
  return { lacking, deleted: [...new Set(deleted)] };
}

/** Claims and checkpoints of tasks that have ended: nobody reads them any more. */
async function removeAttempts(db: Database, events: readonly Outline[]): Promise<void> {
  const ends = events.filter(({ task_change }) => task_change === 'end' || task_change === 'deletion');
  if (ends.length === 0) return;
  const attempts = {
    conversation_id: { $in: [...new Set(ends.map(({ conversation_id }) => conversation_id))] },
    task_id: { $in: ends.map(({ task_id }) => task_id ?? '') },
  };
  await Promise.all([db.claims.deleteMany(attempts), db.checkpoints.deleteMany(attempts)]);
}

/** Removes what deleted conversations leave behind but their last event, at most `limit` of their events; answers how many went. */
async function removeDeleted(db: Database, limit: number): Promise<number> {
  let removed = 0;
  while (removed < limit) {
    const deletion = await answered(() => db.deletions.findOne({}));
    if (!deletion) break;
    const gone = await answered(() => removeSome(db, deletion._id, limit - removed));
    removed += gone;
    if (removed < limit) await answered(() => db.deletions.deleteOne({ _id: deletion._id }));
  }
  return removed;
}

async function removeSome(db: Database, conversationId: string, limit: number): Promise<number> {
  const all = { conversation_id: conversationId };
  const below = { ...all, seq: { $lt: await lastSeq(db, conversationId) } };
  const doomed = await db.events
    .find(below, { projection: { _id: 1 } })
    .limit(limit)
    .toArray();
  await Promise.all([
    db.events.deleteMany({ ...all, _id: { $in: doomed.map(({ _id }) => _id) } }),
    db.tasks.deleteMany(all),
    db.claims.deleteMany(all),
    db.checkpoints.deleteMany(all),
  ]);
  return doomed.length;
}
