import { ChatError, type ConversationEvent, type EndedTask } from '@tertulia/protocol';
import type { ConversationLog } from '../store/conversation-log.ts';
import type { DueTask, Store } from '../store/store.ts';

/**
 * Ends a task without an answer. Another's end that stands already is answered as it is.
 * @throws {ChatError} `not_found` where there is no such conversation.
 */
export async function endTask(
  conversations: ConversationLog,
  conversationId: string,
  end: EndedTask,
  actor: ConversationEvent['actor'] = { kind: 'system', id: 'system', name: 'system' },
) {
  const created_at = new Date().toISOString();
  return conversations.append(conversationId, (view, seq) => {
    if (!view || view.is_deleted) throw new ChatError('not_found');
    const event: ConversationEvent = {
      conversation_id: conversationId,
      seq,
      type: 'task_ended',
      actor,
      created_at,
      data: { task: end },
    };
    return { event, sender: null, client_msg_id: null, ends_task: end.id, claim: null };
  });
}

/** Ends a task that was interrupted as often as it may be, with what its last attempt wrote. */
export async function giveUp(
  { store, conversations }: { store: Store; conversations: ConversationLog },
  { conversation_id, task: { id } }: DueTask,
  attempts: number,
): Promise<void> {
  const message = `The assistant was interrupted ${attempts} times. Send the message again to retry.`;
  const end: EndedTask = { id, attempt: attempts, status: 'failed', error: { code: 'assistant_failed', message } };
  const progress = await store.tasks.progress(id);
  if (progress && progress.text !== '') end.partial_text = progress.text;
  await endTask(conversations, conversation_id, end);
}
