import type { DatabaseSync } from 'node:sqlite';
import { accountReads, accountWrites } from './accounts.ts';
import { conversationReads } from './conversations.ts';
import { logReads, logWrites } from './log.ts';
import { taskListReads } from './task-lists.ts';
import { taskReads, taskWrites } from './tasks.ts';

/** Everything the reading thread can be asked, by name: `(db, ...values) => result`. */
export const reads = { ...logReads, ...conversationReads, ...taskReads, ...taskListReads, ...accountReads };

/** Everything the writing thread can be asked, by name. What is queued together is committed together. */
export const writes = { ...logWrites, ...taskWrites, ...accountWrites };

export type Reads = typeof reads;
export type Writes = typeof writes;

/** The arguments of an operation after the database. */
export type OperationValues<F> = F extends (db: DatabaseSync, ...values: infer V) => unknown ? V : never;
export type OperationResult<F> = F extends (...all: never[]) => infer R ? R : never;

/** One queued operation. Its values and its result are JSON. */
export interface Operation {
  readonly name: string;
  readonly values: unknown[];
}

/** How an operation went: its result (absent where there is none), or why it failed. `code` is SQLite's own extended code. */
export type Outcome = { readonly result?: unknown } | { readonly failed: string; readonly code: number | undefined };
