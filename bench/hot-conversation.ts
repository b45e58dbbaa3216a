/** How fast one conversation's log grows, against many conversations written to as often; in this process, on SQLite. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { newConversationId } from '../packages/server/src/ids.ts';
import { ConversationLog } from '../packages/server/src/store/conversation-log.ts';
import { DATABASE_FILE, SqliteStore } from '../packages/server/src/store/sqlite/sqlite-store.ts';
import { withDirectory } from './servers.ts';
import { created, message } from './storage.ts';

const AT_ONCE = 64;

/** Appends a second where 64 wait at once, and what a message of 100 characters takes on the disk. */
export interface HotSample {
  readonly one: number;
  readonly many: number;
  readonly bytes: number;
}

/** Appends `count` messages to one conversation, then as many to 64. */
export function measureHot(count: number): Promise<HotSample> {
  return withDirectory(async (directory) => {
    const onFatal = (error: Error) => {
      throw error;
    };
    const store = await SqliteStore.open({ directory, exclusive: true, onFatal });
    const log = new ConversationLog(store.log, false, () => undefined);
    const ids = Array.from({ length: AT_ONCE }, newConversationId);
    for (const id of ids) await log.append(id, () => created(id));
    const [hot = ''] = ids;
    const one = await rate(log, () => hot, count);
    const many = await rate(log, (index) => ids[index % AT_ONCE] ?? '', count);
    await store.close();
    return { one, many, bytes: (await stat(join(directory, DATABASE_FILE))).size / (2 * count) };
  });
}

async function rate(log: ConversationLog, idOf: (index: number) => string, count: number): Promise<number> {
  let next = 0;
  const started = performance.now();
  const writers = Array.from({ length: AT_ONCE }, async () => {
    while (next < count) {
      const id = idOf(next);
      next += 1;
      await log.append(id, (_, seq) => message(id, seq));
    }
  });
  await Promise.all(writers);
  return count / ((performance.now() - started) / 1_000);
}
