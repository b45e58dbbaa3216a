import type { Collection, Db, ObjectId } from 'mongodb';
import type { TaskStatus } from '@tertulia/protocol';
import type { DatabaseClock } from './clock.ts';

/** Who claimed a task's first attempt in the event that starts it. */
export interface FirstClaim {
  readonly owner: string;
  /** Unix milliseconds by the database's clock. */
  readonly lease_until: number;
}

/** What an event does to its task. An event that starts and ends it is a `start`. */
export type TaskChange = 'start' | 'message' | 'fields' | 'end' | 'deletion';

/**
 * One event of a log: the truth. What people wrote is JSON text within `event`, so that no server reads keys of theirs
 * as operators or paths, and every string and number comes back as it was. A unique key that an event has no value
 * for holds `#` and the event's own `_id`: partial indexes are not everywhere.
 */
export interface EventDocument {
  readonly _id: ObjectId;
  readonly conversation_id: string;
  readonly seq: number;
  readonly sender: string;
  readonly client_msg_id: string;
  readonly ends_task: string;
  /** The task that it is about. */
  readonly task_id: string | null;
  readonly task_change: TaskChange | null;
  /** Whether it carries a message that can be read. */
  readonly is_message: boolean;
  readonly claim: FirstClaim | null;
  readonly event: string;
}

/** A task that has not ended, within its conversation. */
export interface OpenTaskField {
  readonly seq: number;
  readonly claim: FirstClaim | null;
  /** JSON of a `TaskOutline`. */
  readonly task: string;
}

/** A conversation as its log says up to `seq`: made anew from the log alone, always the same for the same `seq`. */
export interface ConversationDocument {
  readonly _id: string;
  readonly seq: number;
  readonly owner_id: string;
  readonly title: string;
  /** JSON of a string or null. */
  readonly description: string;
  /** JSON. */
  readonly metadata: string;
  readonly is_active: boolean;
  readonly is_deleted: boolean;
  readonly created_at: string;
  readonly updated_at: string;
  readonly members: readonly MemberField[];
  readonly open_tasks: Readonly<Record<string, OpenTaskField>>;
}

/** A member within a conversation. Its name is that of the account. */
export interface MemberField {
  readonly user_id: string;
  readonly role: 'owner' | 'member';
  readonly joined_at: string;
}

/** A task as its events say. A deleted one stays as a mark, so that no late hand brings it back. */
export interface TaskDocument {
  readonly _id: string;
  readonly conversation_id: string;
  /** Of the event that starts it. */
  readonly seq: number;
  readonly user_id: string;
  readonly assistant: string;
  /** JSON of its `TaskFields`; the two that lists filter by stand beside it. */
  readonly fields: string;
  readonly priority: string;
  readonly category: string | null;
  readonly status: TaskStatus | 'deleted';
  readonly first_claim: FirstClaim | null;
  /** Of its end; 0 before. */
  readonly attempt: number;
  /** JSON, or null. */
  readonly error: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly ended_at: string | null;
  readonly ended_seq: number | null;
  /** Of the last change of its fields that was applied; 0 where there is none. */
  readonly fields_seq: number;
  /** Its user's id while it is open: what lists of open tasks look for. */
  readonly open_user_id: string | null;
}

/** One attempt at a task, after the first one or once that was renewed. */
export interface ClaimDocument {
  readonly _id: ObjectId;
  readonly conversation_id: string;
  readonly task_id: string;
  readonly attempt: number;
  readonly owner: string;
  /** Unix milliseconds by the database's clock. */
  readonly lease_until: number;
}

/** A piece of an attempt's text so far. */
export interface CheckpointDocument {
  readonly _id: ObjectId;
  readonly conversation_id: string;
  readonly task_id: string;
  readonly attempt: number;
  /** Its offset in UTF-16 units. */
  readonly start: number;
  /** JSON of a string. */
  readonly text: string;
}

/** A deleted conversation of which something is left to remove. */
export interface DeletionDocument {
  readonly _id: string;
}

/** What the database says of itself: its epoch, the version of its schema, how far the sweeper came. */
export interface MetaDocument {
  readonly _id: string;
  readonly value: string | number;
}

/** The collections of a database, and its clock: what every operation is given. */
export interface Database {
  readonly db: Db;
  readonly clock: DatabaseClock;
  readonly events: Collection<EventDocument>;
  readonly conversations: Collection<ConversationDocument>;
  readonly tasks: Collection<TaskDocument>;
  readonly claims: Collection<ClaimDocument>;
  readonly checkpoints: Collection<CheckpointDocument>;
  readonly deletions: Collection<DeletionDocument>;
  readonly meta: Collection<MetaDocument>;
}

/** The collections by name. */
export function collectionsOf(db: Db, clock: DatabaseClock): Database {
  return {
    db,
    clock,
    events: db.collection('events'),
    conversations: db.collection('conversations'),
    tasks: db.collection('tasks'),
    claims: db.collection('claims'),
    checkpoints: db.collection('checkpoints'),
    deletions: db.collection('deletions'),
    meta: db.collection('meta'),
  };
}

/** An index that must be there. */
export interface IndexWanted {
  readonly name: string;
  readonly key: Readonly<Record<string, 1 | -1>>;
  readonly unique?: true;
}

/** By collection. Every unique one begins with the shard key, without which a sharded cluster cannot keep it. */
export const INDEXES: Readonly<Record<string, readonly IndexWanted[]>> = {
  events: [
    { name: 'by_seq', key: { conversation_id: 1, seq: 1 }, unique: true },
    { name: 'by_client_msg_id', key: { conversation_id: 1, sender: 1, client_msg_id: 1 }, unique: true },
    { name: 'by_ended_task', key: { conversation_id: 1, ends_task: 1 }, unique: true },
  ],
  conversations: [{ name: 'by_member', key: { 'members.user_id': 1 } }],
  tasks: [
    { name: 'by_conversation', key: { conversation_id: 1, seq: -1 } },
    { name: 'by_open_user', key: { open_user_id: 1 } },
  ],
  claims: [{ name: 'by_attempt', key: { conversation_id: 1, task_id: 1, attempt: 1 }, unique: true }],
  checkpoints: [{ name: 'by_start', key: { conversation_id: 1, task_id: 1, attempt: 1, start: 1 }, unique: true }],
};
