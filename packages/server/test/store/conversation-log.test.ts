import { expect, test } from 'vitest';
import { ConversationLog } from '../../src/store/conversation-log.ts';
import type { LogStore } from '../../src/store/store.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { testDirectory } from '../support/test-directory.ts';
import { LogBuilder } from './log-builder.ts';

/** More than a process that appends without a pause wins in a row. */
const LOST_RACES = 60;

test('who loses race after race to another process goes on, and is stored once', async () => {
  const onFatal = (error: Error) => {
    throw error;
  };
  const store = await SqliteStore.open({ directory: testDirectory(), exclusive: false, onFatal });
  const builder = new LogBuilder();
  await store.log.append(builder.created());
  let races = 0;
  // The other one is always there first, until it stops.
  const raced: LogStore = Object.create(store.log, {
    append: {
      value: async (given: Parameters<LogStore['append']>[0]) => {
        races += 1;
        if (races <= LOST_RACES) {
          const { seq } = given.event;
          await store.log.append(builder.event('conversation_updated', { title: `${races}` }, { seq }));
        }
        return store.log.append(given);
      },
    },
  });
  const log = new ConversationLog(raced, true, () => undefined);
  const mine = { title: 'mine' };
  const appended = await log.append(builder.id, (_, seq) => builder.event('conversation_updated', mine, { seq }));
  expect(appended).toMatchObject({ status: 'appended', event: { seq: LOST_RACES + 2 } });
  const events = await store.log.read(builder.id, 0, 1_000);
  expect(events.filter(({ data }) => 'title' in data && data.title === 'mine')).toHaveLength(1);
  await store.close();
});
