/** Where an exchange's CPU goes: SQLite's part and the server's own decisions, each measured alone in this process. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ConversationEvent } from '@tertulia/protocol';
import { newConversationId, newId } from '../packages/server/src/ids.ts';
import { newTask } from '../packages/server/src/events/messages.ts';
import { openDatabase } from '../packages/server/src/store/sqlite/database.ts';
import { migrate } from '../packages/server/src/store/sqlite/migrations.ts';
import { writes } from '../packages/server/src/store/sqlite/operations.ts';
import type { NewEvent } from '../packages/server/src/store/store.ts';
import { withDirectory } from './servers.ts';

const CONVERSATIONS = 200;
const AUTHOR = { kind: 'user', id: randomUUID(), name: 'alice' } as const;

interface Place {
  readonly id: string;
  seq: number;
}

/** CPU microseconds per exchange of the writing thread's work alone: two commits, `batch` exchanges in each. */
export function measureSqlite(exchanges: number, batch: number): Promise<number> {
  return withDirectory(async (directory) => {
    const db = openDatabase(join(directory, 'bench.sqlite'));
    migrate(db);
    const places = Array.from({ length: CONVERSATIONS }, () => ({ id: newConversationId(), seq: 1 }));
    for (const { id } of places) writes.append(db, created(id));
    const before = process.cpuUsage();
    for (let done = 0; done < exchanges; done += batch) {
      const some = Array.from({ length: batch }, (_, index) => places[(done + index) % CONVERSATIONS]!);
      const tasks = some.map(() => newTask(AUTHOR.id, 'echo'));
      for (const events of [
        some.map((place, index) => question(place, tasks[index]!)),
        some.map((place, index) => answer(place, tasks[index]!.id)),
      ]) {
        db.exec('BEGIN IMMEDIATE');
        for (const event of events) writes.append(db, event);
        db.exec('COMMIT');
      }
    }
    const used = process.cpuUsage(before);
    db.close();
    return (used.user + used.system) / exchanges;
  });
}

function created(id: string): NewEvent {
  const created_at = new Date().toISOString();
  const owner = { user_id: AUTHOR.id, username: 'alice', role: 'owner', joined_at: created_at } as const;
  const data = { title: 'a room', description: null, metadata: {}, is_active: true, owner };
  return wrap({ conversation_id: id, seq: 1, actor: AUTHOR, created_at, type: 'conversation_created', data }, null);
}

function question(place: Place, task: ReturnType<typeof newTask>): NewEvent {
  const event = wrap(messageEvent(place, task.id, { task }), null);
  return { ...event, claim: { task_id: task.id, attempt: 1, owner: 'bench' } };
}

function answer(place: Place, taskId: string): NewEvent {
  const ends_task = { id: taskId, attempt: 1, status: 'completed', error: null } as const;
  return wrap(messageEvent(place, taskId, { ends_task }), taskId);
}

function messageEvent(place: Place, taskId: string, rest: object): ConversationEvent {
  place.seq += 1;
  const now = Date.now();
  const message = {
    id: newId(),
    role: 'user',
    content: 'x'.repeat(100),
    metadata: { client: 'bench' },
    timestamp: now / 1_000,
    conversation_id: place.id,
    task_id: taskId,
    author: AUTHOR,
    seq: place.seq,
  } as const;
  const envelope = {
    conversation_id: place.id,
    seq: place.seq,
    actor: AUTHOR,
    created_at: new Date(now).toISOString(),
  };
  return { ...envelope, type: 'message_created', data: { message, ...rest } };
}

function wrap(event: ConversationEvent, ends_task: string | null): NewEvent {
  return { event, sender: AUTHOR.id, client_msg_id: null, ends_task, claim: null };
}
