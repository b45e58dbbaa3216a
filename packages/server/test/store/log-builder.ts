import type { ConversationEvent, EndedTask, LogEventData, Message } from '@tertulia/protocol';
import { newConversationId, newId } from '../../src/ids.ts';
import { newTask } from '../../src/events/messages.ts';
import type { NewEvent } from '../../src/store/store.ts';

/** The time of every event that tests of stores append. */
export const created_at = '2026-01-01T00:00:00.000Z';
/** Who writes in them. */
export const ME = 'user-1';
/** The author of their events. */
export const actor = { kind: 'user', id: ME, name: 'alice' } as const;

/** A log in the making: builds the next event, with what the indexes need. */
export class LogBuilder {
  readonly id = newConversationId();
  seq = 0;

  event<T extends ConversationEvent['type']>(
    type: T,
    data: LogEventData<T>,
    parts: Partial<Omit<NewEvent, 'event'>> & { seq?: number } = {},
  ): NewEvent {
    const { seq = this.seq + 1, ...rest } = parts;
    const event = { conversation_id: this.id, seq, type, actor, created_at, data } as ConversationEvent;
    return { event, sender: ME, client_msg_id: null, ends_task: null, claim: null, ...rest };
  }

  created(): NewEvent {
    const owner = { user_id: ME, username: 'alice', role: 'owner', joined_at: created_at } as const;
    return this.event('conversation_created', {
      title: 'a room',
      description: null,
      metadata: {},
      is_active: true,
      owner,
    });
  }

  message(content: string, parts: Partial<Message> = {}): Message {
    return {
      id: newId(),
      role: 'user',
      content,
      metadata: {},
      timestamp: 1_767_225_600.123,
      seq: this.seq + 1,
      conversation_id: this.id,
      task_id: null,
      author: actor,
      ...parts,
    };
  }

  question(content: string, parts: Partial<NewEvent> = {}) {
    const task = newTask(ME, 'echo');
    const message = this.message(content, { task_id: task.id });
    return { task, message, given: this.event('message_created', { message, task }, parts) };
  }

  answer(taskId: string, content: string, attempt = 1): NewEvent {
    const author = { kind: 'assistant', id: 'echo', name: 'echo' } as const;
    const message = this.message(content, { role: 'assistant', task_id: taskId, author });
    const end: EndedTask = { id: taskId, attempt, status: 'completed', error: null };
    return this.event('message_created', { message, ends_task: end }, { sender: null, ends_task: taskId });
  }
}
