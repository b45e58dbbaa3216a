import type { Message, Task } from '@tertulia/protocol';
import type { Filter } from 'mongodb';
import { MESSAGE_PAGE_TEXT } from '../paging.ts';
import type { ListQuery, TaskFilter } from '../store.ts';
import type { ClaimDocument, Database, TaskDocument } from './collections.ts';
import { standing, standingIn } from './conversations.ts';
import { messageIn } from './event-pages.ts';
import { claimsOf, lastAttempt } from './running.ts';
import { rebuildTask } from './task-documents.ts';

/** What an exchange is cut at: a worker outside may write any number of messages. */
const EXCHANGE_MESSAGES = 100;
/** Tasks whose messages are read in one go. */
const TASKS_AT_ONCE = 10;

/** The messages of a task: the question, then its first answers. */
export async function exchange(db: Database, taskId: string): Promise<Message[]> {
  const task = await db.tasks.findOne({ _id: taskId, status: { $ne: 'deleted' } });
  return task ? exchangeOf(db, task) : [];
}

async function exchangeOf(db: Database, { _id, conversation_id, seq, ended_seq }: TaskDocument): Promise<Message[]> {
  const between = { $gte: seq, ...(ended_seq !== null && { $lte: ended_seq }) };
  const found = await db.events
    .find({ conversation_id, seq: between, task_id: _id, is_message: true })
    .sort({ seq: 1 })
    .limit(EXCHANGE_MESSAGES)
    .toArray();
  return found.map(messageIn);
}

/** The task with its messages, or null where they are gone: it was deleted a moment ago. */
function toTask(stored: TaskDocument, claims: readonly ClaimDocument[], messages: readonly Message[]): Task | null {
  const [question, ...answers] = messages;
  const { status } = stored;
  if (!question || status === 'deleted') return null;
  const { ended_at, created_at } = stored;
  const attempt = lastAttempt(stored._id, stored.first_claim !== null, claims);
  return {
    id: stored._id,
    conversation_id: stored.conversation_id,
    user_id: stored.user_id,
    ...JSON.parse(stored.fields),
    // A task waits, or somebody holds an attempt at it: the claim tells, so no document is rewritten for it.
    status: status === 'pending' && attempt > 0 ? 'in_progress' : status,
    attempt: ended_at === null ? attempt : stored.attempt,
    error: stored.error === null ? null : JSON.parse(stored.error),
    user_message: question,
    assistant_responses: answers,
    actual_duration: ended_at === null ? null : (Date.parse(ended_at) - Date.parse(created_at)) / 1000,
    created_at,
    updated_at: stored.updated_at,
    ended_at,
  };
}

/** A task of a conversation that the user is a member of. */
export async function getTask(db: Database, userId: string, taskId: string): Promise<Task | null> {
  const stored = await db.tasks.findOne({ _id: taskId });
  const own = stored && (await standing(db, userId, stored.conversation_id));
  if (!own) return null;
  const isBehind = stored.open_user_id !== null && !own.open_tasks.has(taskId);
  if (isBehind) await rebuildTask(db, stored.conversation_id, taskId);
  const task = isBehind ? await db.tasks.findOne({ _id: taskId }) : stored;
  if (!task) return null;
  const [claims, messages] = await Promise.all([claimsOf(db, task.conversation_id, [taskId]), exchangeOf(db, task)]);
  return toTask(task, claims, messages);
}

/** The user's tasks, newest first; the list ends early with the one that brings its text to the most that is sent at once. */
export async function listTasks(
  db: Database,
  userId: string,
  filter: TaskFilter,
  query: Pick<ListQuery, 'skip' | 'limit'>,
): Promise<{ tasks: Task[]; total: number }> {
  const ids = await ownConversations(db, userId, filter.conversation_id);
  if (ids.length === 0) return { tasks: [], total: 0 };
  const wanted = await conditions(db, ids, filter);
  const [found, total] = await Promise.all([
    db.tasks.find(wanted).sort({ created_at: -1, _id: 1 }).skip(query.skip).limit(query.limit).toArray(),
    db.tasks.countDocuments(wanted),
  ]);
  const places = await standingIn(db, userId, [...new Set(found.map(({ conversation_id }) => conversation_id))]);
  const seen = found.filter(({ conversation_id }) => places.has(conversation_id));
  return { tasks: await withMessages(db, seen), total };
}

async function ownConversations(db: Database, userId: string, only: string | undefined): Promise<string[]> {
  if (only !== undefined) return (await standing(db, userId, only)) ? [only] : [];
  const found = await db.conversations.find({ 'members.user_id': userId }, { projection: { _id: 1 } }).toArray();
  return found.map(({ _id }) => _id);
}

async function conditions(db: Database, conversationIds: string[], filter: TaskFilter): Promise<Filter<TaskDocument>> {
  const { status, priority, category } = filter;
  const wanted: Filter<TaskDocument> = {
    conversation_id: { $in: conversationIds },
    ...(priority !== undefined && { priority }),
    ...(category !== undefined && { category }),
  };
  if (status === undefined) return { ...wanted, status: { $ne: 'deleted' } };
  if (status !== 'pending' && status !== 'in_progress') return { ...wanted, status };
  const claimed = await db.claims
    .find({ conversation_id: { $in: conversationIds } }, { projection: { _id: 0, task_id: 1 } })
    .toArray();
  const ids = [...new Set(claimed.map(({ task_id }) => task_id))];
  if (status === 'pending') return { ...wanted, status, _id: { $nin: ids } };
  return { ...wanted, $or: [{ status }, { status: 'pending', _id: { $in: ids } }] };
}

async function withMessages(db: Database, found: readonly TaskDocument[]): Promise<Task[]> {
  const tasks: Task[] = [];
  let text = 0;
  for (let start = 0; start < found.length && text <= MESSAGE_PAGE_TEXT; start += TASKS_AT_ONCE) {
    const some = found.slice(start, start + TASKS_AT_ONCE);
    const [claims, exchanges] = await Promise.all([
      claimsOfTasks(db, some),
      Promise.all(some.map((task) => exchangeOf(db, task))),
    ]);
    for (const [index, stored] of some.entries()) {
      const messages = exchanges[index] ?? [];
      const task = toTask(stored, claims, messages);
      if (task) tasks.push(task);
      text += messages.reduce((sum, { content }) => sum + content.length, 0);
      if (text > MESSAGE_PAGE_TEXT) break;
    }
  }
  return tasks;
}

async function claimsOfTasks(db: Database, tasks: readonly TaskDocument[]): Promise<ClaimDocument[]> {
  const open = tasks.filter((task) => task.open_user_id !== null);
  if (open.length === 0) return [];
  const ids = [...new Set(open.map((task) => task.conversation_id))];
  const wanted = { conversation_id: { $in: ids }, task_id: { $in: open.map((task) => task._id) } };
  return db.claims.find(wanted).toArray();
}
