import { ChatError, type User } from '@tertulia/protocol';
import { appendAsMember } from './append.ts';
import type { Context } from './context.ts';
import { updateTask } from './tasks.ts';

/** Where people go on asking meanwhile, what is open after so many rounds goes with the conversation. */
const CANCEL_ROUNDS = 3;

/** The conversation is not to be deleted yet. */
class TasksAreOpen extends Error {
  readonly taskIds: readonly string[];

  constructor(taskIds: readonly string[]) {
    super('tasks are open');
    this.taskIds = taskIds;
  }
}

/**
 * The owner deletes the conversation for all; what is being answered is cancelled before, so that whoever asked hears
 * of it. Any other member leaves it.
 * @throws {ChatError} `not_found`
 */
export async function deleteOrLeaveConversation(context: Context, user: User, id: string): Promise<void> {
  for (let round = 1; ; round += 1) {
    try {
      return await deleteOrLeave(context, user, id, round > CANCEL_ROUNDS);
    } catch (error) {
      if (!(error instanceof TasksAreOpen)) throw error;
      // The newest first: else one that waits would begin as soon as the one before it ends.
      for (const taskId of error.taskIds.toReversed()) await cancel(context, user, taskId);
    }
  }
}

async function deleteOrLeave(context: Context, user: User, id: string, isLast: boolean): Promise<void> {
  let openTasks: string[] = [];
  const { event } = await appendAsMember(context, user, id, (view, member) => {
    if (member.role !== 'owner') return { type: 'member_left', data: { user_id: user.id, username: user.username } };
    openTasks = [...view.open_tasks.keys()];
    if (openTasks.length > 0 && !isLast) throw new TasksAreOpen(openTasks);
    return { type: 'conversation_deleted', data: {} };
  });
  if (event.type !== 'conversation_deleted') return;
  context.tasks.dropped(openTasks);
  context.taskEnds.dropped(openTasks);
}

async function cancel(context: Context, user: User, taskId: string): Promise<void> {
  try {
    await updateTask(context, user, taskId, { status: 'cancelled' });
  } catch (error) {
    const isOver = error instanceof ChatError && (error.code === 'task_ended' || error.code === 'not_found');
    if (!isOver) throw error;
  }
}
