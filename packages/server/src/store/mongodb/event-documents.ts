import { ObjectId } from 'mongodb';
import type { ConversationEvent, EndedTask } from '@tertulia/protocol';
import { DELETED_TITLE, LEASE_MS, endOf, messageOf, startOf, type NewEvent } from '../store.ts';
import type { DatabaseClock } from './clock.ts';
import type { EventDocument, TaskChange } from './collections.ts';

/** An event with what its document says besides. */
export interface StoredEvent extends Pick<EventDocument, 'claim' | 'task_id' | 'task_change'> {
  readonly event: ConversationEvent;
}

/** What a unique key holds where an event has no value for it. No id has a `#`. */
function ownKey(id: ObjectId): string {
  return `#${id.toHexString()}`;
}

/** What `ends_task` holds of an event that deletes a task which ended before: a task is deleted once. */
export function deletionKey(taskId: string): string {
  return `#deleted:${taskId}`;
}

/** By the database's clock, so that the sweeper finds what was inserted since it looked last. */
function newEventId(clock: DatabaseClock): ObjectId {
  return new ObjectId(ObjectId.generate(Math.floor(clock.now() / 1000)));
}

/** The document to insert. It is made once and repeated identically until the outcome is known. */
export function toDocument(
  { event, sender, client_msg_id, ends_task, claim }: NewEvent,
  clock: DatabaseClock,
  _id = newEventId(clock),
): EventDocument {
  const about = taskOf(event, ends_task);
  return {
    _id,
    conversation_id: event.conversation_id,
    seq: event.seq,
    sender: sender ?? '',
    client_msg_id: client_msg_id ?? ownKey(_id),
    ends_task: ends_task ?? (about.task_change === 'deletion' ? deletionKey(about.task_id) : ownKey(_id)),
    ...about,
    is_message: messageOf(event) !== undefined,
    claim: claim && { owner: claim.owner, lease_until: clock.now() + LEASE_MS },
    event: JSON.stringify(event),
  };
}

type About = { task_id: string; task_change: TaskChange } | { task_id: null; task_change: null };

function taskOf(event: ConversationEvent, endsTask: string | null): About {
  const started = startOf(event);
  if (started) return { task_id: started.id, task_change: 'start' };
  if (event.type === 'task_deleted') return { task_id: event.data.task_id, task_change: 'deletion' };
  if (event.type === 'task_updated') return { task_id: event.data.task_id, task_change: 'fields' };
  const ended = endOf(event)?.id ?? endsTask;
  if (ended !== null) return { task_id: ended, task_change: 'end' };
  const said = messageOf(event)?.task_id ?? null;
  return said === null ? { task_id: null, task_change: null } : { task_id: said, task_change: 'message' };
}

/** The event as it was appended, or as a deletion left it. */
export function toEvent({ event }: Pick<EventDocument, 'event'>): ConversationEvent {
  return JSON.parse(event);
}

/** The event with what its document says besides. */
export function toStored(document: EventDocument): StoredEvent {
  const { claim, task_id, task_change } = document;
  return { event: toEvent(document), claim, task_id, task_change };
}

/** The event of a deleted task without what its people wrote: deletion is the one rewriting there is. */
export function blanked(event: ConversationEvent): ConversationEvent {
  if (event.type === 'task_updated') return { ...event, data: { ...event.data, fields: {} } };
  if (event.type === 'task_ended') return { ...event, data: { task: withoutText(event.data.task) } };
  if (event.type !== 'message_created' && event.type !== 'conversation_created') return event;
  const { message, task, ends_task } = event.data;
  const data = {
    ...event.data,
    ...(event.type === 'conversation_created' && { title: DELETED_TITLE }), // it was made from the message
    ...(message && { message: { ...message, content: '', metadata: {} } }),
    ...(task && { task: { ...task, title: null, description: null, category: null, tags: [], metadata: {} } }),
    ...(ends_task && { ends_task: withoutText(ends_task) }),
  };
  return { ...event, data } as ConversationEvent;
}

function withoutText(end: EndedTask): EndedTask {
  const { partial_text: _, ...rest } = end;
  return rest;
}
