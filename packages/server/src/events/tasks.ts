import { isDeepStrictEqual } from 'node:util';
import {
  ChatError,
  type EndedTask,
  type LogEventData,
  type Member,
  type Task,
  type TaskFields,
  type TaskStatus,
  type User,
} from '@tertulia/protocol';
import { DELETED_TITLE, endOf, type ConversationView } from '../store/store.ts';
import { appendAsMember } from './append.ts';
import type { Context } from './context.ts';
import { readConversation } from './conversations.ts';
import { titleOf } from './messages.ts';

type Fields = LogEventData<'task_updated'>['fields'];
type EndStatus = EndedTask['status'];

/** What of a task may change; absent fields stay as they are. */
export interface TaskChanges extends Omit<Fields, 'status'> {
  readonly status?: TaskStatus | undefined;
}

/** A task of a conversation that the user is a member of. @throws {ChatError} `not_found` */
export async function readTask(context: Context, userId: string, taskId: string): Promise<Task> {
  const task = await context.store.conversations.task(userId, taskId);
  if (!task) throw new ChatError('not_found');
  return task;
}

/**
 * Changes a task's fields while it is open, and ends it where the status says so. What it is already is no change.
 * @throws {ChatError} `not_found`, `forbidden`, `task_ended`, `invalid_payload`
 */
export async function updateTask(
  context: Context,
  user: User,
  taskId: string,
  { status, ...fields }: TaskChanges,
): Promise<Task> {
  await onNewestTask(context, user, taskId, async (task) => {
    refuseReturn(task, status);
    const changed: Fields = Object.fromEntries(
      Object.entries(fields).filter(([name, value]) => !isDeepStrictEqual(value, task[name as keyof TaskFields])),
    );
    if (status === 'in_progress' && task.status === 'pending') changed.status = status;
    if (Object.keys(changed).length > 0) await changeFields(context, user, task, changed);
    if (isEnd(status)) await endTaskAs(context, user, task, status);
  });
  return readTask(context, user.id, taskId);
}

/**
 * Removes a task and its messages; one that is open is cancelled by the same event.
 * @throws {ChatError} `not_found`, `forbidden`
 */
export async function deleteTask(context: Context, user: User, taskId: string): Promise<void> {
  await onNewestTask(context, user, taskId, async (task) => {
    await deleteTitle(context, user, task);
    const { status } = await appendAsMember(context, user, task.conversation_id, (view, member) => {
      refuseStranger(task, member);
      refuseOutdated(task, view);
      const ends_task = task.ended_at === null ? taskId : undefined;
      return { type: 'task_deleted', data: { task_id: taskId }, ends_task };
    });
    if (status === 'task_ended') throw new TaskOutdated();
  });
}

/** A conversation that a question made is titled by it, until somebody gives it another title. */
async function deleteTitle(context: Context, user: User, task: Task): Promise<void> {
  const { seq, content } = task.user_message;
  if (seq !== 1) return;
  const made = titleOf(content);
  const { title } = await readConversation(context, user.id, task.conversation_id);
  if (title !== made) return;
  await appendAsMember(context, user, task.conversation_id, (view, member) => {
    refuseStranger(task, member);
    refuseOutdated(task, view);
    return { type: 'conversation_updated', data: { title: view.title === made ? DELETED_TITLE : view.title } };
  });
}

/** What was read of a task no longer holds: it was open and is not any more. */
class TaskOutdated extends Error {}

/** Within a decision: it must rest on the newest view. */
export function refuseOutdated(task: Task, view: ConversationView): void {
  if (task.ended_at === null && !view.open_tasks.has(task.id)) throw new TaskOutdated();
}

/**
 * Acts on a task as it was read; where it ended or was deleted meanwhile, once more on what it is now.
 * @throws {ChatError} `not_found`, and what `act` throws
 */
export async function onNewestTask<T>(
  context: Context,
  user: User,
  taskId: string,
  act: (task: Task) => Promise<T>,
): Promise<T> {
  try {
    return await act(await readTask(context, user.id, taskId));
  } catch (error) {
    if (!(error instanceof TaskOutdated)) throw error;
    return act(await readTask(context, user.id, taskId));
  }
}

/** Only who asked and the conversation's owner may touch a task; all members may read it. */
export function refuseStranger(task: Task, member: Member): void {
  if (member.user_id === task.user_id || member.role === 'owner') return;
  throw new ChatError('forbidden', { message: "Only who asked and the conversation's owner may change a task." });
}

/** @throws {ChatError} where the status would go backwards. */
function refuseReturn(task: Task, status: TaskStatus | undefined): void {
  if (status === undefined || isEnd(status) || status === task.status) return;
  if (isEnd(task.status)) throw new ChatError('task_ended', { task_id: task.id });
  if (status === 'pending') {
    throw new ChatError('invalid_payload', { message: 'A task that was begun cannot be pending again.' });
  }
}

function isEnd(status: TaskStatus | undefined): status is EndStatus {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

async function changeFields(context: Context, user: User, task: Task, fields: Fields): Promise<void> {
  await appendAsMember(context, user, task.conversation_id, (view, member) => {
    refuseStranger(task, member);
    refuseOutdated(task, view);
    if (task.ended_at !== null) throw new ChatError('task_ended', { task_id: task.id });
    return { type: 'task_updated', data: { task_id: task.id, fields } };
  });
}

/** Between several ends the unique index decides. The same end again is no change, another is refused. */
async function endTaskAs(context: Context, user: User, task: Task, status: EndStatus): Promise<void> {
  if (task.status === status) return;
  if (task.ended_at !== null) throw new ChatError('task_ended', { task_id: task.id });
  const progress = await context.store.tasks.progress(task.id);
  const end: EndedTask = {
    id: task.id,
    attempt: progress?.attempt ?? task.attempt,
    status,
    error: status === 'failed' ? { code: 'assistant_failed', message: 'The task was marked as failed.' } : null,
    ...(progress?.text && { partial_text: progress.text }),
  };
  const appended = await appendAsMember(context, user, task.conversation_id, (view, member) => {
    refuseStranger(task, member);
    refuseOutdated(task, view);
    return { type: 'task_ended', data: { task: end }, ends_task: task.id };
  });
  if (endOf(appended.event)?.status !== status) throw new ChatError('task_ended', { task_id: task.id });
}
