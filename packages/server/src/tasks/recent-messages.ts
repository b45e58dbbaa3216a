import type { ConversationEvent, Message } from '@tertulia/protocol';
import { unitsOf } from '../delivery/task-exchanges.ts';

import { messageOf, type TaskStore } from '../store/store.ts';

/** How many of a conversation's newest messages an assistant sees. */
const CONTEXT_MESSAGES = 50;
/** UTF-16 units kept in all; the conversation that was quiet longest goes first. */
const KEPT_UNITS = 32_000_000;

interface Recent {
  seq: number;
  title: string;
  units: number;
  readonly messages: Message[];
}

/** What an assistant is told of a conversation. */
export type Context = Pick<Recent, 'title' | 'messages'>;

/**
 * The newest messages of busy conversations, so that a question costs no read of what was just written. It is fed by
 * the events as they are appended, and counts their seqs: where one is missing (another process wrote it) the
 * conversation is read again.
 */
export class RecentMessages {
  readonly #store: TaskStore;
  readonly #conversations = new Map<string, Recent>();
  #units = 0;

  constructor(store: TaskStore) {
    this.#store = store;
  }

  /** Notes an event that was appended. */
  pass(event: ConversationEvent): void {
    const recent =
      event.type === 'conversation_created'
        ? this.#begin(event.data.title)
        : this.#conversations.get(event.conversation_id);
    if (!recent) return;
    this.#forget(event.conversation_id);
    const isNext = event.seq === recent.seq + 1;
    if (!isNext || event.type === 'task_deleted' || event.type === 'conversation_deleted') return;
    recent.seq = event.seq;
    if (event.type === 'conversation_updated') recent.title = event.data.title ?? recent.title;
    const message = messageOf(event);
    if (message) add(recent, message);
    this.#keep(event.conversation_id, recent);
  }

  /** Title and messages up to `seq`, oldest first. */
  async upTo(conversationId: string, seq: number): Promise<Context> {
    const recent = this.#conversations.get(conversationId);
    const kept = recent && recent.seq >= seq ? recent.messages.filter((message) => message.seq <= seq) : [];
    // A question that waited long has more newer messages than are kept here, and its own may be none of them.
    const isWhole = kept.length > 0 && (kept.length === recent?.messages.length || !isCut(recent));
    if (recent && isWhole) return { title: recent.title, messages: kept };
    const { title, messages } = await this.#store.context(conversationId, seq, CONTEXT_MESSAGES);
    if (!this.#conversations.has(conversationId)) {
      const units = messages.reduce((sum, message) => sum + unitsOf(message), 0);
      this.#keep(conversationId, { seq, title, units, messages: [...messages] });
    }
    return { title, messages };
  }

  #begin(title: string): Recent {
    return { seq: 0, title, units: 0, messages: [] };
  }

  #keep(conversationId: string, recent: Recent): void {
    this.#conversations.set(conversationId, recent);
    this.#units += recent.units;
    for (const id of this.#conversations.keys()) {
      if (this.#units <= KEPT_UNITS) return;
      this.#forget(id);
    }
  }

  #forget(conversationId: string): void {
    this.#units -= this.#conversations.get(conversationId)?.units ?? 0;
    this.#conversations.delete(conversationId);
  }
}

/** Whether the conversation has, or may have, older messages than are kept. */
function isCut(recent: Recent | undefined): boolean {
  return (recent?.messages.length ?? 0) >= CONTEXT_MESSAGES;
}

function add(recent: Recent, message: Message): void {
  recent.messages.push(message);
  recent.units += unitsOf(message);
  if (recent.messages.length <= CONTEXT_MESSAGES) return;
  const [oldest] = recent.messages.splice(0, 1);
  if (oldest) recent.units -= unitsOf(oldest);
}
