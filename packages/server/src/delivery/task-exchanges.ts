import type { BaseServerPayload, ConversationEvent, Message } from '@tertulia/protocol';
import { endOf, messageOf } from '../store/store.ts';

/** A task's question and answers, as the base layer's `conversation` event has them. */
export type Exchange = BaseServerPayload<'conversation'>;

/** UTF-16 units of text that unfinished exchanges may hold in all; beyond it the database is asked instead. */
const REMEMBERED_UNITS = 16_000_000;
/** What a message takes besides its text and metadata, about. */
const MESSAGE_UNITS = 500;

/**
 * Puts a task's question and answers together for the base layer's `conversation` event, from the events as they
 * pass; what did not pass here is read from the database.
 */
export class TaskExchanges {
  readonly #read: (taskId: string) => Promise<Message[]>;
  readonly #open = new Map<string, Message[]>();
  #units = 0;

  constructor(read: (taskId: string) => Promise<Message[]>) {
    this.#read = read;
  }

  /** Notes a passing event; answers the whole exchange where the event ends its task. */
  pass(event: ConversationEvent): Exchange | Promise<Exchange | null> | null {
    if (event.type === 'task_deleted') this.#take(event.data.task_id);
    const message = messageOf(event);
    if (message?.task_id) this.#note(message, message.task_id);
    const end = endOf(event);
    if (!end) return null;
    const known = this.#take(end.id);
    if (known?.[0]?.role === 'user') return toExchange(end.id, known);
    return this.#read(end.id).then((messages) => (messages.length > 0 ? toExchange(end.id, messages) : null));
  }

  #take(taskId: string): Message[] | undefined {
    const known = this.#open.get(taskId);
    this.#open.delete(taskId);
    for (const message of known ?? []) this.#units -= unitsOf(message);
    return known;
  }

  #note(message: Message, taskId: string): void {
    const messages = this.#open.get(taskId);
    if (messages) messages.push(message);
    else if (message.role === 'user') this.#open.set(taskId, [message]);
    else return;
    this.#units += unitsOf(message);
    for (const id of this.#open.keys()) {
      if (this.#units <= REMEMBERED_UNITS) return;
      this.#take(id);
    }
  }
}

/** About what a message takes of memory, in UTF-16 units. */
export function unitsOf({ content, metadata }: Message): number {
  for (const _ in metadata) return MESSAGE_UNITS + content.length + JSON.stringify(metadata).length;
  return MESSAGE_UNITS + content.length;
}

function toExchange(taskId: string, messages: readonly Message[]): Exchange {
  const [question, ...answers] = messages;
  if (!question) throw new Error(`task ${taskId} has no question`);
  return {
    task_id: taskId,
    conversation_id: question.conversation_id,
    user_message: question,
    assistant_responses: answers,
  };
}
