import { createHash } from 'node:crypto';
import { ObjectId } from 'mongodb';
import type { ConversationEvent } from '@tertulia/protocol';
import { Unfitting, type AttemptRecord, type EventRecord } from '../transfer.ts';
import { applyEvent } from './apply-event.ts';
import type { ConversationDocument, Database, TaskDocument } from './collections.ts';
import { toDocument, type StoredEvent } from './event-documents.ts';
import { insertAll, putAll, type Versions } from './in-bulk.ts';
import { answered } from './retry.ts';
import { foldStored, snapshotOf, toConversationDocument, toSnapshot } from './snapshots.ts';
import { foldTask } from './task-documents.ts';

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
  await putAll(db.conversations, conversations);
  await putAll(db.tasks, tasks);
  for (const deletion of stored.filter(isDeletion)) await answered(() => applyEvent(db, deletion));
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

async function foldConversations(
  db: Database,
  events: readonly StoredEvent[],
): Promise<Versions<ConversationDocument>> {
  const logs = Map.groupBy(
    events.filter(({ event }) => event.type !== 'conversation_deleted'),
    ({ event }) => event.conversation_id,
  );
  const found = await answered(() => db.conversations.find({ _id: { $in: [...logs.keys()] } }).toArray());
  const standing = new Map(found.map((document) => [document._id, document]));
  return versions(
    [...logs].map(([id, log]) => foldConversation(standing.get(id), log)),
    standing,
  );
}

function versions<T extends { readonly _id: string }>(
  documents: readonly T[],
  standing: ReadonlyMap<string, T>,
): Versions<T> {
  return {
    fresh: documents.filter(({ _id }) => !standing.has(_id)),
    changed: documents.filter(({ _id }) => standing.has(_id)),
  };
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

async function foldTasks(db: Database, events: readonly StoredEvent[]): Promise<Versions<TaskDocument>> {
  const changes = events.filter(({ task_change }) => task_change !== null && task_change !== 'message');
  const byTask = Map.groupBy(
    changes.filter((stored) => !isDeletion(stored)),
    ({ task_id }) => task_id ?? '',
  );
  const older = [...byTask].filter(([, [first]]) => first?.task_change !== 'start').map(([id]) => id);
  const found = older.length === 0 ? [] : await answered(() => db.tasks.find({ _id: { $in: older } }).toArray());
  const standing = new Map(found.map((document) => [document._id, document]));
  const documents = [...byTask].map(([id, about]) => about.reduce(foldTask, standing.get(id) ?? null));
  return versions(
    documents.filter((document) => document !== null),
    standing,
  );
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
