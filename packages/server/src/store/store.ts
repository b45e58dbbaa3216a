import type {
  Conversation,
  ConversationEvent,
  EndedTask,
  EventPage,
  Member,
  Message,
  RunningAnswer,
  StartedTask,
  Task,
  TaskStatus,
} from '@tertulia/protocol';
import type { AccountStore } from './account-store.ts';

/** An event with what the unique indexes need: all of it is fixed before the first try and repeated identically. */
export interface NewEvent {
  /** Its `seq` is the expected last seq plus one. */
  readonly event: ConversationEvent;
  /** With `client_msg_id`: unique per (conversation, sender). */
  readonly sender: string | null;
  readonly client_msg_id: string | null;
  /** The task that this event ends: unique. */
  readonly ends_task: string | null;
  /** Whoever appends a claimable task may claim its first attempt in the same insert, and save one. */
  readonly claim: Claim | null;
}

/** What a conversation is called whose title was made from a message that is deleted. */
export const DELETED_TITLE = '…';

/** How long a lease stands without renewal, in ms (DESIGN G6). */
export const LEASE_MS = 15_000;

/** A lease on one attempt at a task. The owner renews it; after `LEASE_MS` without renewal the next attempt may be claimed. */
export interface Claim {
  readonly task_id: string;
  readonly attempt: number;
  /** One run of one process, never reused: a restarted process is another owner. */
  readonly owner: string;
}

/** What became of an append. Only `appended` changed anything. */
export type AppendResult =
  | { readonly status: 'appended' }
  | { readonly status: 'seq_taken' }
  | { readonly status: 'repeated'; readonly first: ConversationEvent }
  | { readonly status: 'task_ended'; readonly end: ConversationEvent }
  /** The task that the event is about was deleted. */
  | { readonly status: 'task_missing' };

/** What decisions need to know of a task that has not ended; the rest may be large. */
export type TaskOutline = Pick<StartedTask, 'id' | 'user_id' | 'assistant'>;

/** What a decision about a conversation rests on: the log folded up to `seq`. */
export interface ConversationView {
  readonly id: string;
  seq: number;
  title: string;
  is_active: boolean;
  is_deleted: boolean;
  /** By user id. */
  readonly members: Map<string, Member>;
  /** Tasks that have not ended, by id, in the log's order. */
  readonly open_tasks: Map<string, TaskOutline>;
}

/** Where a log ends, as its members may know. */
export interface LogHead {
  readonly last_seq: number;
  /** Whether a task has not ended. */
  readonly is_answering: boolean;
}

/** A question whose answer is due: everything a runner needs. */
export interface DueTask {
  readonly task: StartedTask;
  readonly conversation_id: string;
  readonly seq: number;
  /** The attempt that may be claimed now. */
  readonly attempt: number;
}

/** A task that has not ended and counts against its user's queue. */
export interface OpenTask {
  readonly task_id: string;
  readonly conversation_id: string;
  /** Whether somebody's lease on it stands: it is being answered. */
  readonly is_claimed: boolean;
}

/** The log as the server's own rooms read it: no user, so never reachable from a client's request alone. */
export interface LogStore {
  append(event: NewEvent): Promise<AppendResult>;
  /** The view folded from the whole log, or null where there is no such conversation. */
  view(conversationId: string): Promise<ConversationView | null>;
  /** Events above `afterSeq` in order, at most `limit`. */
  read(conversationId: string, afterSeq: number, limit: number): Promise<ConversationEvent[]>;
  lastSeq(conversationId: string): Promise<number>;
  /** The last seq of each of these logs; what is not there is left out. */
  lastSeqs(conversationIds: readonly string[]): Promise<Map<string, number>>;
  /** The event that a sender's `client_msg_id` stands for. */
  find(conversationId: string, sender: string, clientMsgId: string): Promise<ConversationEvent | null>;
}

/** Cursor-free paging for lists. */
export interface ListQuery {
  readonly skip: number;
  readonly limit: number;
  readonly sort_by: 'created_at' | 'updated_at' | 'title';
  readonly sort_order: 1 | -1;
}

export interface TaskFilter {
  readonly conversation_id?: string | undefined;
  readonly status?: TaskStatus | undefined;
  readonly priority?: string | undefined;
  readonly category?: string | undefined;
}

/** What members may read. Every method takes the acting user and filters by membership inside the query: null where missing or foreign. */
export interface ConversationStore {
  get(userId: string, conversationId: string): Promise<Conversation | null>;
  /** Where the log ends, for a member. */
  head(userId: string, conversationId: string): Promise<LogHead | null>;
  list(userId: string, query: ListQuery): Promise<{ conversations: Conversation[]; total: number }>;
  /** A page of the log above `afterSeq`: at most `limit` events or `bytes` of JSON, at least one event where there is one. */
  events(
    userId: string,
    conversationId: string,
    afterSeq: number,
    limit: number,
    bytes: number,
  ): Promise<EventPage | null>;
  /** Messages below `beforeSeq`, newest last. */
  messages(userId: string, conversationId: string, beforeSeq: number, limit: number): Promise<Message[] | null>;
  members(userId: string, conversationId: string): Promise<Member[] | null>;
  task(userId: string, taskId: string): Promise<Task | null>;
  tasks(
    userId: string,
    filter: TaskFilter,
    query: Pick<ListQuery, 'skip' | 'limit'>,
  ): Promise<{ tasks: Task[]; total: number }>;
}

/** Leases, checkpoints and what is due. */
export interface TaskStore {
  /** True where this claim won; the attempt must be the next one and no live lease may stand. */
  claim(claim: Claim): Promise<boolean>;
  /**
   * Extends the leases that this owner still holds of the tasks that it runs; answers their ids. What it holds and does
   * not run (an append that was stored, but reported as failed) passes to others when its lease does.
   */
  renew(owner: string, taskIds: readonly string[]): Promise<string[]>;
  /** Gives back an unfinished attempt, so that the next may be claimed at once. */
  release(claim: Claim): Promise<void>;
  /** Ends every lease of other owners: only right where this process holds the database alone. */
  releaseOthers(owner: string): Promise<void>;
  /** Tasks that may be claimed now: every earlier one of their conversation has ended, and no lease stands. Oldest first. */
  due(limit: number): Promise<DueTask[]>;
  /** Appends to an attempt's text so far, at UTF-16 offset `index`. */
  checkpoint(taskId: string, attempt: number, index: number, text: string): Promise<void>;
  /** Attempt and text of a task's last attempt, or null where there is no such task. */
  progress(taskId: string): Promise<RunningAnswer | null>;
  /** A user's tasks that have not ended and count against the queue (not `external` ones), oldest first. */
  open(userId: string): Promise<OpenTask[]>;
  /** The question and the answers so far, oldest first. */
  exchange(taskId: string): Promise<Message[]>;
  /** The title and the newest messages of a conversation up to `seq`, oldest first, for an assistant. */
  context(conversationId: string, seq: number, limit: number): Promise<{ title: string; messages: Message[] }>;
}

/** The database behind the server. One contract suite (`test/store/contract.ts`) holds for every implementation. */
export interface Store {
  /** Made with the database, and anew when a backup is restored. */
  readonly epoch: string;
  readonly log: LogStore;
  readonly conversations: ConversationStore;
  readonly tasks: TaskStore;
  readonly accounts: AccountStore;
  /** How many operations wait, by the name of their queue: what an operator watches. */
  readonly depths: Readonly<Record<string, number>>;
  /** Finishes what a crash or a deletion left, at most `limit` pieces of it; answers how many there were. */
  sweep(limit: number): Promise<number>;
  /** Resolves where a write would be taken. @throws {ChatError} `unavailable` */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** The message that an event carries, if any. */
export function messageOf(event: ConversationEvent): Message | undefined {
  if (event.type === 'message_created' || event.type === 'conversation_created') return event.data.message;
  return undefined;
}

/** The task that an event starts, or null. */
export function startOf(event: ConversationEvent): StartedTask | null {
  if (event.type === 'message_created' || event.type === 'conversation_created') return event.data.task ?? null;
  return null;
}

/** How a task ended, as an event carries it, or null for any other event. */
export function endOf(event: ConversationEvent): EndedTask | null {
  if (event.type === 'task_ended') return event.data.task;
  if (event.type === 'message_created' || event.type === 'conversation_created') return event.data.ends_task ?? null;
  return null;
}
