import {
  ERRORS,
  type ConversationEvent,
  type EndedTask,
  type ExtendedServerPayload,
  type Message,
} from '@tertulia/protocol';
import { endOf } from '../store/store.ts';
import type { Emitter } from './emitter.ts';
import { baseConversationRoom, baseUserRoom } from './rooms.ts';
import { TaskExchanges, type Exchange } from './task-exchanges.ts';

/** What the base layer is told with. */
export interface BaseAnswersParts {
  readonly emitter: Emitter;
  /** A task's question and answers, from the database. */
  readExchange(taskId: string): Promise<Message[]>;
  /** Whether a user is a member of a conversation after event `seq`, or by now; at once where it is known. */
  isMember(conversationId: string, userId: string, seq: number): boolean | Promise<boolean>;
}

/** Tells base-layer sockets how tasks end: `conversation`, or for the sender of a failed one `error`. */
export class BaseAnswers {
  readonly #parts: BaseAnswersParts;
  readonly #exchanges: TaskExchanges;

  constructor(parts: BaseAnswersParts) {
    this.#parts = parts;
    this.#exchanges = new TaskExchanges((taskId) => parts.readExchange(taskId));
  }

  /** Every event passes here once, in order where its conversation is joined. `asker`: whose open task it ends. */
  pass(event: ConversationEvent, asker: string | null): Promise<void> | void {
    const exchange = this.#exchanges.pass(event);
    if (event.type === 'task_deleted' && asker !== null) return this.#tellDeleted(event, event.data.task_id, asker);
    if (!exchange) return;
    if (!(exchange instanceof Promise)) return this.#tell(event, exchange);
    return exchange.then((read) => (read ? this.#tell(event, read) : undefined));
  }

  #tell(event: ConversationEvent, exchange: Exchange): Promise<void> | void {
    return this.#whetherThere(event, exchange.user_message.author.id, (isThere) =>
      this.#emit(event, exchange, isThere),
    );
  }

  #tellDeleted(event: ConversationEvent, taskId: string, asker: string): Promise<void> | void {
    const failure = failureOf({ id: taskId, status: 'cancelled', error: null });
    return this.#whetherThere(event, asker, (isThere) => {
      if (isThere) this.#parts.emitter.emit([baseUserRoom(asker)], 'error', failure);
    });
  }

  /** Whoever asked and is no longer a member gets no answer. */
  #whetherThere(event: ConversationEvent, userId: string, then: (isThere: boolean) => void): Promise<void> | void {
    const { emitter } = this.#parts;
    const isThere =
      emitter.hasRoom(baseUserRoom(userId)) && this.#parts.isMember(event.conversation_id, userId, event.seq);
    return isThere instanceof Promise ? isThere.then(then) : then(isThere);
  }

  #emit(event: ConversationEvent, exchange: Exchange, isSenderThere: boolean): void {
    const { emitter } = this.#parts;
    const sender = isSenderThere ? [baseUserRoom(exchange.user_message.author.id)] : [];
    const room = baseConversationRoom(event.conversation_id);
    const end = endOf(event);
    if (!end || end.status === 'completed') {
      emitter.emit([room, ...sender], 'conversation', exchange);
      return;
    }
    emitter.emit(sender, 'error', failureOf(end));
    emitter.emit([room], 'conversation', exchange, sender);
  }
}

function failureOf(end: Pick<EndedTask, 'id' | 'status' | 'error'>): ExtendedServerPayload<'error'> {
  const code = end.error?.code ?? (end.status === 'cancelled' ? 'cancelled' : 'assistant_failed');
  return { message: end.error?.message ?? ERRORS[code].message, error: code, task_id: end.id };
}
