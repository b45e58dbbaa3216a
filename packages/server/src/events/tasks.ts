import { isDeepStrictEqual } from 'node:util';
import {
  ChatError,
  type EndedTask,
  type JsonObject,
  type LogEventData,
  type Member,
  type Message,
  type Task,
  type TaskFields,
  type TaskStatus,
  type User,
} from '@tertulia/protocol';
import { messageOf } from '../delivery/task-exchanges.ts';
import { endOf } from '../store/store.ts';
import { appendAsMember } from './append.ts';
import { refuseLongText } from './chat.ts';
import type { Context } from './context.ts';
import { newMessage } from './messages.ts';

type Fields = LogEventData<'task_updated'>['fields'];

/** What of a task may change; absent fields stay as they are. */
export interface TaskChanges extends Omit<Fields, 'status'> {
  readonly status?: TaskStatus | undefined;
}

/** What a worker outside this process says to a task. */
export interface WorkerMessage {
  readonly role: 'assistant' | 'system';
  readonly content: string;
  readonly metadata?: JsonObject | null | undefined;
  readonly client_msg_id?: string | null | undefined;
  /** Whether this answer ends the task. */
  readonly final: boolean;
}

type EndStatus = EndedTask['status'];

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
  const task = await readTask(context, user.id, taskId);
  refuseReturn(task, status);
  const changed: Fields = Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => !isDeepStrictEqual(value, task[name as keyof TaskFields])),
  );
  if (status === 'in_progress' && task.status === 'pending') changed.status = status;
  if (Object.keys(changed).length > 0) await changeFields(context, user, task, changed);
  if (isEnd(status)) await endTaskAs(context, user, task, status);
  return readTask(context, user.id, taskId);
}

/**
 * Removes a task and its messages; one that is open is cancelled by the same event.
 * @throws {ChatError} `not_found`, `forbidden`
 */
export async function deleteTask(context: Context, user: User, taskId: string): Promise<void> {
  const task = await readTask(context, user.id, taskId);
  const remove = (mayBeOpen: boolean) =>
    appendAsMember(context, user, task.conversation_id, (view, member) => {
      refuseStranger(task, member);
      const ends_task = mayBeOpen && view.open_tasks.has(taskId) ? taskId : undefined;
      return { type: 'task_deleted', data: { task_id: taskId }, ends_task };
    });
  const removed = await remove(true);
  if (removed.status === 'task_ended') await remove(false); // it ended just before, elsewhere
}

/**
 * Stores what a worker outside answers; the last answer ends the task. A repeat of the same `client_msg_id` gets the
 * first answer again, also after the end.
 * @throws {ChatError} `not_found`, `forbidden`, `too_large`, `task_ended`, `idempotency_conflict`
 */
export async function addTaskMessage(
  context: Context,
  user: User,
  taskId: string,
  given: WorkerMessage,
): Promise<Message> {
  refuseLongText(given.content, context.config.ANSWER_MAX);
  const task = await readTask(context, user.id, taskId);
  const message = newMessage({
    conversationId: task.conversation_id,
    role: given.role,
    content: given.content,
    metadata: given.metadata ?? {},
    // Named so that no worker passes for the server or for an assistant of its own; who sent it is the event's actor.
    author: { kind: given.role, id: 'external', name: 'external' },
    taskId,
  });
  const end: EndedTask = { id: taskId, attempt: task.attempt, status: 'completed', error: null };
  const appended = await appendAsMember(context, user, task.conversation_id, (view, member, seq) => {
    refuseStranger(task, member);
    // With the id of a task that has ended the insert cannot succeed: it finds the end, or this very message.
    const ends = given.final || !view.open_tasks.has(taskId);
    const data = { message: { ...message, seq }, ...(given.final && { ends_task: end }) };
    return {
      type: 'message_created',
      data,
      client_msg_id: given.client_msg_id ?? undefined,
      ends_task: ends ? taskId : undefined,
    };
  });
  if (appended.status === 'task_ended') throw new ChatError('task_ended', { task_id: taskId });
  const stored = messageOf(appended.event);
  const isFinal = endOf(appended.event) !== null;
  if (!stored || !isSame(stored, message) || isFinal !== given.final) throw new ChatError('idempotency_conflict');
  return stored;
}

async function changeFields(context: Context, user: User, task: Task, fields: Fields): Promise<void> {
  await appendAsMember(context, user, task.conversation_id, (view, member) => {
    refuseStranger(task, member);
    if (!view.open_tasks.has(task.id)) throw new ChatError('task_ended', { task_id: task.id });
    return { type: 'task_updated', data: { task_id: task.id, fields } };
  });
}

function isSame(stored: Message, message: Omit<Message, 'seq'>): boolean {
  return (
    stored.content === message.content &&
    stored.role === message.role &&
    stored.task_id === message.task_id &&
    isDeepStrictEqual(stored.metadata, message.metadata)
  );
}

function isEnd(status: TaskStatus | undefined): status is EndStatus {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** The unique index decides which end stands; another than the wanted one is refused. */
async function endTaskAs(context: Context, user: User, task: Task, status: EndStatus): Promise<void> {
  const { attempt, text } = await context.store.tasks.progress(task.id);
  const end: EndedTask = {
    id: task.id,
    attempt,
    status,
    error: status === 'failed' ? { code: 'assistant_failed', message: 'The task was marked as failed.' } : null,
    ...(text !== '' && { partial_text: text }),
  };
  const appended = await appendAsMember(context, user, task.conversation_id, (_view, member) => {
    refuseStranger(task, member);
    return { type: 'task_ended', data: { task: end }, ends_task: task.id };
  });
  if (endOf(appended.event)?.status !== status) throw new ChatError('task_ended', { task_id: task.id });
}

/** Only who asked and the conversation's owner may touch a task; all members may read it. */
function refuseStranger(task: Task, member: Member): void {
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
