import { ObjectId } from 'mongodb';
import { LEASE_MS, type Claim } from '../store.ts';
import type { ClaimDocument, Database, FirstClaim, TaskDocument } from './collections.ts';
import { insertOnce } from './insert-once.ts';
import { answered } from './retry.ts';
import { claimsOf } from './running.ts';
import { readSnapshot } from './snapshots.ts';
import type { TaskPlaces } from './task-places.ts';

/**
 * True where this claim won: the insert decides. It is tried only where the log says that the task is the first open
 * one of its conversation, this attempt the next one, and no lease stands.
 */
export async function claim(db: Database, places: TaskPlaces, wanted: Claim): Promise<boolean> {
  const conversationId = await answered(() => places.find(db, wanted.task_id));
  if (conversationId === null || !(await answered(() => isFree(db, conversationId, wanted)))) return false;
  const document = newClaim(db, conversationId, wanted);
  return answered(async () => {
    if (await insertOnce(db.claims, document)) return true;
    const own = { conversation_id: conversationId, _id: document._id };
    return (await db.claims.countDocuments(own)) === 1; // of an earlier try, whose outcome was unknown
  });
}

function newClaim(db: Database, conversation_id: string, { task_id, attempt, owner }: Claim): ClaimDocument {
  return { _id: new ObjectId(), conversation_id, task_id, attempt, owner, lease_until: db.clock.now() + LEASE_MS };
}

async function isFree(db: Database, conversationId: string, { task_id, attempt }: Claim): Promise<boolean> {
  const [{ snapshot }, claims] = await Promise.all([
    readSnapshot(db, conversationId),
    claimsOf(db, conversationId, [task_id]),
  ]);
  const [first] = snapshot?.open_tasks.keys() ?? [];
  if (!snapshot || first !== task_id) return false;
  const last = claims.at(-1) ?? firstAttempt(snapshot.starts.get(task_id)?.claim ?? null);
  return attempt === (last?.attempt ?? 0) + 1 && (last?.lease_until ?? 0) <= db.clock.now();
}

/** The attempt that the event which starts a task claimed, if any. */
export function firstAttempt(claim: TaskDocument['first_claim']): { attempt: 1; lease_until: number } | null {
  return claim && { attempt: 1, lease_until: claim.lease_until };
}

/** Extends the leases that the owner still holds of open tasks, and has not given back; answers their ids. */
export async function renew(
  db: Database,
  places: TaskPlaces,
  owner: string,
  taskIds: readonly string[],
): Promise<string[]> {
  const conversations = await places.findAll(db, taskIds);
  if (conversations.length === 0) return [];
  const scope = { conversation_id: { $in: conversations } };
  const [tasks, claims] = await Promise.all([
    db.tasks.find({ ...scope, _id: { $in: [...taskIds] }, open_user_id: { $ne: null } }).toArray(),
    db.claims
      .find({ ...scope, task_id: { $in: [...taskIds] } })
      .sort({ attempt: 1 })
      .toArray(),
  ]);
  const last = new Map(claims.map((found) => [found.task_id, found]));
  const isHeld = (claim: FirstClaim | null | undefined) => claim?.owner === owner && claim.lease_until > 0;
  const held = tasks.filter(({ _id, first_claim }) => isHeld(last.get(_id) ?? first_claim));
  const lease_until = db.clock.now() + LEASE_MS;
  const stored = held.map(({ _id }) => last.get(_id)?._id).filter((id) => id !== undefined);
  await Promise.all([
    stored.length > 0 &&
      db.claims.updateMany({ ...scope, _id: { $in: stored }, lease_until: { $gt: 0 } }, { $set: { lease_until } }),
    ...held.filter(({ _id }) => !last.has(_id)).map((task) => storeFirst(db, task, lease_until)),
  ]);
  return held.map(({ _id }) => _id);
}

/** A first claim has no document until its lease is to change. Others insert later attempts only. */
async function storeFirst(db: Database, task: TaskDocument, lease_until: number): Promise<void> {
  const { _id: task_id, conversation_id, first_claim } = task;
  if (!first_claim) return;
  const wanted = { task_id, attempt: 1, owner: first_claim.owner };
  const document = { ...newClaim(db, conversation_id, wanted), lease_until };
  if (await insertOnce(db.claims, document)) return;
  await db.claims.updateOne({ conversation_id, ...wanted }, { $set: { lease_until } });
}

/** Gives back an unfinished attempt, so that the next may be claimed at once. */
export async function release(db: Database, places: TaskPlaces, { task_id, attempt, owner }: Claim): Promise<void> {
  const conversation_id = await places.find(db, task_id);
  if (conversation_id === null) return;
  const own = { conversation_id, task_id, attempt, owner };
  const { matchedCount } = await db.claims.updateOne(own, { $set: { lease_until: 0 } });
  if (matchedCount > 0 || attempt !== 1) return;
  const task = await db.tasks.findOne({ _id: task_id, conversation_id, 'first_claim.owner': owner });
  if (task) await storeFirst(db, task, 0);
}

/** Ends every lease of other owners. */
export async function releaseOthers(db: Database, owner: string): Promise<void> {
  await db.claims.updateMany({ owner: { $ne: owner } }, { $set: { lease_until: 0 } });
  const open = await db.tasks.find({ open_user_id: { $ne: null }, first_claim: { $ne: null } }).toArray();
  const claims = await db.claims.find({ task_id: { $in: open.map(({ _id }) => _id) } }).toArray();
  const renewed = new Set(claims.map(({ task_id }) => task_id));
  const others = open.filter((task) => task.first_claim?.owner !== owner && !renewed.has(task._id));
  await Promise.all(others.map((task) => storeFirst(db, task, 0)));
}

/** Appends to an attempt's text so far. The sweeper removes what comes after the task's end. */
export async function checkpoint(
  db: Database,
  places: TaskPlaces,
  taskId: string,
  attempt: number,
  index: number,
  text: string,
): Promise<void> {
  const conversation_id = await places.find(db, taskId);
  if (conversation_id === null) return;
  const piece = { conversation_id, task_id: taskId, attempt, start: index, text: JSON.stringify(text) };
  await insertOnce(db.checkpoints, { _id: new ObjectId(), ...piece });
}
