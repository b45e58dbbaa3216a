import type { ConversationEvent, User } from '@tertulia/protocol';

/** Who is to hear a message: the nodes that follow a conversation or a user, or all of them. */
export type Topic = `conversation:${string}` | `user:${string}` | 'all';

export const conversationTopic = (conversationId: string): Topic => `conversation:${conversationId}`;
export const userTopic = (userId: string): Topic => `user:${userId}`;

/** What nodes tell each other. All of it may be lost, doubled or late: the log and the sessions in the database are the truth. */
export type BusMessage =
  /** Committed. A large one goes without itself, and is read from the log. */
  | {
      readonly kind: 'event';
      readonly conversation_id: string;
      readonly seq: number;
      readonly event: ConversationEvent | null;
      /** Whose open task it ends. */
      readonly asker: string | null;
    }
  /** Something changed in a conversation of this user's. */
  | { readonly kind: 'changed'; readonly user_id: string; readonly conversation_id: string; readonly seq: number }
  /** A piece of an answer. */
  | { readonly kind: 'stream'; readonly conversation_id: string; readonly name: string; readonly payload: object }
  /** These login sessions have ended. */
  | { readonly kind: 'revoked'; readonly session_ids: readonly string[] }
  /** A task was handed back and may be claimed. */
  | { readonly kind: 'due' }
  /** A node's link has come up: its NODE_ID, and what tells its secret from another. */
  | { readonly kind: 'node'; readonly node_id: string; readonly secret_mark: string }
  /** The user has another name. */
  | { readonly kind: 'renamed'; readonly user: User };

/** One node's link to the others. What it publishes reaches other nodes, never itself. */
export interface Bus {
  /** Whether other nodes may use the same database. */
  readonly isShared: boolean;
  /** Whether what others publish reaches this node now. While it does not, the log is read instead. */
  readonly isUp: boolean;
  /** Tells the nodes that follow any of the topics; one that follows several may be told more than once. Never throws. */
  publish(topics: readonly Topic[], message: BusMessage): void;
  /** From now on this node is told; resolves when that holds, or when the link is down. It follows `all` from the start. */
  follow(topic: Topic): Promise<void> | void;
  unfollow(topic: Topic): void;
  /** Called once, before anything is published. `onUp`: the link is there again, and what was told meanwhile is lost. */
  subscribe(receive: (message: BusMessage) => void, onUp: () => void): void;
  close(): Promise<void>;
}

/** No link: for a server that is alone with its database, or for several that only read the log. */
export class NoBus implements Bus {
  readonly isShared: boolean;
  readonly isUp: boolean;

  constructor(isShared: boolean) {
    this.isShared = isShared;
    this.isUp = !isShared;
  }

  publish(): void {}
  follow(): void {}
  unfollow(): void {}
  subscribe(): void {}
  close(): Promise<void> {
    return Promise.resolve();
  }
}
