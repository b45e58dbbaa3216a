import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../log.ts';
import type { AppendResult, NewEvent } from '../store.ts';
import { applyEvent } from './apply-event.ts';
import type { Database, EventDocument } from './collections.ts';
import { deletionKey, toDocument, toEvent, toStored } from './event-documents.ts';
import { NotYetReadable, answered, isDuplicateKey } from './retry.ts';

/** An append waits this long for the views. What they lack then, readers fold in and the sweeper mends. */
const VIEWS_MS = 2_000;

/**
 * The insert decides, and once it is known to stand the event is appended. Its outcome may be unknown (the answer was
 * lost, another server became the primary): the same document is inserted again until it is known.
 * @throws {ChatError} `unavailable`, where that takes too long; the event may stand then.
 */
export async function append(
  db: Database,
  log: Logger,
  given: NewEvent,
  onInserted: (operations: 1, milliseconds: number) => void = () => undefined,
): Promise<AppendResult> {
  const document = toDocument(given, db.clock);
  const started = performance.now();
  const result = await answered(() => insert(db, document));
  if (result.status === 'appended') onInserted(1, performance.now() - started);
  if (result.status !== 'appended' || (await applyInTime(db, log, document))) return result;
  return { status: 'seq_taken' };
}

async function insert(db: Database, document: EventDocument): Promise<AppendResult> {
  if (document.task_change === 'message' && (await isTaskDeleted(db, document))) return { status: 'task_missing' };
  try {
    await db.events.insertOne(document);
    return { status: 'appended' };
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return refusal(db, document);
  }
}

/**
 * Some servers do not say which unique index refused, so looking tells.
 * @throws {NotYetReadable} where the other document cannot be read yet, or was removed meanwhile.
 */
async function refusal(db: Database, document: EventDocument): Promise<AppendResult> {
  const { _id, conversation_id, seq, sender, client_msg_id, ends_task } = document;
  const rivals = await db.events
    .find({ conversation_id, $or: [{ _id }, { sender, client_msg_id }, { ends_task }, { seq }] })
    .toArray();
  if (rivals.some((rival) => rival._id.equals(_id))) return { status: 'appended' };
  const first = rivals.find((rival) => rival.sender === sender && rival.client_msg_id === client_msg_id);
  if (first) return { status: 'repeated', first: toEvent(first) };
  const end = rivals.find((rival) => rival.ends_task === ends_task);
  if (end)
    return (await isTaskDeleted(db, document))
      ? { status: 'task_missing' }
      : { status: 'task_ended', end: toEvent(end) };
  if (rivals.length === 0) throw new NotYetReadable();
  return { status: 'seq_taken' };
}

/** Whether the task that an event is about was deleted, while it was open or later. */
async function isTaskDeleted(db: Database, { conversation_id, task_id }: EventDocument): Promise<boolean> {
  if (task_id === null) return false;
  const ends = { conversation_id, ends_task: { $in: [task_id, deletionKey(task_id)] } };
  const found = await db.events.find(ends, { projection: { _id: 0, task_change: 1 } }).toArray();
  return found.some(({ task_change }) => task_change === 'deletion');
}

/**
 * So that other nodes read at once what is about to be acknowledged; whether this succeeds or not, the event stands.
 * Answers false where its conversation turned out to be deleted.
 */
async function applyInTime(db: Database, log: Logger, document: EventDocument): Promise<boolean> {
  const { conversation_id, seq } = document;
  const timer = new AbortController();
  const timeOver = delay(VIEWS_MS, true, { signal: timer.signal }).catch(() => true); // told when nobody waits any more
  const applied = answered(() => applyEvent(db, toStored(document))).catch((error: unknown) => {
    log.warn({ err: error, conversation_id, seq }, 'the views lack an event; they are mended within seconds');
    return true;
  });
  try {
    return await Promise.race([applied, timeOver]);
  } finally {
    timer.abort();
  }
}
