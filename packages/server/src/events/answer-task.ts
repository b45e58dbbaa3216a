import { isDeepStrictEqual } from 'node:util';
import {
  ChatError,
  type EndedTask,
  type JsonObject,
  type LogEventData,
  type Message,
  type Task,
  type User,
} from '@tertulia/protocol';
import { endOf, messageOf } from '../store/store.ts';
import { appendAsMember } from './append.ts';
import { refuseLongText } from './chat.ts';
import type { Context } from './context.ts';
import { newMessage } from './messages.ts';
import { onNewestTask, refuseOutdated, refuseStranger } from './tasks.ts';

/** What a worker outside this process says to a task. */
export interface WorkerMessage {
  readonly role: 'assistant' | 'system';
  readonly content: string;
  readonly metadata?: JsonObject | null | undefined;
  readonly client_msg_id?: string | null | undefined;
  /** Whether this answer ends the task. */
  readonly final: boolean;
}

/**
 * Stores what a worker outside answers; the last answer ends the task. A repeat of the same `client_msg_id` gets the
 * first answer again, also after the end.
 * @throws {ChatError} `not_found`, `forbidden`, `too_large`, `task_ended`, `idempotency_conflict`
 */
export async function answerTask(context: Context, user: User, taskId: string, given: WorkerMessage): Promise<Message> {
  refuseLongText(given.content, context.config.ANSWER_MAX);
  return onNewestTask(context, user, taskId, (task) => append(context, user, task, given));
}

async function append(context: Context, user: User, task: Task, given: WorkerMessage): Promise<Message> {
  const message = workerMessage(task, given);
  const end: EndedTask = { id: task.id, attempt: task.attempt, status: 'completed', error: null };
  const { event, status } = await appendAsMember(context, user, task.conversation_id, (view, member, seq) => {
    refuseStranger(task, member);
    refuseOutdated(task, view);
    // With the id of a task that has ended the insert cannot succeed: it finds the end, or this very message.
    const ends_task = given.final || task.ended_at !== null ? task.id : undefined;
    const data: LogEventData<'message_created'> = { message: { ...message, seq } };
    if (given.final) data.ends_task = end;
    if (given.client_msg_id) data.client_msg_id = given.client_msg_id;
    return { type: 'message_created', data, ends_task, client_msg_id: given.client_msg_id ?? undefined };
  });
  if (status === 'task_ended') throw new ChatError('task_ended', { task_id: task.id });
  const stored = messageOf(event);
  const isFinal = endOf(event) !== null;
  if (!stored || !isSame(stored, message) || isFinal !== given.final) throw new ChatError('idempotency_conflict');
  return stored;
}

/** Its author is named so that no worker passes for an assistant of the server's; who sent it is the event's actor. */
function workerMessage(task: Task, given: WorkerMessage): Omit<Message, 'seq'> {
  return newMessage({
    conversationId: task.conversation_id,
    role: given.role,
    content: given.content,
    metadata: given.metadata ?? {},
    author: { kind: given.role, id: 'external', name: 'external' },
    taskId: task.id,
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
