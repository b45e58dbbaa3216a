import type { DatabaseSync } from 'node:sqlite';
import type { StartedTask } from '@tertulia/protocol';
import { LEASE_MS, type Claim } from '../store.ts';
import { row, run } from './database.ts';

/** What of a row of `tasks` makes a started task. */
export interface StartedTaskRow {
  id: string;
  user_id: string;
  assistant: string;
  fields: string;
}

/** The task as the event that started it carried it, with what was changed since. */
export function toStartedTask({ id, user_id, assistant, fields }: StartedTaskRow): StartedTask {
  return { id, user_id, assistant, ...JSON.parse(fields) };
}

/** The task's number, or null where there is no such task. */
export function taskNumber(db: DatabaseSync, taskId: string): number | null {
  return row<{ number: number }>(db, 'SELECT number FROM tasks WHERE id = ?', taskId)?.number ?? null;
}

/** Inserts the claim of an attempt; the unique key decides. */
export function insertClaim(db: DatabaseSync, task: number, { attempt, owner }: Claim): boolean {
  const sql = 'INSERT INTO claims (task, attempt, owner, lease_until) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING';
  return run(db, sql, task, attempt, owner, Date.now() + LEASE_MS) === 1;
}
