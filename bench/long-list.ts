/** What the list of conversations costs a user who has very many of them; on SQLite. */
import { join } from 'node:path';
import { newConversationId } from '../packages/server/src/ids.ts';
import { openDatabase } from '../packages/server/src/store/sqlite/database.ts';
import { writes } from '../packages/server/src/store/sqlite/operations.ts';
import { DATABASE_FILE, SqliteStore } from '../packages/server/src/store/sqlite/sqlite-store.ts';
import type { ListQuery } from '../packages/server/src/store/store.ts';
import { withDirectory } from './servers.ts';
import { AUTHOR, created } from './storage.ts';

const SEED_BATCH = 5_000;
const ROUNDS = 15;

/** Medians in milliseconds: the newest page, the last one, and one sorted by title. */
export interface ListSample {
  readonly conversations: number;
  readonly newest: number;
  readonly last: number;
  readonly byTitle: number;
}

/** Measures a user with so many conversations. */
export function measureList(conversations: number): Promise<ListSample> {
  return withDirectory(async (directory) => {
    const onFatal = (error: Error) => {
      throw error;
    };
    await (await SqliteStore.open({ directory, exclusive: true, onFatal })).close();
    seed(directory, conversations);
    const store = await SqliteStore.open({ directory, exclusive: true, onFatal });
    const page = { skip: 0, limit: 50, sort_by: 'updated_at', sort_order: -1 } as const;
    const time = (query: ListQuery) => median(() => store.conversations.list(AUTHOR.id, query));
    const sample = {
      conversations,
      newest: await time(page),
      last: await time({ ...page, skip: conversations - 50 }),
      byTitle: await time({ ...page, sort_by: 'title' }),
    };
    await store.close();
    return sample;
  });
}

function seed(directory: string, conversations: number): void {
  const db = openDatabase(join(directory, DATABASE_FILE));
  for (let done = 0; done < conversations; done += SEED_BATCH) {
    db.exec('BEGIN IMMEDIATE');
    for (let count = done; count < Math.min(done + SEED_BATCH, conversations); count += 1) {
      writes.append(db, created(newConversationId()));
    }
    db.exec('COMMIT');
  }
  db.close();
}

async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0;
}
