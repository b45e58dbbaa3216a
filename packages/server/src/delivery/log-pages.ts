import type { ConversationEvent, EventPage } from '@tertulia/protocol';
import type { ConversationStore, LogHead } from '../store/store.ts';
import { noConversation } from './no-conversation.ts';
import { PAGE_BYTES, PAGE_EVENTS } from './page-bounds.ts';
import { RecentEvents } from './recent-events.ts';

/** What reading pages takes. */
export interface LogPagesParts {
  readonly conversations: ConversationStore;
  /** What a member may know of a log's end, where it is known without the database. */
  knownHead(conversationId: string, userId: string): LogHead | null;
}

/** Pages of logs for their members: from memory where this node has just delivered them, else from the database. */
export class LogPages {
  readonly #parts: LogPagesParts;
  readonly #recent = new RecentEvents();

  constructor(parts: LogPagesParts) {
    this.#parts = parts;
  }

  /** Notes an event as it is delivered, in order. */
  pass(event: ConversationEvent): void {
    this.#recent.pass(event);
  }

  /** The conversation is not delivered any more. */
  forget(conversationId: string): void {
    this.#recent.forget(conversationId);
  }

  /** Where a log ends, or null where the conversation is missing or foreign. */
  head(userId: string, conversationId: string): LogHead | Promise<LogHead | null> {
    return this.#parts.knownHead(conversationId, userId) ?? this.#parts.conversations.head(userId, conversationId);
  }

  /** A page above `afterSeq`. @throws {ChatError} `not_found` */
  async page(userId: string, conversationId: string, afterSeq: number, limit: number): Promise<EventPage> {
    const head = this.#recent.has(conversationId) ? await this.head(userId, conversationId) : null;
    const kept = head && this.#recent.page(conversationId, userId, afterSeq, head);
    if (kept && kept.events.length <= limit) return kept;
    return this.#read(userId, conversationId, afterSeq, limit);
  }

  /** A page above `afterSeq` for a member who knows the head. @throws {ChatError} `not_found` */
  async pageBelow(head: LogHead, userId: string, conversationId: string, afterSeq: number): Promise<EventPage> {
    const kept = this.#recent.page(conversationId, userId, afterSeq, head);
    return kept ?? this.#read(userId, conversationId, afterSeq, PAGE_EVENTS);
  }

  async #read(userId: string, conversationId: string, afterSeq: number, limit: number): Promise<EventPage> {
    const page = await this.#parts.conversations.events(userId, conversationId, afterSeq, limit, PAGE_BYTES);
    if (!page) throw noConversation();
    return page;
  }
}
