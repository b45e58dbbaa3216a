import { hash } from 'node:crypto';
import type { ConversationEvent, Message, Task } from '@tertulia/protocol';

/** One thing that a client did or saw. `at` is monotonic time in ms, the same clock for all clients of a run. */
export type Entry = { readonly at: number; readonly client: string } & (
  | {
      /** The first try of a message; repeats are `retry`. */
      readonly kind: 'invoke';
      readonly client_msg_id: string;
      readonly user_id: string;
      /** Null opens a conversation. */
      readonly conversation_id: string | null;
      readonly content: string;
    }
  | { readonly kind: 'retry'; readonly client_msg_id: string }
  /** Refused for now: the client tries again by itself. */
  | { readonly kind: 'refused'; readonly client_msg_id: string; readonly code: string }
  | {
      readonly kind: 'ok';
      readonly client_msg_id: string;
      readonly connection: number;
      readonly conversation_id: string;
      readonly seq: number;
      readonly message_id: string;
      readonly task_id: string;
    }
  /** Refused for good. */
  | { readonly kind: 'fail'; readonly client_msg_id: string; readonly code: string }
  /** Given up without an answer: stored once or not at all. */
  | { readonly kind: 'unknown'; readonly client_msg_id: string }
  /** Connected, to the node that the transport's id begins with; null where it names none. */
  | {
      readonly kind: 'connected';
      readonly connection: number;
      readonly node: string | null;
      readonly user_id: string;
    }
  | { readonly kind: 'disconnected'; readonly connection: number }
  /** Joined: what is live on this connection follows `seq` without a gap. */
  | { readonly kind: 'joined'; readonly connection: number; readonly conversation_id: string; readonly seq: number }
  | {
      readonly kind: 'event';
      readonly connection: number;
      readonly conversation_id: string;
      readonly seq: number;
      readonly print: string;
      readonly via: 'live' | 'page';
    }
  /** A piece of an attempt's text: a delta, or the text so far at a join (`index` 0). */
  | {
      readonly kind: 'piece';
      readonly connection: number;
      readonly task_id: string;
      readonly attempt: number;
      readonly index: number;
      readonly text: string;
    }
  | {
      readonly kind: 'stream_start';
      readonly connection: number;
      readonly task_id: string;
      readonly attempt: number;
    }
  | {
      readonly kind: 'stream_end';
      readonly connection: number;
      readonly task_id: string;
      readonly attempt: number;
      readonly status: string;
    }
  /** The base layer's `conversation`. */
  | { readonly kind: 'exchange'; readonly connection: number; readonly task_id: string; readonly print: string }
  /** The base layer's `error` about a task. */
  | { readonly kind: 'exchange_failed'; readonly connection: number; readonly task_id: string }
  /** The end of a run: the log as this client has it, and the connection that it ends on. */
  | {
      readonly kind: 'view';
      readonly connection: number;
      readonly conversation_id: string;
      readonly events: readonly Seen[];
    }
  | { readonly kind: 'last_connection'; readonly connection: number }
);

/** An event as a client keeps it. */
export interface Seen {
  readonly seq: number;
  readonly print: string;
}

/** What one kind of entry looks like. */
export type EntryOf<K extends Entry['kind']> = Extract<Entry, { kind: K }>;

/** What a reader found in the database after the run: the logs, and the views derived from them. */
export interface Drained {
  readonly logs: ReadonlyMap<string, readonly ConversationEvent[]>;
  readonly messages: ReadonlyMap<string, readonly Message[]>;
  readonly tasks: readonly Task[];
}

/** What the checker looks for. */
export type FaultKind =
  /** Acknowledged, and not in the log. */
  | 'lost'
  /** In the log or seen by a client, though nobody sent it, or it was refused, or the log does not have it. */
  | 'phantom'
  /** One client_msg_id twice in the logs. */
  | 'dup'
  /** An acknowledgement that names another place than the log. */
  | 'misplaced'
  /** Live events out of order, or a message that stands before one acknowledged before it was sent. */
  | 'reorder'
  /** A seq that is missing in a log or in a client's view of it. */
  | 'hole'
  /** Two accounts of the same that differ: a client's and the log's, a view's and the log's. */
  | 'diverge'
  /** A task without an end, with two, or that stands otherwise than it ended. */
  | 'task'
  /** Streamed text that is not the stored text. */
  | 'stream'
  /** Streamed text of which a part never came: a bug, or a socket that could not keep up (G9). */
  | 'gap'
  /** Something by, or known to, somebody who was no member then. */
  | 'access'
  /** The base layer's answer missing or twice. */
  | 'exchange'
  /** A message whose fate the client never noted: the run itself is broken. */
  | 'unresolved';

/** Something that must not be. */
export interface Fault {
  readonly kind: FaultKind;
  readonly detail: string;
}

/** A short print of anything that JSON carries, the same whatever the order of its keys. */
export function printOf(value: unknown): string {
  return hash('sha1', JSON.stringify(value, sortKeys), 'base64');
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** Messages of a run begin with their client_msg_id, so that they are found in a log as clients read it. */
export function markOf(content: string): string {
  return content.split(/\s/, 1)[0] ?? '';
}

/** Entries of one kind. */
export function entriesOf<K extends Entry['kind']>(history: readonly Entry[], kind: K): EntryOf<K>[] {
  return history.filter((entry): entry is EntryOf<K> => entry.kind === kind);
}

/** Entries by a key, in the order in which they came. */
export function groupBy<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
