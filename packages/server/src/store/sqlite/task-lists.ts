import type { DatabaseSync } from 'node:sqlite';
import type { Task, TaskStatus } from '@tertulia/protocol';
import type { ListQuery, TaskFilter } from '../store.ts';
import { MESSAGE_PAGE_TEXT } from '../paging.ts';
import { row, rows, type SqlValue } from './database.ts';
import { exchange } from './tasks.ts';

interface TaskRow {
  id: string;
  conversation_id: string;
  user_id: string;
  fields: string;
  status: TaskStatus;
  attempt: number;
  error: string | null;
  created_at: string;
  updated_at: string;
  ended_at: string | null;
}

/** A task waits, or somebody holds an attempt at it: the claim tells, so no row is rewritten for it. */
const STANDING = `
  SELECT t.id, c.id AS conversation_id, t.user_id, t.fields, t.error, t.created_at, t.updated_at, t.ended_at,
    iif(t.ended_at IS NULL, coalesce(max(k.attempt), 0), t.attempt) AS attempt,
    iif(t.status = 'pending' AND max(k.attempt) IS NOT NULL, 'in_progress', t.status) AS status
  FROM members m JOIN tasks t ON t.conversation = m.conversation JOIN conversations c ON c.number = t.conversation
  LEFT JOIN claims k ON k.task = t.number
  WHERE m.user_id = ?`;

function toTask(db: DatabaseSync, stored: TaskRow): Task {
  const [question, ...answers] = exchange(db, stored.id);
  if (!question) throw new Error(`task ${stored.id} has no question`);
  return {
    id: stored.id,
    conversation_id: stored.conversation_id,
    user_id: stored.user_id,
    ...JSON.parse(stored.fields),
    status: stored.status,
    attempt: stored.attempt,
    error: stored.error === null ? null : JSON.parse(stored.error),
    user_message: question,
    assistant_responses: answers,
    actual_duration:
      stored.ended_at === null ? null : (Date.parse(stored.ended_at) - Date.parse(stored.created_at)) / 1000,
    created_at: stored.created_at,
    updated_at: stored.updated_at,
    ended_at: stored.ended_at,
  };
}

function getTask(db: DatabaseSync, userId: string, taskId: string): Task | null {
  const found = row<TaskRow>(db, `${STANDING} AND t.id = ? GROUP BY t.number`, userId, taskId);
  return found ? toTask(db, found) : null;
}

function listTasks(db: DatabaseSync, userId: string, filter: TaskFilter, query: Pick<ListQuery, 'skip' | 'limit'>) {
  const conditions: string[] = [];
  const values: SqlValue[] = [userId];
  if (filter.conversation_id) values.push(filter.conversation_id);
  const scope = filter.conversation_id ? `${STANDING} AND c.id = ?` : STANDING;
  for (const [condition, value] of [
    ['status = ?', filter.status],
    ["fields ->> '$.priority' = ?", filter.priority],
    ["fields ->> '$.category' = ?", filter.category],
  ] as const) {
    if (value === undefined) continue;
    conditions.push(condition);
    values.push(value);
  }
  const from = `FROM (${scope} GROUP BY t.number) ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}`;
  const total = row<{ count: number }>(db, `SELECT count(*) AS count ${from}`, ...values)?.count ?? 0;
  const page = `SELECT * ${from} ORDER BY created_at DESC, id LIMIT ? OFFSET ?`;
  const tasks: Task[] = [];
  let text = 0;
  for (const stored of rows<TaskRow>(db, page, ...values, query.limit, query.skip)) {
    const task = toTask(db, stored);
    tasks.push(task);
    text += [task.user_message, ...task.assistant_responses].reduce((sum, { content }) => sum + content.length, 0);
    if (text > MESSAGE_PAGE_TEXT) break;
  }
  return { tasks, total };
}

/** Reads of tasks by members, by name, for the reading thread. */
export const taskListReads = { getTask, listTasks };
