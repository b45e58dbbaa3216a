import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Refusal } from '../failure.ts';
import type { FromWorker, Ready, WriteBatch } from './messages.ts';
import { WorkerProcess } from './worker-process.ts';

/** After this many starts in a row of which none came to serve, no further one is tried. */
const MOST_FAILED_STARTS = 5;
/** Who lived this long died of something new, and is replaced at once. */
const LONG_LIFE_MS = 10_000;
/** The wait after the second of several short lives, doubled with each further one. */
const SHORTEST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 2_000;

/** `ended`: all are killed, or one could not start. */
export type CrewState = 'starting' | 'serving' | 'stopping' | 'ended';

/** Who is told of what happens to the workers. Each has a number, from 1 on, which its successor takes over. */
export interface CrewEvents {
  /** A process has been started, and has to be told to begin. */
  onStarted(number: number, write: WriteBatch): void;
  onReady(number: number, pid: number | undefined): void;
  onMessage(number: number, message: Exclude<FromWorker, { kind: 'drained' }>): void;
  /** While the crew serves, another takes its place. */
  onEnded(number: number, how: string, state: CrewState): void;
  /** A worker ends each time before it serves: it is not started again. */
  onGivenUp(why: Refusal): void;
}

/** Keeps so many workers alive: whoever dies is replaced. */
export class Crew {
  readonly #events: CrewEvents;
  readonly #workers = new Map<number, WorkerProcess>();
  /** Workers without clients and tasks, which still pass on what comes to them for others. */
  readonly #drained = new Set<WorkerProcess>();
  #state: CrewState = 'starting';

  constructor(events: CrewEvents) {
    this.#events = events;
    cluster.setupPrimary({ exec: fileURLToPath(new URL('worker.ts', import.meta.url)) });
  }

  /**
   * Starts the workers; answers what one of them says, once all listen.
   * @throws {Refusal} where one cannot start, in its own words; the others have been ended.
   */
  async start(count: number): Promise<Ready> {
    const workers = Array.from({ length: count }, (_, index) => this.#begin(index + 1));
    try {
      const [ready] = await Promise.all(workers.map((worker) => worker.ready));
      this.#state = 'serving';
      for (const [index, worker] of workers.entries()) void this.#keep(index + 1, worker);
      return ready!;
    } catch (error) {
      this.kill();
      throw error;
    }
  }

  /** Tells all workers to stop, and waits until they have. */
  async stop(): Promise<void> {
    this.#state = 'stopping';
    const workers = [...this.#workers.values()];
    for (const worker of workers) worker.send([{ kind: 'stop' }]);
    await Promise.all(workers.map(({ ended }) => ended));
  }

  /** Ends all workers at once. */
  kill(): void {
    this.#state = 'ended';
    for (const worker of this.#workers.values()) worker.kill();
  }

  /** Replaces the worker of this number whenever it has ended. */
  async #keep(number: number, first: WorkerProcess): Promise<void> {
    let worker = first;
    for (let shortLives = 0, failedStarts = 0; ;) {
      const began = performance.now();
      await worker.ended;
      const refusal = await worker.ready.then(
        () => null,
        (error: Refusal) => error,
      );
      if (this.#state !== 'serving') return;
      failedStarts = refusal ? failedStarts + 1 : 0;
      if (refusal && failedStarts === MOST_FAILED_STARTS) return this.#events.onGivenUp(refusal);
      shortLives = performance.now() - began < LONG_LIFE_MS ? shortLives + 1 : 0;
      if (shortLives > 1) await delay(Math.min(SHORTEST_WAIT_MS * 2 ** (shortLives - 2), LONGEST_WAIT_MS));
      if (this.#state !== 'serving') return;
      worker = this.#begin(number);
    }
  }

  #begin(number: number): WorkerProcess {
    const worker: WorkerProcess = new WorkerProcess((message) => {
      if (message.kind === 'drained') this.#hasDrained(worker);
      else this.#events.onMessage(number, message);
    });
    this.#workers.set(number, worker);
    worker.ready.then(
      () => this.#events.onReady(number, worker.pid),
      () => undefined,
    );
    void worker.ended.then((how) => {
      this.#workers.delete(number);
      this.#events.onEnded(number, how, this.#state);
      this.#closeDrained();
    });
    this.#events.onStarted(number, (batch, written) => worker.send(batch, written));
    return worker;
  }

  /** Where all stop, each waits for the others: what comes to it may be for them. */
  #hasDrained(worker: WorkerProcess): void {
    if (this.#state !== 'stopping') return worker.send([{ kind: 'close' }]);
    this.#drained.add(worker);
    this.#closeDrained();
  }

  #closeDrained(): void {
    for (const worker of this.#workers.values()) if (!this.#drained.has(worker)) return;
    for (const worker of this.#drained) worker.send([{ kind: 'close' }]);
    this.#drained.clear();
  }
}
