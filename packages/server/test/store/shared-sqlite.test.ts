import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { DATABASE_FILE, SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { guardChild } from '../support/guard-child.ts';
import { testDirectory } from '../support/test-directory.ts';
import { LogBuilder } from './log-builder.ts';

const APPENDING = fileURLToPath(new URL('appending-process.ts', import.meta.url));

interface Told {
  readonly conversation_id: string;
  readonly seq: number;
  readonly title: string;
}

/** A process that appends without a pause, and all that it said was stored. */
class AppendingProcess {
  readonly told: Told[] = [];
  readonly failures: string[] = [];
  readonly #child: ChildProcess;
  #wake: () => void = () => undefined;

  constructor(directory: string, name: string, conversations: readonly string[]) {
    this.#child = spawn(process.execPath, [APPENDING, directory, name, ...conversations], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    guardChild(this.#child);
    createInterface(this.#child.stdout!).on('line', (line) => {
      const said = JSON.parse(line) as Told | { failed: string };
      if ('failed' in said) this.failures.push(said.failed);
      else this.told.push(said);
      this.#wake();
    });
  }

  async hasTold(count: number): Promise<void> {
    const wanted = this.told.length + count;
    while (this.told.length < wanted) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async end(signal?: NodeJS.Signals): Promise<void> {
    const closed = once(this.#child, 'close');
    if (signal) this.#child.kill(signal);
    else this.#child.stdin!.end();
    await closed;
  }
}

function openShared(directory: string): Promise<SqliteStore> {
  const onFatal = (error: Error) => {
    throw error;
  };
  return SqliteStore.open({ directory, exclusive: false, onFatal });
}

async function withConversations(store: Store, count: number): Promise<string[]> {
  const logs = Array.from({ length: count }, () => new LogBuilder());
  await Promise.all(logs.map((log) => store.log.append(log.created())));
  return logs.map(({ id }) => id);
}

test('processes that write to the same conversations, one killed again and again, leave no hole and lose nothing', async () => {
  const directory = testDirectory();
  const store = await openShared(directory);
  const conversations = await withConversations(store, 3);
  const survivor = new AppendingProcess(directory, 'survivor', conversations);
  const all = [survivor];
  await survivor.hasTold(50);
  for (let life = 1; life <= 3; life += 1) {
    const victim = new AppendingProcess(directory, `victim-${life}`, conversations);
    all.push(victim);
    await victim.hasTold(100);
    await victim.end('SIGKILL');
    await survivor.hasTold(50);
  }
  await survivor.end();
  expect(all.flatMap(({ failures }) => failures)).toEqual([]);
  const told = all.flatMap((process) => process.told);
  for (const id of conversations) {
    const events = await store.log.read(id, 0, 1_000_000);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const titles = events.map((event) => (event.type === 'conversation_updated' ? event.data.title : ''));
    expect(new Set(titles).size).toBe(titles.length);
    for (const { seq, title } of told.filter((one) => one.conversation_id === id)) expect(titles[seq - 1]).toBe(title);
  }
  await store.close();
});

test('while another program holds the file a write waits for its turn; after 5 s it is refused, with all beside it', async () => {
  const directory = testDirectory();
  const store = await openShared(directory);
  const [id = ''] = await withConversations(store, 1);
  const other = new DatabaseSync(join(directory, DATABASE_FILE));
  onTestFinished(() => other.close());
  const release = (ms: number) => setTimeout(() => other.exec('ROLLBACK'), ms);
  other.exec('BEGIN IMMEDIATE');
  release(500);
  await store.check();
  other.exec('BEGIN IMMEDIATE');
  // One by one they would wait longer than a test may.
  const writes = Array.from({ length: 20 }, () => store.tasks.claim({ task_id: id, attempt: 1, owner: 'me' }));
  const outcomes = await Promise.allSettled(writes);
  expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual(
    writes.map(() => 'unavailable'),
  );
  other.exec('ROLLBACK');
  expect(await store.tasks.claim({ task_id: id, attempt: 1, owner: 'me' })).toBe(false);
  await store.close();
});

test("a database of an older version gets what it lacks, and a user's open tasks are found without reading all tasks", async () => {
  const directory = testDirectory();
  const first = await openShared(directory);
  await first.close();
  const before = new DatabaseSync(join(directory, DATABASE_FILE));
  before.exec('DROP INDEX tasks_open_by_user; PRAGMA user_version = 1');
  before.close();
  const store = await openShared(directory);
  await store.close();
  const sql = 'EXPLAIN QUERY PLAN SELECT id FROM tasks WHERE ended_at IS NULL AND user_id = ? ORDER BY number';
  const db = new DatabaseSync(join(directory, DATABASE_FILE));
  const plan = db.prepare(sql).all('me') as { detail: string }[];
  db.close();
  expect(plan.map(({ detail }) => detail)).toEqual(['SEARCH tasks USING INDEX tasks_open_by_user (user_id=?)']);
});

test('an older view of a conversation that another server deleted stores nothing where the sweeper made room', async () => {
  const directory = testDirectory();
  const store = await openShared(directory);
  const log = new LogBuilder();
  for (const given of [log.created(), log.question('first').given, log.question('second').given]) {
    await store.log.append({ ...given, event: { ...given.event, seq: (log.seq += 1) } });
  }
  const older = log.question('late', { client_msg_id: 'late' }).given;
  await store.log.append(log.event('conversation_deleted', {}));
  expect(await store.sweep(100)).toBe(3);
  for (const seq of [1, 2, 3, 4, 5]) {
    const late = { ...older, event: { ...older.event, seq } };
    expect(await store.log.append(late)).toEqual({ status: 'seq_taken' });
  }
  expect(await store.log.read(log.id, 0, 10)).toHaveLength(1);
  await store.close();
});
