import { setTimeout as delay } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { ConversationLog } from '../../src/store/conversation-log.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { actor, created_at } from './log-builder.ts';

/** What a process that appends without a pause is told: the folder, its name, and the conversations. */
const [directory = '', name = '', ...conversations] = process.argv.slice(2);

/** Appends under way at once in each conversation. */
const AT_ONCE = 4;

const say = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);
const store = await SqliteStore.open({
  directory,
  exclusive: false,
  onFatal: (error) => say({ failed: String(error) }),
});
const log = new ConversationLog(store.log, true, () => undefined);
const stopping = new AbortController();
createInterface(process.stdin).on('close', () => stopping.abort());

/** One after the other; each is told with its seq once it is stored. */
async function appendAgainAndAgain(conversation_id: string, lane: number): Promise<void> {
  for (let count = 0; !stopping.signal.aborted; count += 1) {
    const title = `${name} ${lane} ${count}`;
    try {
      const { event } = await log.append(conversation_id, (_, seq) => ({
        event: { conversation_id, seq, type: 'conversation_updated', actor, created_at, data: { title } },
        ...{ sender: null, client_msg_id: null, ends_task: null, claim: null },
      }));
      say({ conversation_id, seq: event.seq, title });
    } catch (error) {
      say({ failed: `${String(error)} ${String((error as Error).cause)}` });
      await delay(10);
    }
  }
}

await Promise.all(
  conversations.flatMap((id) => Array.from({ length: AT_ONCE }, (_, lane) => appendAgainAndAgain(id, lane))),
);
await store.close();
