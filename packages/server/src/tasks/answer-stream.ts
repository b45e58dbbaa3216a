import type { Delivery } from '../delivery/delivery.ts';
import type { Logger } from '../log.ts';
import type { TaskStore } from '../store/store.ts';

/** Pieces that come faster than this are sent as one delta. */
const DELTA_MS = 20;
/** A delta is sent at once when this much text waits, in UTF-16 units. */
const DELTA_UNITS = 4_096;
/** The text so far is checkpointed each time this much is new, and by the runner's clock (G5). */
const CHECKPOINT_UNITS = 1_024;

/** What identifies the stream on the wire. */
export interface StreamIdentity {
  readonly conversation_id: string;
  readonly task_id: string;
  readonly attempt: number;
}

/**
 * The text of one attempt at an answer, on its way to whoever watches and, in checkpoints, to the database. The
 * concatenated deltas are the final text exactly: only well-formed text goes out, so a surrogate pair that the
 * assistant splits over two pieces waits for its second half.
 */
export class AnswerStream {
  readonly #identity: StreamIdentity;
  readonly #delivery: Delivery;
  readonly #tasks: TaskStore;
  readonly #log: Logger;
  readonly #max: number;
  #text = '';
  #heldSurrogate = '';
  #sent = 0;
  #sentAt = 0;
  #checkpointed = 0;
  #deltaTimer: NodeJS.Timeout | null = null;
  #isFinished = false;
  /** Milliseconds of `performance.now()` at the first text, 0 before it. */
  firstTextAt = 0;

  constructor(identity: StreamIdentity, max: number, parts: { delivery: Delivery; tasks: TaskStore; log: Logger }) {
    this.#identity = identity;
    this.#delivery = parts.delivery;
    this.#tasks = parts.tasks;
    this.#log = parts.log;
    this.#max = max;
  }

  /** The text so far. */
  get text(): string {
    return this.#text;
  }

  /** Whether the answer has reached its greatest length: what comes after is dropped. */
  get isFull(): boolean {
    return this.#text.length >= this.#max;
  }

  append(piece: string): void {
    const given = this.#heldSurrogate + piece;
    this.#heldSurrogate = '';
    const isSplit = given.length > 0 && (given.charCodeAt(given.length - 1) & 0xfc00) === 0xd800;
    if (isSplit) this.#heldSurrogate = given.slice(-1);
    this.#add((isSplit ? given.slice(0, -1) : given).toWellFormed());
  }

  #add(text: string): void {
    if (text === '' || this.isFull) return;
    this.firstTextAt ||= performance.now();
    this.#text += cutAt(text, this.#max - this.#text.length);
    if (this.#text.length - this.#checkpointed >= CHECKPOINT_UNITS) this.checkpoint();
    this.#scheduleDelta();
  }

  #scheduleDelta(): void {
    const waited = performance.now() - this.#sentAt;
    if (waited >= DELTA_MS || this.#text.length - this.#sent >= DELTA_UNITS) this.#sendDelta();
    else this.#deltaTimer ??= setTimeout(() => this.#sendDelta(), DELTA_MS - waited);
  }

  #sendDelta(): void {
    if (this.#deltaTimer) clearTimeout(this.#deltaTimer);
    this.#deltaTimer = null;
    if (this.#sent === this.#text.length) return;
    const index = this.#sent;
    this.#sent = this.#text.length;
    this.#sentAt = performance.now();
    this.#delivery.stream('response_delta', { ...this.#identity, index, text: this.#text.slice(index) });
  }

  /** Stores what is new of the text so far. */
  checkpoint(): void {
    const index = this.#checkpointed;
    if (index === this.#text.length || this.#isFinished) return;
    this.#checkpointed = this.#text.length;
    const { task_id, attempt } = this.#identity;
    this.#tasks.checkpoint(task_id, attempt, index, this.#text.slice(index)).catch((error: unknown) => {
      this.#log.warn({ err: error, task_id }, 'checkpoint failed: a late joiner waits for the final message');
    });
  }

  /** Sends what waits. The text is final from now on. */
  finish(): string {
    if (this.#heldSurrogate) this.#add('\ufffd');
    this.#heldSurrogate = '';
    this.#sendDelta();
    this.#isFinished = true;
    return this.#text;
  }
}

/** The start of a text, at most `units` long, with no surrogate pair split. */
function cutAt(text: string, units: number): string {
  if (text.length <= units) return text;
  const cut = text.slice(0, units);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}
