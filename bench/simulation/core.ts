import type { Clock } from './clock.ts';

interface Work {
  remaining: number;
  readonly done: () => void;
}

/** How long the kernel lets a thread run while another waits, in microseconds: a few milliseconds on Linux. */
const SLICE = 3_000;

/**
 * One core. A thread that runs keeps it until it has nothing to do, or its slice is over and another one waits. What a
 * thread begins in the moment in which it has finished something belongs to the same slice.
 */
export class Core {
  readonly #clock: Clock;
  /** What each thread that is not running waits to do, in the order in which they run. */
  readonly #waiting = new Map<string, Work>();
  #running: string | null = null;
  #left = 0;
  /** Microseconds in which it had work. */
  busy = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has `thread` work for so long; it must have nothing else to do. */
  run(thread: string, microseconds: number, done: () => void): void {
    this.#waiting.set(thread, { remaining: microseconds, done });
    if (this.#running === null) this.#switch();
  }

  #switch(): void {
    const [next] = this.#waiting.keys();
    this.#running = next ?? null;
    this.#left = SLICE;
    if (next !== undefined) this.#go(next);
  }

  #go(thread: string): void {
    const work = this.#waiting.get(thread)!;
    this.#waiting.delete(thread);
    const piece = Math.min(work.remaining, this.#left);
    this.#clock.after(piece, () => {
      this.busy += piece;
      this.#left -= piece;
      work.remaining -= piece;
      if (work.remaining > 0) this.#waiting.set(thread, work);
      else work.done();
      if (this.#waiting.has(thread) && (this.#left > 0 || this.#waiting.size === 1)) {
        if (this.#left <= 0) this.#left = SLICE;
        this.#go(thread);
      } else {
        this.#requeue(thread);
        this.#switch();
      }
    });
  }

  /** Behind those that wait already. */
  #requeue(thread: string): void {
    const work = this.#waiting.get(thread);
    if (!work) return;
    this.#waiting.delete(thread);
    this.#waiting.set(thread, work);
  }
}
