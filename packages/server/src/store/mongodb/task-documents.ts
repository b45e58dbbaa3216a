import type { ConversationEvent, EndedTask, TaskFields } from '@tertulia/protocol';
import { endOf, startOf } from '../store.ts';
import type { Database, TaskDocument } from './collections.ts';
import { blanked, toEvent, toStored, type StoredEvent } from './event-documents.ts';
import { insertOnce } from './insert-once.ts';
import { NotYetReadable } from './retry.ts';

/** The document of a task that an event starts. */
function started({ event, claim }: StoredEvent): TaskDocument | null {
  const task = startOf(event);
  if (!task) return null;
  const { id, user_id, assistant, ...fields } = task;
  const end = endOf(event);
  const document: TaskDocument = {
    _id: id,
    conversation_id: event.conversation_id,
    seq: event.seq,
    user_id,
    assistant,
    ...filed(fields),
    status: claim ? 'in_progress' : 'pending',
    first_claim: claim,
    attempt: 0,
    error: null,
    created_at: event.created_at,
    updated_at: event.created_at,
    ended_at: null,
    ended_seq: null,
    fields_seq: 0,
    open_user_id: user_id,
  };
  return end?.id === id ? { ...document, ...ended(event, end) } : document;
}

function filed(fields: TaskFields): Pick<TaskDocument, 'fields' | 'priority' | 'category'> {
  return { fields: JSON.stringify(fields), priority: fields.priority, category: fields.category };
}

/** What an end changes, whatever else was applied. */
function ended({ created_at, seq }: ConversationEvent, { status, attempt, error }: EndedTask): Partial<TaskDocument> {
  return {
    status,
    attempt,
    error: error && JSON.stringify(error),
    updated_at: created_at,
    ended_at: created_at,
    ended_seq: seq,
    open_user_id: null,
  };
}

/** The document after the next event about its task. */
function changed(document: TaskDocument, { event }: StoredEvent): TaskDocument {
  if (event.type === 'task_deleted') {
    const none = { fields: '{}', priority: '', category: null, error: null, open_user_id: null };
    return { ...document, ...none, status: 'deleted', ended_at: event.created_at, ended_seq: event.seq };
  }
  if (event.type === 'task_updated') {
    const { status = document.status, ...changes } = event.data.fields;
    const fields = filed({ ...JSON.parse(document.fields), ...changes });
    return { ...document, ...fields, status, updated_at: event.created_at, fields_seq: event.seq };
  }
  const end = endOf(event);
  return end?.id === document._id ? { ...document, ...ended(event, end) } : document;
}

/** Brings one event to its task. The usual ones take one write. */
export async function applyToTask(db: Database, stored: StoredEvent, taskId: string): Promise<void> {
  const { event } = stored;
  const start = started(stored);
  if (start?._id === taskId) {
    await insertOnce(db.tasks, start); // one that is there may be ahead by now
    return;
  }
  const end = event.type === 'task_deleted' ? null : endOf(event);
  if (end) {
    const open = { _id: taskId, conversation_id: event.conversation_id, open_user_id: { $ne: null } };
    const { matchedCount } = await db.tasks.updateOne(open, { $set: ended(event, end) });
    if (matchedCount === 1) return;
  }
  if (event.type === 'task_deleted') await blankTask(db, event.conversation_id, taskId, event.seq);
  await rebuildTask(db, event.conversation_id, taskId);
}

/** The document after the next event about its task; null before the one that starts it. */
export function foldTask(document: TaskDocument | null, stored: StoredEvent): TaskDocument | null {
  return document ? changed(document, stored) : started(stored);
}

/** Makes a task's document anew from every event about it. @throws {NotYetReadable} where others change it meanwhile */
export async function rebuildTask(db: Database, conversationId: string, taskId: string): Promise<void> {
  const [standing, events] = await Promise.all([
    db.tasks.findOne({ _id: taskId, conversation_id: conversationId }),
    db.events.find({ conversation_id: conversationId, task_id: taskId }).sort({ seq: 1 }).toArray(),
  ]);
  let document: TaskDocument | null = null;
  for (const stored of events.map(toStored)) document = foldTask(document, stored);
  if (!document) return; // its conversation was deleted
  const isReopened = standing?.open_user_id === null && document.open_user_id !== null;
  if (isReopened) return; // what ended it (its conversation's deletion) is not about it
  const isDone = standing
    ? (await db.tasks.replaceOne(unchanged(standing), document)).matchedCount === 1
    : await insertOnce(db.tasks, document);
  if (!isDone) throw new NotYetReadable();
}

/** Finds a task's document as long as nobody changed it. */
export function unchanged({ _id, conversation_id, status, fields_seq, ended_seq }: TaskDocument) {
  return { _id, conversation_id, status, fields_seq, ended_seq };
}

/** Removes what people wrote from the events of a task up to its deletion. */
async function blankTask(db: Database, conversationId: string, taskId: string, deletionSeq: number): Promise<void> {
  const about = { conversation_id: conversationId, task_id: taskId, seq: { $lt: deletionSeq } };
  for await (const document of db.events.find(about)) {
    const event = JSON.stringify(blanked(toEvent(document)));
    if (event === document.event && !document.is_message) continue;
    const own = { conversation_id: conversationId, _id: document._id };
    await db.events.updateOne(own, { $set: { event, is_message: false } });
  }
}

/** Whether the task's document has what an event brings to it. */
export function hasApplied(
  task: Pick<TaskDocument, 'status' | 'fields_seq' | 'ended_seq'> | undefined,
  change: 'start' | 'fields' | 'end' | 'deletion',
  seq: number,
): boolean {
  if (!task) return false;
  if (task.status === 'deleted') return true;
  switch (change) {
    case 'start':
      return true;
    case 'fields':
      return task.fields_seq >= seq;
    case 'end':
      return task.ended_seq !== null;
    case 'deletion':
      return false;
  }
}
