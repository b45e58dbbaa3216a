import { MongoServerError, type Db } from 'mongodb';

/** A measurement of the database's clock is this old at most before the next one is begun. */
const MEASURED_MS = 10_000;
/** A measurement that took longer is only better than none, or than one of a minute ago. */
const LONG_MS = 500;
const STALE_MS = 60_000;

const COMMAND_NOT_FOUND = 59;

/**
 * The database's clock, by which leases and logins of all nodes run out, whatever their own clocks say. It is measured
 * now and then, and kept by this process's monotonic clock in between; it is wrong by half a round trip at most.
 */
export class DatabaseClock {
  readonly #db: Db;
  #measuredAt = -Infinity;
  #measured = 0;
  #askedAt = -Infinity;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Unix milliseconds. Only after the first `measure`. */
  now(): number {
    if (performance.now() - this.#askedAt > MEASURED_MS) void this.#remeasure();
    return Math.round(this.#measured + performance.now() - this.#measuredAt);
  }

  async measure(): Promise<void> {
    const asked = performance.now();
    const time = await this.#ask();
    const answered = performance.now();
    this.#askedAt = asked;
    if (answered - asked > LONG_MS && answered - this.#measuredAt < STALE_MS) return;
    this.#measured = time;
    this.#measuredAt = (asked + answered) / 2;
  }

  /** While the database does not answer the old measurement goes on. */
  async #remeasure(): Promise<void> {
    this.#askedAt = performance.now();
    await this.measure().catch(() => undefined);
  }

  /** A server of the protocol may know only the older name of the command. */
  async #ask(): Promise<number> {
    const hello = await this.#db.command({ hello: 1 }).catch((error: unknown) => {
      if (error instanceof MongoServerError && error.code === COMMAND_NOT_FOUND)
        return this.#db.command({ isMaster: 1 });
      throw error;
    });
    const time: unknown = hello['localTime'];
    if (!(time instanceof Date)) throw new TypeError('the database does not tell its time (hello.localTime)');
    return time.getTime();
  }
}
