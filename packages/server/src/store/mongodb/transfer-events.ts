import { createHash } from 'node:crypto';
import { ObjectId } from 'mongodb';
import type { ConversationEvent } from '@tertulia/protocol';
import { Unfitting, type AttemptRecord, type EventRecord } from '../transfer.ts';
import { applyEvent } from './apply-event.ts';
import type { ConversationDocument, Database, TaskDocument } from './collections.ts';
import { toDocument, type StoredEvent } from './event-documents.ts';
import { insertAll, replaceAll, type Replacement } from './in-bulk.ts';
import { answered } from './retry.ts';
import { foldStored, snapshotOf, toConversationDocument, toSnapshot } from './snapshots.ts';
import { foldTask, rebuildTask, unchanged } from './task-documents.ts';

/**
 * Stores events, in the order of each log, and brings the views up to them. All are folded in memory and written at once,
 * which is right only as long as nobody else writes; deletions, which rewrite what is stored, go the way of live ones.
 * @throws {Unfitting} where a log would have a hole, or has another event in the place
 */
export async function addEvents(db: Database, records: readonly EventRecord[]): Promise<void> {
  if (records.length === 0) return;
  const documents = records.map((record) => toDocument({ ...record, claim: null }, db.clock, idOf(record.event)));
  const stored = documents.map(({ task_id, task_change }, index) => {
    const { event } = records[index]!;
    return { event, claim: null, task_id, task_change };
  });
  const conversations = await foldConversations(db, stored);
  const tasks = await foldTasks(db, stored);
  if (await insertAll(db.events, documents)) await refuseOthers(db, documents);
  await insertAll(db.conversations, conversations.fresh);
  await replaceAll(db.conversations, conversations.changed);
  if (await insertAll(db.tasks, tasks.fresh)) await rebuildAll(db, tasks.fresh);
  await replaceAll(db.tasks, tasks.changed);
  for (const deletion of stored.filter(isDeletion)) await answered(() => applyEvent(db, deletion));
}

/** What an earlier try left of them may be older than what they are by now. */
async function rebuildAll(db: Database, tasks: readonly TaskDocument[]): Promise<void> {
  for (const { _id, conversation_id } of tasks) await answered(() => rebuildTask(db, conversation_id, _id));
}

/** The same at every try, and as old as the event: the sweeper need not look at it. */
function idOf({ conversation_id, seq, created_at }: ConversationEvent): ObjectId {
  const id = createHash('sha256').update(`${conversation_id}:${seq}`).digest().subarray(0, 12);
  id.writeUInt32BE(Math.floor(Date.parse(created_at) / 1000));
  return new ObjectId(id);
}

function isDeletion({ event, task_change }: StoredEvent): boolean {
  return task_change === 'deletion' || event.type === 'conversation_deleted';
}

/** Documents that are to be there, by what is there so far. */
interface Changes<T> {
  readonly fresh: T[];
  readonly changed: Replacement<T>[];
}

async function foldConversations(db: Database, events: readonly StoredEvent[]): Promise<Changes<ConversationDocument>> {
  const logs = Map.groupBy(
    events.filter(({ event }) => event.type !== 'conversation_deleted'),
    ({ event }) => event.conversation_id,
  );
  const found = await answered(() => db.conversations.find({ _id: { $in: [...logs.keys()] } }).toArray());
  const standing = new Map(found.map((document) => [document._id, document]));
  const changes: Changes<ConversationDocument> = { fresh: [], changed: [] };
  for (const [_id, log] of logs) {
    const before = standing.get(_id);
    const replacement = foldConversation(before, log);
    if (!before) changes.fresh.push(replacement);
    else if (replacement.seq > before.seq) changes.changed.push({ filter: { _id, seq: before.seq }, replacement });
  }
  return changes;
}

function foldConversation(standing: ConversationDocument | undefined, log: readonly StoredEvent[]) {
  let snapshot = standing ? toSnapshot(standing) : null;
  for (const stored of log) {
    const { seq, conversation_id } = stored.event;
    const last = snapshot?.seq ?? 0;
    if (seq <= last) continue; // of an earlier try
    if (seq > last + 1)
      throw new Unfitting(`event ${seq} of conversation ${conversation_id} comes after event ${last}`);
    if (snapshot) foldStored(snapshot, stored);
    else snapshot = snapshotOf(stored);
  }
  return toConversationDocument(snapshot!);
}

async function foldTasks(db: Database, events: readonly StoredEvent[]): Promise<Changes<TaskDocument>> {
  const byTask = Map.groupBy(
    events.filter((stored) => stored.task_change !== null && stored.task_change !== 'message' && !isDeletion(stored)),
    ({ task_id }) => task_id ?? '',
  );
  const older = [...byTask].filter(([, [first]]) => first?.task_change !== 'start').map(([id]) => id);
  const found = older.length === 0 ? [] : await answered(() => db.tasks.find({ _id: { $in: older } }).toArray());
  const standing = new Map(found.map((document) => [document._id, document]));
  const changes: Changes<TaskDocument> = { fresh: [], changed: [] };
  for (const [id, about] of byTask) {
    const before = standing.get(id) ?? null;
    const replacement = about.reduce(foldTask, before);
    if (before && replacement) changes.changed.push({ filter: unchanged(before), replacement });
    else if (replacement) changes.fresh.push(replacement);
  }
  return changes;
}

/** A unique index refused some: as stored before, or since others have their places. */
async function refuseOthers(db: Database, documents: readonly { _id: ObjectId; conversation_id: string }[]) {
  const ids = documents.map(({ _id }) => _id);
  const conversations = [...new Set(documents.map(({ conversation_id }) => conversation_id))];
  const wanted = { conversation_id: { $in: conversations }, _id: { $in: ids } };
  const found = await answered(() => db.events.find(wanted, { projection: { _id: 1 } }).toArray());
  const there = new Set(found.map(({ _id }) => _id.toHexString()));
  const refused = documents.find(({ _id }) => !there.has(_id.toHexString()));
  if (refused) throw new Unfitting(`an event of conversation ${refused.conversation_id} has another in its place`);
}

/** As claims whose leases have passed: the next attempts may be claimed at once. */
export async function addAttempts(db: Database, records: readonly AttemptRecord[]): Promise<void> {
  if (records.length === 0) return;
  const wanted = { _id: { $in: records.map(({ task_id }) => task_id) }, open_user_id: { $ne: null } };
  const open = await answered(() => db.tasks.find(wanted, { projection: { conversation_id: 1 } }).toArray());
  const places = new Map(open.map(({ _id, conversation_id }) => [_id, conversation_id]));
  const claims = records.flatMap(({ task_id, attempt }) => {
    const conversation_id = places.get(task_id);
    const claim = { _id: new ObjectId(), task_id, attempt, owner: 'import', lease_until: 0 };
    return conversation_id === undefined ? [] : [{ ...claim, conversation_id }];
  });
  await insertAll(db.claims, claims);
}
