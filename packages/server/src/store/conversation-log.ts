import { setTimeout as delay } from 'node:timers/promises';
import { ChatError, type ConversationEvent } from '@tertulia/protocol';
import { traced } from '../tracing.ts';
import { firstView, foldEvent } from './fold-event.ts';
import { endOf, type ConversationView, type LogHead, type LogStore, type NewEvent } from './store.ts';

/**
 * Decides what to append, from the newest view (null where there is no conversation): answers the event at `seq`, or
 * throws a `ChatError`. It may run several times, so it only looks and builds.
 */
export type Decision = (view: ConversationView | null, seq: number) => NewEvent;

/** What an append came to: the event that now stands, and whether it stood before (a repeat, or another end). */
export interface Appended {
  readonly event: ConversationEvent;
  readonly status: 'appended' | 'repeated' | 'task_ended';
}

/** Whom an event concerns. */
export interface Concerned {
  /** The ids of those who were members before it or are after it. */
  readonly members: readonly string[];
  /** Whose open task it ends or deletes, if any. */
  readonly asker: string | null;
}

/** Told of each event that this process appended, in the conversation's order, before `append` answers. */
export type OnCommitted = (event: ConversationEvent, concerned: Concerned) => void;

/** Views kept in memory; the least recently used goes first. A stale one costs a second try, never a wrong answer. */
const KEPT_VIEWS = 10_000;

/**
 * Who loses races for this long is told to come back. Time, not a count: while another process appends without a pause
 * three of four races are lost (measured: up to 20 in a row within minutes), and a quick one would soon have lost them all.
 */
const RACING_MS = 5_000;
/** A loser waits up to 2 ms, then up to twice as long each time, but no longer than 2^5 ms. */
const LONGEST_WAIT_LOG2 = 5;

/**
 * The way into the log. In one process the appends to a conversation queue up; between processes the unique index on
 * (conversation_id, seq) decides, and whoever was slower decides again on the newer view.
 */
export class ConversationLog {
  readonly #store: LogStore;
  /** Whether other processes append to the same logs. */
  readonly #isShared: boolean;
  readonly #onCommitted: OnCommitted;
  readonly #views = new Map<string, ConversationView>();
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(store: LogStore, isShared: boolean, onCommitted: OnCommitted) {
    this.#store = store;
    this.#isShared = isShared;
    this.#onCommitted = onCommitted;
  }

  /** @throws {ChatError} what `decide` throws, or `unavailable`. */
  append(conversationId: string, decide: Decision): Promise<Appended> {
    const before = this.#queues.get(conversationId);
    const work = () => this.#traced(conversationId, decide);
    const mine = before ? before.then(work) : work();
    const settled: Promise<void> = mine.then(
      () => this.#leaveQueue(conversationId, settled),
      () => this.#leaveQueue(conversationId, settled),
    );
    this.#queues.set(conversationId, settled);
    return mine;
  }

  /** Notes what another process appended, so that the next decision here need not find it out. */
  observe(event: ConversationEvent): void {
    const view = this.#views.get(event.conversation_id);
    if (!view || event.seq <= view.seq) return;
    if (event.seq === view.seq + 1) foldEvent(view, event);
    else this.#views.delete(event.conversation_id);
  }

  /** Whether a user is a member after event `seq`, or by now; at once where that much of the log is in memory. */
  hasMember(conversationId: string, userId: string, seq: number): boolean | Promise<boolean> {
    const known = this.#views.get(conversationId);
    if (known && known.seq < seq) this.#views.delete(conversationId);
    else if (known) return known.members.has(userId);
    return this.#view(conversationId).then((view) => view?.members.has(userId) ?? false);
  }

  /** Where a log ends, for a member; null where only the database knows, since others append or it is not in memory. */
  knownHead(conversationId: string, userId: string): LogHead | null {
    const known = this.#isShared ? undefined : this.#views.get(conversationId);
    return known?.members.has(userId) ? { last_seq: known.seq, is_answering: known.open_tasks.size > 0 } : null;
  }

  #leaveQueue(conversationId: string, settled: Promise<void>): void {
    if (this.#queues.get(conversationId) === settled) this.#queues.delete(conversationId);
  }

  #traced(conversationId: string, decide: Decision): Promise<Appended> {
    return traced('log append', { conversation_id: conversationId }, async (span) => {
      const appended = await this.#decide(conversationId, decide);
      const { type, seq } = appended.event;
      span.setAttributes({ event_type: type, seq, status: appended.status });
      return appended;
    });
  }

  async #decide(conversationId: string, decide: Decision): Promise<Appended> {
    const started = performance.now();
    let lost = 0;
    while (performance.now() - started < RACING_MS) {
      const known = this.#views.get(conversationId);
      const view = known ?? (await this.#view(conversationId));
      const wanted = this.#wanted(view, decide, known !== undefined);
      if (!wanted) continue;
      const result = await this.#append(conversationId, wanted);
      if (result.status === 'repeated') return { event: result.first, status: 'repeated' };
      if (result.status === 'task_missing') throw new ChatError('not_found');
      if (result.status === 'task_ended') return { event: result.end, status: 'task_ended' };
      if (result.status === 'appended') {
        this.#committed(view ?? firstView(wanted.event), wanted.event);
        return { event: wanted.event, status: 'appended' };
      }
      this.#views.delete(conversationId);
      lost += 1;
      if (lost > 1) await delay(Math.random() * 2 ** Math.min(lost - 1, LONGEST_WAIT_LOG2));
    }
    throw new ChatError('unavailable', {}, { cause: new Error(`others appended first, ${lost} times in a row`) });
  }

  /** What is decided, or null where a view from memory refuses what another process may have made possible: look again. */
  #wanted(view: ConversationView | null, decide: Decision, isFromMemory: boolean): NewEvent | null {
    try {
      return decide(view, (view?.seq ?? 0) + 1);
    } catch (error) {
      if (!this.#isShared || !isFromMemory || !view) throw error;
      this.#views.delete(view.id);
      return null;
    }
  }

  async #append(conversationId: string, wanted: NewEvent) {
    try {
      return await this.#store.append(wanted);
    } catch (error) {
      this.#views.delete(conversationId); // the outcome may be unknown: read again before the next decision
      throw error;
    }
  }

  #committed(view: ConversationView, event: ConversationEvent): void {
    const members = new Set(view.members.keys());
    const over = event.type === 'task_deleted' ? event.data.task_id : endOf(event)?.id;
    const asker = view.open_tasks.get(over ?? '')?.user_id ?? null;
    foldEvent(view, event);
    this.#keep(view);
    for (const id of view.members.keys()) members.add(id);
    this.#onCommitted(event, { members: [...members], asker });
  }

  async #view(conversationId: string): Promise<ConversationView | null> {
    const known = this.#views.get(conversationId);
    if (known) return known;
    const view = await this.#store.view(conversationId);
    if (view) this.#keep(view);
    return view;
  }

  #keep(view: ConversationView): void {
    this.#views.delete(view.id);
    this.#views.set(view.id, view);
    if (this.#views.size <= KEPT_VIEWS) return;
    const oldest = this.#views.keys().next();
    if (!oldest.done) this.#views.delete(oldest.value);
  }
}
