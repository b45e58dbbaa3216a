import type { StartedTask } from '@tertulia/protocol';
import type { DueTask, OpenTask } from '../store.ts';
import { firstAttempt } from './claims.ts';
import type { ClaimDocument, Database, TaskDocument } from './collections.ts';
import type { TaskPlaces } from './task-places.ts';

/** Of an open task what tells whether it is due; its fields may be large. */
type Open = Omit<TaskDocument, 'fields'>;

/** Tasks that may be claimed now, oldest first: the first open ones of their conversations on which no lease stands. */
export async function due(db: Database, places: TaskPlaces, limit: number): Promise<DueTask[]> {
  const open: Open[] = await db.tasks.find({ open_user_id: { $gt: '' } }, { projection: { fields: 0 } }).toArray();
  const first = new Map<string, Open>();
  for (const task of open) {
    const other = first.get(task.conversation_id);
    if (!other || task.seq < other.seq) first.set(task.conversation_id, task);
  }
  const candidates = [...first.values()].filter(({ assistant }) => assistant !== 'external').toSorted(byAge);
  const claims = await claimsOfTasks(db, candidates);
  const now = db.clock.now();
  const free = candidates.filter((task) => (lastClaim(task, claims)?.lease_until ?? 0) <= now).slice(0, limit);
  const whole = await Promise.all(free.map(({ _id, conversation_id }) => db.tasks.findOne({ _id, conversation_id })));
  return whole
    .filter((task) => task !== null)
    .map((task) => {
      places.note(task._id, task.conversation_id);
      const attempt = (lastClaim(task, claims)?.attempt ?? 0) + 1;
      return { task: toStartedTask(task), conversation_id: task.conversation_id, seq: task.seq, attempt };
    });
}

function byAge(one: Open, other: Open): number {
  if (one.created_at !== other.created_at) return one.created_at < other.created_at ? -1 : 1;
  if (one.conversation_id === other.conversation_id) return one.seq - other.seq;
  return one.conversation_id < other.conversation_id ? -1 : 1;
}

type Claims = ReadonlyMap<string, Pick<ClaimDocument, 'attempt' | 'lease_until'>>;

/** The last claim of each of these tasks that has a document. */
async function claimsOfTasks(db: Database, tasks: readonly Open[]): Promise<Claims> {
  if (tasks.length === 0) return new Map();
  const conversations = [...new Set(tasks.map(({ conversation_id }) => conversation_id))];
  const wanted = { conversation_id: { $in: conversations }, task_id: { $in: tasks.map(({ _id }) => _id) } };
  const found = await db.claims.find(wanted).sort({ attempt: 1 }).toArray();
  return new Map(found.map((claim) => [claim.task_id, claim]));
}

function lastClaim({ _id, first_claim }: Open, claims: Claims) {
  return claims.get(_id) ?? firstAttempt(first_claim);
}

function toStartedTask({ _id, user_id, assistant, fields }: TaskDocument): StartedTask {
  return { id: _id, user_id, assistant, ...JSON.parse(fields) };
}

/** A user's tasks that have not ended and count against the queue, oldest first. */
export async function openTasks(db: Database, userId: string): Promise<OpenTask[]> {
  const counted = { open_user_id: userId, assistant: { $ne: 'external' } };
  const open: Open[] = await db.tasks.find(counted, { projection: { fields: 0 } }).toArray();
  const claims = await claimsOfTasks(db, open);
  const now = db.clock.now();
  return open.toSorted(byAge).map((task) => ({
    task_id: task._id,
    conversation_id: task.conversation_id,
    is_claimed: (lastClaim(task, claims)?.lease_until ?? 0) > now,
  }));
}
