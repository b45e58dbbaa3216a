import type { JsonObject } from '@tertulia/protocol';
import { firstView, foldEvent, outlineOf } from '../fold-event.ts';
import type { ConversationView, TaskOutline } from '../store.ts';
import type { ConversationDocument, Database, FirstClaim, OpenTaskField } from './collections.ts';
import { toStored, type StoredEvent } from './event-documents.ts';
import { usernames } from './accounts.ts';

/** Where an open task begins, and who claimed it there. */
type Start = Pick<OpenTaskField, 'seq' | 'claim'>;

/** A conversation as the log says up to `seq`, with all that its members may see. */
export interface Snapshot extends ConversationView {
  owner_id: string;
  description: string | null;
  metadata: JsonObject;
  created_at: string;
  updated_at: string;
  /** Of each open task. */
  readonly starts: Map<string, Start>;
}

/** Events that are folded in one go. */
const FOLDED_EVENTS = 200;

/** The snapshot before a log's first event. */
function firstSnapshot({ event }: StoredEvent): Snapshot {
  const { created_at } = event;
  const own = { owner_id: '', description: null, metadata: {}, created_at, updated_at: created_at };
  return { ...firstView(event), ...own, starts: new Map() };
}

/** Folds the next event into a snapshot. */
export function foldStored(snapshot: Snapshot, { event, claim }: StoredEvent): void {
  foldEvent(snapshot, event);
  snapshot.updated_at = event.created_at;
  if (event.type === 'conversation_created') {
    snapshot.owner_id = event.data.owner.user_id;
    snapshot.description = event.data.description;
    snapshot.metadata = event.data.metadata;
  } else if (event.type === 'conversation_updated') {
    const { description, metadata } = event.data;
    if (description !== undefined) snapshot.description = description;
    if (metadata) snapshot.metadata = metadata;
  } else if (event.type === 'conversation_deleted') {
    Object.assign(snapshot, { title: '', description: null, metadata: {} });
  }
  for (const id of snapshot.open_tasks.keys()) {
    if (!snapshot.starts.has(id)) snapshot.starts.set(id, { seq: event.seq, claim });
  }
  for (const id of snapshot.starts.keys()) if (!snapshot.open_tasks.has(id)) snapshot.starts.delete(id);
}

/** The snapshot that a log's first event makes. */
export function snapshotOf(first: StoredEvent): Snapshot {
  const snapshot = firstSnapshot(first);
  foldStored(snapshot, first);
  return snapshot;
}

/** The name of an open task's field: a dot would be a path. */
export function taskKey(taskId: string): string {
  return taskId.replaceAll('.', '%2E');
}

/** An open task as it is stored within its conversation, whose document must stay small: no more than decisions need. */
export function openTaskField(task: TaskOutline, seq: number, claim: FirstClaim | null): OpenTaskField {
  return { seq, claim, task: JSON.stringify(outlineOf(task)) };
}

/** The whole document behind a snapshot. */
export function toConversationDocument(snapshot: Snapshot): ConversationDocument {
  const { id, members, open_tasks, starts, description, metadata, ...rest } = snapshot;
  const fields = [...open_tasks.values()].map((task): [string, OpenTaskField] => {
    const { seq, claim } = starts.get(task.id) ?? { seq: 0, claim: null };
    return [taskKey(task.id), openTaskField(task, seq, claim)];
  });
  return {
    _id: id,
    ...rest,
    description: JSON.stringify(description),
    metadata: JSON.stringify(metadata),
    members: [...members.values()].map(({ user_id, role, joined_at }) => ({ user_id, role, joined_at })),
    open_tasks: Object.fromEntries(fields),
  };
}

/** What of a document makes a snapshot. Its members are without names. */
export function toSnapshot(document: ConversationDocument): Snapshot {
  const { _id, members, open_tasks, description, metadata, ...rest } = document;
  const tasks = Object.values(open_tasks)
    .toSorted((one, other) => one.seq - other.seq)
    .map(({ task, ...start }) => ({ task: JSON.parse(task) as TaskOutline, start }));
  return {
    id: _id,
    ...rest,
    description: JSON.parse(description),
    metadata: JSON.parse(metadata),
    members: new Map(members.map((member) => [member.user_id, { ...member, username: '' }])),
    open_tasks: new Map(tasks.map(({ task }) => [task.id, task])),
    starts: new Map(tasks.map(({ task, start }) => [task.id, start])),
  };
}

/** The last seq of a log, 0 where there is none. */
export async function lastSeq(db: Database, conversationId: string): Promise<number> {
  const filter = { conversation_id: conversationId };
  const last = await db.events.findOne(filter, { sort: { seq: -1 }, projection: { _id: 0, seq: 1 } });
  return last?.seq ?? 0;
}

/** A conversation as it was stored, and as its log says now. */
export interface Read {
  readonly document: ConversationDocument | null;
  /** Folded up to the log's end; null where there is no log. */
  readonly snapshot: Snapshot | null;
  /** Whether the log has more than the document. */
  readonly isBehind: boolean;
}

/** Reads a conversation; what its document does not have yet is folded in. */
export async function readSnapshot(db: Database, conversationId: string): Promise<Read> {
  const [document, found] = await Promise.all([
    db.conversations.findOne({ _id: conversationId }),
    lastSeq(db, conversationId),
  ]);
  const isAhead = document !== null && document.seq > found;
  const last = isAhead ? await lastSeq(db, conversationId) : found; // it was appended between the two reads
  // In a copy that was made while people wrote, a document may have what the log does not.
  let snapshot = document && document.seq <= last ? toSnapshot(document) : null;
  const isBehind = (snapshot?.seq ?? 0) < last;
  while ((snapshot?.seq ?? 0) < last) {
    const page = await storedAbove(db, conversationId, snapshot?.seq ?? 0);
    if (page.length === 0) break; // removed meanwhile
    for (const stored of page) {
      snapshot ??= firstSnapshot(stored);
      foldStored(snapshot, stored);
    }
  }
  return { document, snapshot, isBehind };
}

async function storedAbove(db: Database, conversationId: string, seq: number): Promise<StoredEvent[]> {
  const filter = { conversation_id: conversationId, seq: { $gt: seq } };
  const found = await db.events.find(filter).sort({ seq: 1 }).limit(FOLDED_EVENTS).toArray();
  return found.map(toStored);
}

/** Gives the members of a snapshot the names of their accounts. */
export async function nameMembers(db: Database, { members }: Snapshot): Promise<void> {
  const ids = [...members.keys()];
  if (ids.length === 0) return;
  const names = await usernames(db.db, ids);
  for (const member of members.values())
    members.set(member.user_id, { ...member, username: names.get(member.user_id) ?? '' });
}
