import { setTimeout as delay } from 'node:timers/promises';
import { ChatError } from '@tertulia/protocol';
import {
  MongoClientClosedError,
  MongoError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb';

/** How long one operation is tried before its caller is told `unavailable`. */
const PATIENCE_MS = 10_000;
/** The longest wait between two tries; a new primary is usually there within seconds. */
const LONGEST_WAIT_MS = 500;

export const DUPLICATE_KEY = 11_000;

/**
 * Codes of MongoDB's table of errors (`src/mongo/base/error_codes.yml`) that pass by themselves: no primary at the
 * moment, a server that is stopping, a write that is not confirmed in time, a shard that moves, a full disk; and
 * InternalError, which servers of the protocol say of a busy database behind them.
 */
const PASSING_CODES = new Set([
  1, 6, 7, 50, 63, 64, 79, 89, 91, 100, 112, 134, 150, 189, 234, 262, 384, 9001, 10_058, 10_107, 11_600, 11_602, 13_388,
  13_435, 13_436, 14_031,
]);
const PASSING_LABELS = ['RetryableWriteError', 'RetryableError', 'PoolRequestedRetry', 'SystemOverloadedError'];

/** What was refused because of a document that cannot be read yet: it is not on most of the servers so far. */
export class NotYetReadable extends Error {}

/** Whether a unique index refused the document. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/** Whether the same operation may succeed a moment later; if it was a write, it may have been done or not. */
function isPassing(error: unknown): boolean {
  if (error instanceof NotYetReadable) return true;
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true;
  if (!(error instanceof MongoError)) return false;
  if (error.name === 'MongoWaitQueueTimeoutError') return true; // a class that the driver does not export
  return PASSING_CODES.has(Number(error.code)) || PASSING_LABELS.some((label) => error.hasErrorLabel(label));
}

/** Whether the client was closed: nothing more will be answered. */
function isClosed(error: unknown): boolean {
  return (
    error instanceof MongoClientClosedError ||
    error instanceof MongoTopologyClosedError ||
    error instanceof MongoNotConnectedError
  );
}

/**
 * Asks until there is an answer. `ask` may run several times and may have been carried out although it failed, so it
 * is a read, or a write that does nothing where it was done before. What is wrong for good is thrown as it is.
 * @throws {ChatError} `unavailable`, where the database does not answer in time.
 */
export async function answered<T>(ask: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let wait = 4; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (isClosed(error) || (isPassing(error) && performance.now() + wait >= deadline)) {
        throw new ChatError('unavailable', {}, { cause: error });
      }
      if (!isPassing(error)) throw error;
    }
    await delay(wait * (0.5 + Math.random()));
  }
}
