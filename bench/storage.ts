/** What an append and a join cost in a small and in a large conversation. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ConversationEvent, Message } from '@tertulia/protocol';
import { newConversationId, newId } from '../packages/server/src/ids.ts';
import { openDatabase } from '../packages/server/src/store/sqlite/database.ts';
import { migrate } from '../packages/server/src/store/sqlite/migrations.ts';
import { writes } from '../packages/server/src/store/sqlite/operations.ts';
import { DATABASE_FILE, SqliteStore } from '../packages/server/src/store/sqlite/sqlite-store.ts';
import type { NewEvent } from '../packages/server/src/store/store.ts';
import { withDirectory } from './servers.ts';

/** Who writes in these benchmarks. */
export const AUTHOR = { kind: 'user', id: randomUUID(), name: 'alice' } as const;
const SEED_BATCH = 5_000;

/** Microseconds: the median of appends one by one, of appends 64 at once, and of reading a join's page. */
export interface StorageSample {
  readonly messages: number;
  readonly append: number;
  readonly appendOf64: number;
  readonly join: number;
}

interface Place {
  readonly store: SqliteStore;
  readonly id: string;
  seq: number;
}

/** Measures both sizes in turn, round by round. */
export function measureStorage(sizes: readonly number[], rounds: number): Promise<StorageSample[]> {
  return withDirectory(async (directory) => {
    const places: Place[] = [];
    for (const size of sizes) places.push(await seed(join(directory, String(size)), size));
    const times = places.map(() => ({ append: [] as number[], appendOf64: [] as number[], join: [] as number[] }));
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, place] of places.entries()) {
        const own = times[index];
        own?.append.push(await timed(() => append(place, 1)));
        own?.appendOf64.push((await timed(() => append(place, 64))) / 64);
        own?.join.push(
          await timed(() => place.store.conversations.events(AUTHOR.id, place.id, place.seq - 50, 100, 131_072)),
        );
      }
    }
    for (const { store } of places) await store.close();
    return times.map((own, index) => ({
      messages: sizes[index] ?? 0,
      append: median(own.append),
      appendOf64: median(own.appendOf64),
      join: median(own.join),
    }));
  });
}

async function seed(directory: string, size: number): Promise<Place> {
  const onFatal = (error: Error) => {
    throw error;
  };
  await (await SqliteStore.open({ directory, exclusive: true, onFatal })).close();
  const db = openDatabase(join(directory, DATABASE_FILE));
  migrate(db);
  const id = newConversationId();
  writes.append(db, created(id));
  for (let seq = 2; seq <= size; seq += SEED_BATCH) {
    db.exec('BEGIN IMMEDIATE');
    for (let next = seq; next < Math.min(seq + SEED_BATCH, size + 1); next += 1) writes.append(db, message(id, next));
    db.exec('COMMIT');
  }
  db.close();
  return { store: await SqliteStore.open({ directory, exclusive: true, onFatal }), id, seq: size };
}

async function append(place: Place, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => message(place.id, place.seq + index + 1));
  const results = await Promise.all(events.map((event) => place.store.log.append(event)));
  if (results.some(({ status }) => status !== 'appended')) throw new Error('an append was refused');
  place.seq += count;
}

/** A conversation's first event. */
export function created(id: string): NewEvent {
  const created_at = new Date().toISOString();
  const owner = { user_id: AUTHOR.id, username: 'alice', role: 'owner', joined_at: created_at } as const;
  const data = { title: 'a room', description: null, metadata: {}, is_active: true, owner };
  return wrap({ conversation_id: id, seq: 1, actor: AUTHOR, created_at, type: 'conversation_created', data });
}

/** A message of 100 characters. */
export function message(id: string, seq: number): NewEvent {
  const now = Date.now();
  const stored: Message = {
    id: newId(),
    role: 'user',
    content: 'x'.repeat(100),
    metadata: {},
    timestamp: now / 1_000,
    conversation_id: id,
    task_id: null,
    author: AUTHOR,
    seq,
  };
  const created_at = new Date(now).toISOString();
  return wrap({
    conversation_id: id,
    seq,
    actor: AUTHOR,
    created_at,
    type: 'message_created',
    data: { message: stored },
  });
}

function wrap(event: ConversationEvent): NewEvent {
  return { event, sender: AUTHOR.id, client_msg_id: newId(), ends_task: null, claim: null };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) * 1_000;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
