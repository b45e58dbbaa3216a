import { ChatError, type ConversationEvent } from '@tertulia/protocol';

/** What a deliverer needs: the log, and what to do with each event in its turn. */
export interface DelivererSource {
  read(conversationId: string, afterSeq: number, limit: number): Promise<ConversationEvent[]>;
  deliver(event: ConversationEvent): Promise<void> | void;
  onError(error: unknown): void;
}

const PAGE = 100;

/**
 * Hands one conversation's events to this node's sockets strictly in seq order (G3). Events are offered as they come,
 * in any order and perhaps twice; a missing one is read from the log.
 */
export class ConversationDeliverer {
  readonly conversationId: string;
  /** The seq after which it delivers. */
  readonly startedAt: number;
  readonly #source: DelivererSource;
  readonly #offered = new Map<number, ConversationEvent>();
  #delivered: number;
  #known: number;
  #working: Promise<void> | null = null;
  /** What is delivered while somebody joins: an array for each of them. */
  readonly #joiners = new Set<ConversationEvent[]>();
  /** The last seq when the last heartbeat went out. */
  heartbeatSeq: number;

  constructor(conversationId: string, delivered: number, source: DelivererSource) {
    this.conversationId = conversationId;
    this.startedAt = delivered;
    this.#delivered = delivered;
    this.#known = delivered;
    this.heartbeatSeq = delivered;
    this.#source = source;
  }

  /** The seq up to which this node's sockets have everything. */
  get seq(): number {
    return this.#delivered;
  }

  /**
   * Collects what is delivered from now on, for a joiner that has yet to read what came before: a conversation that
   * never pauses would else always be ahead of what was read. To be dropped with `forget`.
   */
  collect(): ConversationEvent[] {
    const events: ConversationEvent[] = [];
    this.#joiners.add(events);
    return events;
  }

  forget(collected: ConversationEvent[]): void {
    this.#joiners.delete(collected);
  }

  /** Whether somebody is joining. */
  get isAwaited(): boolean {
    return this.#joiners.size > 0;
  }

  offer(event: ConversationEvent): void {
    if (event.seq <= this.#delivered) return;
    if (event.seq > this.#known) this.#known = event.seq;
    if (event.seq === this.#delivered + 1 && !this.#working && this.#deliverAtOnce(event)) return;
    this.#offered.set(event.seq, event);
    void this.#work();
  }

  /** The usual case costs no turn of the event loop. Answers false where it has to be done step by step. */
  #deliverAtOnce(event: ConversationEvent): boolean {
    const pending = this.#deliver(event);
    this.#delivered = event.seq;
    if (pending) this.#working = this.#guard(pending.then(() => this.#run()));
    return true;
  }

  #deliver(event: ConversationEvent): Promise<void> | void {
    for (const events of this.#joiners) events.push(event);
    return this.#source.deliver(event);
  }

  /**
   * Resolves once everything up to `seq` is delivered.
   * @throws {ChatError} `unavailable` where the log cannot be read.
   */
  async catchUp(seq: number): Promise<void> {
    if (seq > this.#known) this.#known = seq;
    for (let idle = 0; this.#delivered < seq;) {
      const before = this.#delivered;
      await this.#work(); // may be the end of work that began before, so one round without progress says nothing
      idle = this.#delivered === before ? idle + 1 : 0;
      if (idle > 1) throw new ChatError('unavailable');
    }
  }

  /** Goes on after a failure, if anything is still to be delivered. */
  async retry(): Promise<void> {
    if (this.#delivered < this.#known) await this.#work();
  }

  #work(): Promise<void> {
    this.#working ??= this.#guard(this.#run());
    return this.#working;
  }

  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#source.onError(error);
    } finally {
      this.#working = null;
    }
    if (this.#offered.size > 0 && this.#offered.has(this.#delivered + 1)) await this.#work();
  }

  async #run(): Promise<void> {
    while (this.#delivered < this.#known) {
      const next = this.#offered.get(this.#delivered + 1);
      const batch = next ? [next] : await this.#source.read(this.conversationId, this.#delivered, PAGE);
      const before = this.#delivered;
      for (const event of batch) {
        this.#offered.delete(event.seq);
        // What came before a deletion may have been removed since, and nobody is to have it any more.
        if (event.seq !== this.#delivered + 1 && event.type !== 'conversation_deleted') continue;
        this.#delivered = event.seq;
        await this.#deliver(event);
      }
      if (this.#delivered === before) return; // the log does not have it now: to read on at once would be for ever
    }
  }
}
