import type { ConversationEvent } from '@tertulia/protocol';
import type { Logger } from '../log.ts';
import type { LogStore } from '../store/store.ts';
import { conversationTopic, type Bus } from './bus.ts';
import { ConversationDeliverer } from './conversation-deliverer.ts';

/** After the log could not be read. */
const RETRY_MS = 1_000;
/** While the bus is down the log is looked at this often, and every few looks also while it is up: it may lose things. */
const TAIL_MS = 1_500;
const LOOKS_WITH_BUS = 5;
/** What other nodes store is not told until the bus is back for them, too: up to 4 s later. */
const EARLY_LOOKS = 4;
/** The bus tells of an event twice within a moment, if at all. */
const REMEMBERED_EVENTS = 10_000;
/** Conversations whose last seq is asked for in one go. */
const TAIL_CONVERSATIONS = 1_000;

/** What following conversations takes. */
export interface FollowedParts {
  readonly store: LogStore;
  readonly bus: Bus;
  readonly log: Logger;
  /** Each event of a followed conversation, in order. */
  deliver(event: ConversationEvent): Promise<void> | void;
  onForgotten(conversationId: string): void;
}

/** The conversations whose events this node delivers in order, each by a deliverer of its own. */
export class FollowedConversations {
  readonly #parts: FollowedParts;
  readonly #deliverers = new Map<string, ConversationDeliverer>();
  readonly #opening = new Map<string, Promise<ConversationDeliverer>>();
  /** The last seq that passed while its conversation's deliverer was being opened. */
  readonly #passed = new Map<string, number>();
  /** Events that passed without a deliverer, by conversation and seq. */
  readonly #lately = new Set<string>();
  #tailing: NodeJS.Timeout | null = null;
  #looks = 0;
  #lastLook: Promise<void> = Promise.resolve();
  #nextLook: Promise<void> | null = null;

  constructor(parts: FollowedParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#deliverers.size;
  }

  /** Begins to look for what the bus loses. */
  begin(): void {
    const { bus } = this.#parts;
    if (!bus.isShared) return;
    this.#tailing = setInterval(() => {
      this.#looks += 1;
      if (!bus.isUp || this.#looks <= EARLY_LOOKS || this.#looks % LOOKS_WITH_BUS === 0) void this.#look();
    }, TAIL_MS);
  }

  close(): void {
    if (this.#tailing) clearInterval(this.#tailing);
  }

  /** The deliverer that has yet to deliver this event. */
  delivererOf(event: ConversationEvent): ConversationDeliverer | null {
    const deliverer = this.#deliverers.get(event.conversation_id);
    return deliverer && event.seq > deliverer.startedAt ? deliverer : null;
  }

  get(conversationId: string): ConversationDeliverer | undefined {
    return this.#deliverers.get(conversationId);
  }

  /**
   * Notes an event that passes without a deliverer: one that is being opened begins above it. Answers false where it
   * did pass already: the bus may tell of an event twice, by its conversation and by its asker.
   */
  passes({ conversation_id, seq }: ConversationEvent): boolean {
    if (this.#opening.has(conversation_id)) {
      this.#passed.set(conversation_id, Math.max(seq, this.#passed.get(conversation_id) ?? 0));
    }
    if (!this.#parts.bus.isShared) return true;
    const key = `${conversation_id} ${seq}`;
    if (this.#lately.has(key)) return false;
    this.#lately.add(key);
    const [oldest] = this.#lately;
    if (this.#lately.size > REMEMBERED_EVENTS && oldest !== undefined) this.#lately.delete(oldest);
    return true;
  }

  /** Follows a conversation from the end of its log. */
  async open(conversationId: string): Promise<ConversationDeliverer> {
    const known = this.#deliverers.get(conversationId);
    if (known) return known;
    let opening = this.#opening.get(conversationId);
    if (!opening) {
      opening = this.#lastSeq(conversationId)
        .then((seq) => this.#add(conversationId, Math.max(seq, this.#passed.get(conversationId) ?? 0)))
        .finally(() => {
          this.#opening.delete(conversationId);
          this.#passed.delete(conversationId);
        });
      this.#opening.set(conversationId, opening);
    }
    return opening;
  }

  /** The same where everything up to `seq` has passed here: without a turn of the event loop, without a read. */
  openFrom(conversationId: string, seq: number): void {
    if (this.#deliverers.has(conversationId) || this.#opening.has(conversationId)) return;
    this.#add(conversationId, seq);
    const following = this.#parts.bus.follow(conversationTopic(conversationId));
    following?.then(() => this.#lookAt([conversationId])).catch((error: unknown) => this.failed(error, conversationId));
  }

  /** Read once this node is told of what comes after. */
  async #lastSeq(conversationId: string): Promise<number> {
    const { bus, store } = this.#parts;
    if (!bus.isShared) return store.lastSeq(conversationId);
    await bus.follow(conversationTopic(conversationId));
    try {
      return await store.lastSeq(conversationId);
    } catch (error) {
      bus.unfollow(conversationTopic(conversationId)); // else it would be followed for ever
      throw error;
    }
  }

  #add(conversationId: string, seq: number): ConversationDeliverer {
    const { store } = this.#parts;
    const deliverer = new ConversationDeliverer(conversationId, seq, {
      read: (id, afterSeq, limit) => store.read(id, afterSeq, limit),
      deliver: (event) => this.#parts.deliver(event),
      onError: (error) => {
        this.failed(error, conversationId);
        setTimeout(() => void deliverer.retry(), RETRY_MS).unref();
      },
    });
    this.#deliverers.set(conversationId, deliverer);
    return deliverer;
  }

  failed(error: unknown, conversationId: string): void {
    this.#parts.log.error({ err: error, conversation_id: conversationId }, 'delivery failed; tried again');
  }

  /** Reads what the bus may have lost, now and a few times more: when it is back here, other nodes may not be back on it. */
  tail(): Promise<void> {
    this.#looks = 0;
    return this.#look();
  }

  /** Where the database is slow, those who ask meanwhile share the next look. */
  #look(): Promise<void> {
    if (this.#nextLook) return this.#nextLook;
    const next = this.#lastLook.then(() => {
      this.#nextLook = null;
      return this.#lookAtAll();
    });
    this.#nextLook = next;
    this.#lastLook = next;
    return next;
  }

  async #lookAtAll(): Promise<void> {
    const ids = [...this.#deliverers.keys()];
    try {
      for (let first = 0; first < ids.length; first += TAIL_CONVERSATIONS) {
        await this.#lookAt(ids.slice(first, first + TAIL_CONVERSATIONS));
      }
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'the log could not be looked at; tried again soon');
    }
  }

  async #lookAt(conversationIds: readonly string[]): Promise<void> {
    const seqs = await this.#parts.store.lastSeqs(conversationIds);
    await Promise.all([...seqs].map(async ([id, seq]) => this.#deliverers.get(id)?.catchUp(seq)));
  }

  /** The last seq of each conversation that changed since the last call. */
  changedSinceHeartbeat(): Map<string, number> {
    const changed = new Map<string, number>();
    for (const deliverer of this.#deliverers.values()) {
      if (deliverer.seq === deliverer.heartbeatSeq) continue;
      deliverer.heartbeatSeq = deliverer.seq;
      changed.set(deliverer.conversationId, deliverer.seq);
    }
    return changed;
  }

  /** Forgets the conversations that nobody needs. */
  forgetUnless(isNeeded: (conversationId: string) => boolean): void {
    for (const [id, deliverer] of this.#deliverers) {
      if (deliverer.isAwaited || isNeeded(id)) continue;
      this.#deliverers.delete(id);
      this.#parts.bus.unfollow(conversationTopic(id));
      this.#parts.onForgotten(id);
    }
  }
}
