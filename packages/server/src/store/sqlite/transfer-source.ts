import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { endOf } from '../store.ts';
import type {
  AccountRecord,
  EventRecord,
  LoginRecord,
  TransferCounts,
  TransferRecord,
  TransferSource,
} from '../transfer.ts';
import { prepare, row, rows, run } from './database.ts';
import { EVENT_COLUMNS, toEvent, type EventRow } from './event-rows.ts';

/** Of a deleted conversation only the last event is left to be told: the rest is on its way out. */
const MOVING_EVENTS = `FROM events e JOIN conversations c ON c.number = e.conversation
  WHERE c.is_deleted = 0 OR e.type = 'conversation_deleted'`;

const BEGUN_TASKS = 'FROM tasks t JOIN claims k ON k.task = t.number WHERE t.ended_at IS NULL';

/** Reads everything in one read transaction: a server may go on writing, and none of that is seen. */
export function sqliteSource(db: DatabaseSync): TransferSource {
  db.exec('BEGIN');
  return {
    store: 'SQLite',
    epoch: row<{ value: string }>(db, "SELECT value FROM meta WHERE key = 'epoch'")?.value ?? '',
    counts: () => Promise.resolve(counts(db)),
    records: () => records(db),
    giveUpEpoch() {
      db.exec('COMMIT');
      run(db, "UPDATE meta SET value = ? WHERE key = 'epoch'", randomUUID());
      return Promise.resolve();
    },
    close() {
      db.close();
      return Promise.resolve();
    },
  };
}

function counts(db: DatabaseSync): TransferCounts {
  const count = (from: string) => row<{ count: number }>(db, `SELECT count(*) AS count ${from}`)?.count ?? 0;
  return {
    account: count('FROM users'),
    login: count('FROM live_sessions'),
    event: count(MOVING_EVENTS),
    attempt: row<{ count: number }>(db, `SELECT count(DISTINCT t.number) AS count ${BEGUN_TASKS}`)?.count ?? 0,
  };
}

async function* records(db: DatabaseSync): AsyncGenerator<TransferRecord> {
  yield* accounts(db);
  yield* logins(db);
  yield* events(db);
  yield* each<{ id: string; attempt: number }, TransferRecord>(
    db,
    `SELECT t.id, max(k.attempt) AS attempt ${BEGUN_TASKS} GROUP BY t.number`,
    ({ id, attempt }) => ({ kind: 'attempt', task_id: id, attempt }),
  );
}

/** Row by row, so that memory does not grow with the table. */
function* each<Row, Result>(db: DatabaseSync, sql: string, read: (found: Row) => Result): Generator<Result> {
  for (const found of prepare(db, sql).iterate()) yield read(found as Row);
}

type AccountColumns = Omit<AccountRecord, 'kind' | 'is_active' | 'is_superuser' | 'password'> &
  AccountRecord['password'] & { is_active: number; is_superuser: number };

function accounts(db: DatabaseSync): Generator<AccountRecord> {
  const sql = `SELECT u.id, username, username_key, email, email_key, full_name, is_active, is_superuser, created_at,
      generation, hash, kept_session_id
    FROM users u JOIN passwords p ON p.user_id = u.id
      AND generation = (SELECT max(generation) FROM passwords WHERE user_id = u.id) ORDER BY u.id`;
  return each(db, sql, ({ generation, hash, kept_session_id, ...account }: AccountColumns) => ({
    kind: 'account',
    ...account,
    is_active: account.is_active === 1,
    is_superuser: account.is_superuser === 1,
    password: { generation, hash, kept_session_id },
  }));
}

function logins(db: DatabaseSync): Generator<LoginRecord> {
  const sql = `SELECT id, user_id, password_generation, created_at, expires_at, address, user_agent
    FROM live_sessions ORDER BY id`;
  return each(db, sql, (login: Omit<LoginRecord, 'kind' | 'tokens'>) => ({
    kind: 'login',
    ...login,
    tokens: rows<LoginRecord['tokens'][number]>(
      db,
      'SELECT hash, generation, issued_at FROM refresh_tokens WHERE session_id = ? ORDER BY generation',
      login.id,
    ),
  }));
}

type MovingRow = EventRow & {
  conversation_id: string;
  sender: string | null;
  client_msg_id: string | null;
  ends_task: number | null;
};

/** In the order of their rows, which is each conversation's own as well. */
function events(db: DatabaseSync): Generator<EventRecord> {
  const columns = EVENT_COLUMNS.split(', ').map((column) => `e.${column}`);
  const sql = `SELECT ${columns.join(', ')}, e.sender, e.client_msg_id, e.ends_task, c.id AS conversation_id
    ${MOVING_EVENTS} ORDER BY e.position`;
  return each(db, sql, (stored: MovingRow) => {
    const event = toEvent(stored, stored.conversation_id);
    const deleted = event.type === 'task_deleted' && stored.ends_task !== null ? event.data.task_id : null;
    const { sender, client_msg_id } = stored;
    return { kind: 'event', event, sender, client_msg_id, ends_task: endOf(event)?.id ?? deleted };
  });
}
