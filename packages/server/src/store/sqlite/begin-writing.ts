import type { DatabaseSync } from 'node:sqlite';

/** How long a transaction waits for its turn while other processes write. */
const TURN_MS = 5_000;
/** The time between two looks, at most: a look costs 20 µs, and a commit of another process takes a millisecond or two. */
const LOOK_MS = 2;

const SQLITE_BUSY = 5;
const never = new Int32Array(new SharedArrayBuffer(4));

/** Whether SQLite's extended code says that somebody else holds what is needed: nothing has happened yet. */
export function isBusy(code: number | undefined): boolean {
  return code !== undefined && (code & 0xff) === SQLITE_BUSY;
}

/**
 * Begins a transaction that writes, once it is this connection's turn. The connection must have no busy timeout:
 * SQLite's own waiting sleeps longer after each look, up to 100 ms, so that of several busy processes one may starve
 * (measured with four that write without a pause: up to 530 ms; like this, 30 ms).
 */
export function beginWriting(db: DatabaseSync): void {
  const started = performance.now();
  for (;;) {
    try {
      return db.exec('BEGIN IMMEDIATE'); // a read that turns into a write would meet SQLITE_BUSY whatever it waits
    } catch (error) {
      const isLate = performance.now() - started > TURN_MS;
      if (isLate || !isBusy((error as { errcode?: number }).errcode)) throw error;
    }
    Atomics.wait(never, 0, 0, Math.random() * LOOK_MS);
  }
}
