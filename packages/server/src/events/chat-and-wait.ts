import type { BaseServerPayload, Task, TaskError, TaskStatus, User } from '@tertulia/protocol';
import { chat, type ChatRequest } from './chat.ts';
import type { Context } from './context.ts';

/** The base layer's `conversation` for whoever asked over REST, and with a wait how the task stands. */
export interface ChatAnswer extends BaseServerPayload<'conversation'> {
  task_status?: TaskStatus;
  task_error?: TaskError | null;
}

/**
 * Sends a message as a socket's `chat` does, and waits up to `seconds` for the end of its task.
 * @throws {ChatError} what `chat` throws
 */
export async function chatAndWait(
  context: Context,
  user: User,
  request: ChatRequest,
  { seconds, signal }: { seconds: number; signal: AbortSignal },
): Promise<ChatAnswer> {
  const { task_id, conversation_id, user_message } = await chat(context, user, request);
  const answer = { task_id, conversation_id, user_message, assistant_responses: [] };
  if (seconds === 0) return answer;
  const task = await taskAtItsEnd(context, user, conversation_id, task_id, seconds * 1_000, signal);
  if (!task) return { ...answer, task_status: 'cancelled', task_error: null }; // deleted while we waited
  return {
    ...answer,
    assistant_responses: task.assistant_responses,
    task_status: task.status,
    task_error: task.error,
  };
}

/** The task once it has ended, or as it stands when the time is over. */
async function taskAtItsEnd(
  { store, taskEnds, delivery }: Context,
  user: User,
  conversationId: string,
  taskId: string,
  milliseconds: number,
  signal: AbortSignal,
): Promise<Task | null> {
  const found = new AbortController();
  const ended = taskEnds.wait(taskId, milliseconds, AbortSignal.any([signal, found.signal]));
  try {
    await delivery.awaited.follow(conversationId, taskId, user.id); // a repeat may wait on a node that was not asked first
    const task = await store.conversations.task(user.id, taskId);
    if (task && task.ended_at === null) {
      await ended;
      return await store.conversations.task(user.id, taskId);
    }
    delivery.awaited.remove(conversationId, taskId);
    return task;
  } finally {
    found.abort();
  }
}
