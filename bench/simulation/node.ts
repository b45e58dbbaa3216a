import type { Clock } from './clock.ts';
import { Core } from './core.ts';
import { exponential } from './random.ts';

/** What an exchange costs a node, in microseconds. */
export interface Costs {
  /** CPU for one exchange on the main thread, however many others there are. */
  readonly exchange: number;
  /** CPU for one write on the writing thread; an exchange has two. */
  readonly write: number;
  /** CPU for one commit, shared by all writes in it: waking up, handing over, the transaction. */
  readonly commit: number;
  /** Waiting for the disk in one commit, without CPU: a mean. */
  readonly disk: number;
}

/** A commit takes at most this many writes (`database-thread.ts`). */
const MAX_BATCH = 512;

/** An exchange's work on the main thread comes in three pieces: before, between and after its two commits. */
const PIECES = 3;

/**
 * A server process on one core: a main thread that does in each turn what had come by its beginning, and a writing thread
 * with one commit under way. What comes meanwhile shares the next commit.
 */
export class Node {
  readonly core: Core;
  readonly #clock: Clock;
  readonly #costs: Costs;
  readonly #random: () => number;
  #turn: (() => void)[] = [];
  #isTurning = false;
  #writes: (() => void)[] = [];
  #isCommitting = false;
  commits = 0;
  written = 0;

  constructor(clock: Clock, costs: Costs, random: () => number) {
    this.#clock = clock;
    this.#costs = costs;
    this.#random = random;
    this.core = new Core(clock);
  }

  /** A question with its stored answer: `done` is called when the answer leaves. */
  exchange(done: () => void): void {
    this.#onMain(() => this.#write(() => this.#onMain(() => this.#write(() => this.#onMain(done)))));
  }

  #onMain(then: () => void): void {
    this.#turn.push(then);
    if (!this.#isTurning) this.#beginTurn();
  }

  #beginTurn(): void {
    const work = this.#turn.splice(0);
    this.#isTurning = work.length > 0;
    if (this.#isTurning) this.#next(work, 0);
  }

  #next(work: (() => void)[], index: number): void {
    this.core.run('main', this.#costs.exchange / PIECES, () => {
      work[index]?.();
      if (index + 1 < work.length) return this.#next(work, index + 1);
      this.#commit();
      this.#beginTurn();
    });
  }

  #write(then: () => void): void {
    this.#writes.push(then);
  }

  /** At the end of a turn, as the server does it. */
  #commit(): void {
    if (this.#isCommitting || this.#writes.length === 0) return;
    this.#isCommitting = true;
    const batch = this.#writes.splice(0, MAX_BATCH);
    this.commits += 1;
    this.written += batch.length;
    this.core.run('writer', this.#costs.commit + batch.length * this.#costs.write, () =>
      this.#clock.after(exponential(this.#random, this.#costs.disk), () => {
        this.#isCommitting = false;
        for (const then of batch) then();
        this.#commit();
      }),
    );
  }
}
