import type { NewUser } from './account-store.ts';
import type { NewEvent } from './store.ts';

/** An account with its present password; the generations before it are only counted. */
export interface AccountRecord extends Omit<NewUser, 'password_hash'> {
  readonly kind: 'account';
  readonly is_active: boolean;
  readonly password: {
    readonly generation: number;
    readonly hash: string;
    /** The one older login session that stays live beside those of this generation. */
    readonly kept_session_id: string | null;
  };
}

/** A live login session with all of its refresh tokens, used ones too, since a used one that comes again ends it. Times in Unix ms. */
export interface LoginRecord {
  readonly kind: 'login';
  readonly id: string;
  readonly user_id: string;
  readonly password_generation: number;
  readonly created_at: number;
  readonly expires_at: number;
  readonly address: string | null;
  readonly user_agent: string | null;
  readonly tokens: readonly { readonly hash: string; readonly generation: number; readonly issued_at: number }[];
}

/** An event of a log as it stands. Of a deleted conversation only the last event moves, or some before it and that one. */
export interface EventRecord extends Omit<NewEvent, 'claim'> {
  readonly kind: 'event';
}

/**
 * The last attempt that was begun at a task that has not ended; of another task it means nothing. Its lease and its text so far stay behind, but the next
 * attempt must be a higher one: clients hold text of this one.
 */
export interface AttemptRecord {
  readonly kind: 'attempt';
  readonly task_id: string;
  readonly attempt: number;
}

/**
 * What moves between stores, one piece each. The events of a conversation come in the order of their seqs, without a
 * hole but before a deletion, and attempts after all events.
 */
export type TransferRecord = AccountRecord | LoginRecord | EventRecord | AttemptRecord;

/** How many records of each kind there are. */
export type TransferCounts = Readonly<Record<TransferRecord['kind'], number>>;

/** A database that is read from. */
export interface TransferSource {
  /** The kind of database, for people. */
  readonly store: 'SQLite' | 'MongoDB';
  readonly epoch: string;
  counts(): Promise<TransferCounts>;
  /** Everything, in the order that `TransferRecord` asks for, read as the reader goes on. */
  records(): AsyncIterable<TransferRecord>;
  /** Gives the database a new epoch: the old one goes on elsewhere. */
  giveUpEpoch(): Promise<void>;
  close(): Promise<void>;
}

/** How far an import has come. It is stored in the database itself, so a server can tell half of an import from a whole one. */
export interface ImportProgress {
  /** The id of the export. */
  readonly export_id: string;
  /** Whether the epoch and the logins come as well. */
  readonly is_move: boolean;
  /** How many of its parts are stored. */
  readonly parts: number;
  readonly is_finished: boolean;
}

/** A database that is written to. */
export interface TransferTarget {
  /** How far an import has come here, or null where none was begun. */
  progress(): Promise<ImportProgress | null>;
  /** Whether there is no account, no conversation and no login. */
  isEmpty(): Promise<boolean>;
  /**
   * Stores records and how far the import has come with them. Storing the same again changes nothing.
   * @throws {Unfitting} where a record does not fit what is stored
   */
  add(records: readonly TransferRecord[], progress: ImportProgress): Promise<void>;
  /** Notes that everything is stored. With an epoch, it becomes the database's own. */
  finish(progress: ImportProgress, epoch: string | null): Promise<void>;
  close(): Promise<void>;
}

/** A record does not fit what was stored before it: the export has a hole, or the database another log. */
export class Unfitting extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Unfitting';
  }
}

/** The database holds a part of an import: nothing but the same import may touch it. */
export class UnfinishedImport extends Error {
  constructor(database: string) {
    super(
      `${database} holds an import that has not come to its end: run npm run import with the same file again, or start with an empty database.`,
    );
    this.name = 'UnfinishedImport';
  }
}
