import type { Conversation, Member } from '@tertulia/protocol';
import type { ListQuery, LogHead } from '../store.ts';
import type { ConversationDocument, Database } from './collections.ts';
import { toStored } from './event-documents.ts';
import { foldStored, lastSeq, nameMembers, readSnapshot, toSnapshot, type Snapshot } from './snapshots.ts';

/** How many of its newest tasks a conversation lists; `tasks?conversation_id=` has them all. */
const LISTED_TASKS = 100;

/**
 * A conversation as far as a member may see it: the filter of every read below. Members are all there only where the
 * document was behind its log; the asking one always is.
 */
export async function standing(db: Database, userId: string, conversationId: string): Promise<Snapshot | null> {
  const own = { _id: conversationId, 'members.user_id': userId };
  const [document, last] = await Promise.all([
    db.conversations.findOne(own, { projection: { members: 0 } }),
    lastSeq(db, conversationId),
  ]);
  if (document?.seq === last) return toSnapshot({ ...document, members: [] });
  const { snapshot } = await readSnapshot(db, conversationId);
  return snapshot?.members.has(userId) ? snapshot : null;
}

async function toConversation(db: Database, snapshot: Snapshot): Promise<Conversation> {
  const tasks = await db.tasks
    .find({ conversation_id: snapshot.id, status: { $ne: 'deleted' } }, { projection: { _id: 1 } })
    .sort({ seq: -1 })
    .limit(LISTED_TASKS)
    .toArray();
  return {
    id: snapshot.id,
    user_id: snapshot.owner_id,
    title: snapshot.title,
    description: snapshot.description,
    metadata: snapshot.metadata,
    is_active: snapshot.is_active,
    task_ids: tasks.map(({ _id }) => _id).toReversed(),
    last_seq: snapshot.seq,
    created_at: snapshot.created_at,
    updated_at: snapshot.updated_at,
  };
}

/** A conversation as its members see it. */
export async function getConversation(
  db: Database,
  userId: string,
  conversationId: string,
): Promise<Conversation | null> {
  const own = await standing(db, userId, conversationId);
  return own && toConversation(db, own);
}

/** Where the log ends, for a member. */
export async function head(db: Database, userId: string, conversationId: string): Promise<LogHead | null> {
  const own = await standing(db, userId, conversationId);
  return own && { last_seq: own.seq, is_answering: own.open_tasks.size > 0 };
}

/** The user's conversations, each as its log says now, in the order of what was stored of them. */
export async function listConversations(db: Database, userId: string, query: ListQuery) {
  const own = { 'members.user_id': userId };
  const [documents, total] = await Promise.all([
    db.conversations
      .find(own, { projection: { open_tasks: 0, members: 0 } })
      .sort({ [query.sort_by]: query.sort_order, _id: 1 })
      .skip(query.skip)
      .limit(query.limit)
      .toArray(),
    db.conversations.countDocuments(own),
  ]);
  const seen = await standingNow(db, userId, documents);
  return { conversations: await Promise.all(seen.map((snapshot) => toConversation(db, snapshot))), total };
}

/** Those of these conversations of which the user is a member now, whatever their documents say. */
export async function standingIn(db: Database, userId: string, conversationIds: string[]): Promise<Set<string>> {
  const own = { _id: { $in: conversationIds }, 'members.user_id': userId };
  const documents = await db.conversations.find(own, { projection: { open_tasks: 0, members: 0 } }).toArray();
  return new Set((await standingNow(db, userId, documents)).map(({ id }) => id));
}

/** As their logs say now; `documents` are without members and open tasks, and the user was a member in each. */
async function standingNow(
  db: Database,
  userId: string,
  documents: readonly ConversationDocument[],
): Promise<Snapshot[]> {
  const me = { user_id: userId, role: 'member', joined_at: '' } as const;
  const snapshots = documents.map((document) => toSnapshot({ ...document, open_tasks: {}, members: [me] }));
  await foldNewer(db, snapshots);
  return snapshots.filter(({ members }) => members.has(userId));
}

/** Usually there is nothing newer: one look for all of them. */
async function foldNewer(db: Database, snapshots: readonly Snapshot[]): Promise<void> {
  if (snapshots.length === 0) return;
  const above = snapshots.map(({ id, seq }) => ({ conversation_id: id, seq: { $gt: seq } }));
  const newer = await db.events.find({ $or: above }).sort({ seq: 1 }).toArray();
  const byId = new Map(snapshots.map((snapshot) => [snapshot.id, snapshot]));
  for (const document of newer) {
    const snapshot = byId.get(document.conversation_id);
    if (snapshot) foldStored(snapshot, toStored(document));
  }
}

/** The members with their present names. */
export async function membersFor(db: Database, userId: string, conversationId: string): Promise<Member[] | null> {
  const { snapshot } = await readSnapshot(db, conversationId);
  if (!snapshot?.members.has(userId)) return null;
  await nameMembers(db, snapshot);
  const inOrder = (one: Member, other: Member) =>
    compare(one.joined_at, other.joined_at) || compare(one.user_id, other.user_id);
  return [...snapshot.members.values()].toSorted(inOrder);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
