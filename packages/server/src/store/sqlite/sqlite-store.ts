import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AccountStore } from '../account-store.ts';
import type { ConversationStore, LogStore, Store, TaskStore } from '../store.ts';
import { UnfinishedImport } from '../transfer.ts';
import { sqliteAccounts } from './accounts-store.ts';
import { openDatabase } from './database.ts';
import { DatabaseThread, type ThreadEvents } from './database-thread.ts';
import { migrate } from './migrations.ts';
import type { Reads, Writes } from './operations.ts';
import { importProgress } from './transfer-target.ts';

/** The database file within the data folder. */
export const DATABASE_FILE = 'tertulia.sqlite';
const LOCK_FILE = 'server.lock';

/** How a store is opened. */
export interface SqliteOptions extends ThreadEvents {
  readonly directory: string;
  /** A server that is alone holds the folder; one of several does not, nor does a command beside a running server. */
  readonly exclusive: boolean;
}

/** Nobody else on the machine reads password hashes and messages, whatever the folder's mode; SQLite's other files take this one's. */
export function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
}

/** Another process holds the data folder. */
class DataDirectoryInUse extends Error {
  constructor(directory: string) {
    super(`Another server is using the data folder ${directory}: stop it, or set DATA_DIR to another folder.`);
    this.name = 'DataDirectoryInUse';
  }
}

/**
 * Holds the data folder until closed, also against other processes; the lock ends with the process, however it ends.
 * @throws {DataDirectoryInUse}
 */
export function lockDirectory(directory: string): { release(): void } {
  const lock = new DatabaseSync(join(directory, LOCK_FILE), { timeout: 0 });
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode === 5) throw new DataDirectoryInUse(directory);
    throw error;
  }
  return { release: () => lock.close() };
}

/** Whether a server holds the data folder; changes nothing, not even where there is none. */
export function isDirectoryHeld(directory: string): boolean {
  const path = join(directory, LOCK_FILE);
  if (!existsSync(path)) return false;
  const lock = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    lock.prepare('SELECT 1 FROM sqlite_master').get();
    return false;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === 5) return true;
    throw error;
  } finally {
    lock.close();
  }
}

/** The embedded store: one SQLite file, one thread that writes and commits in groups, one that reads. */
export class SqliteStore implements Store {
  readonly epoch: string;
  readonly log: LogStore;
  readonly conversations: ConversationStore;
  readonly tasks: TaskStore;
  readonly accounts: AccountStore;
  readonly #writer: DatabaseThread<Writes>;
  readonly #reader: DatabaseThread<Reads>;
  #lock: { release(): void } | null;
  #checked: { at: number; result: Promise<void> } | null = null;

  private constructor(
    epoch: string,
    writer: DatabaseThread<Writes>,
    reader: DatabaseThread<Reads>,
    lock: { release(): void } | null,
  ) {
    this.epoch = epoch;
    this.#writer = writer;
    this.#reader = reader;
    this.#lock = lock;
    this.log = logStore(writer, reader);
    this.conversations = conversationStore(reader);
    this.tasks = taskStore(writer, reader);
    this.accounts = sqliteAccounts(writer, reader);
  }

  /**
   * Opens or makes the database in `directory`.
   * @throws {DataDirectoryInUse} and whatever keeps the file from being opened or migrated.
   */
  static async open({ directory, exclusive, ...events }: SqliteOptions): Promise<SqliteStore> {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const lock = exclusive ? lockDirectory(directory) : null;
    try {
      const path = join(directory, DATABASE_FILE);
      makePrivate(path);
      const db = openDatabase(path);
      migrate(db);
      const isHalf = importProgress(db)?.is_finished === false;
      db.close();
      if (isHalf) throw new UnfinishedImport(path);
      const writer = new DatabaseThread<Writes>({ path, role: 'write' }, events);
      const reader = new DatabaseThread<Reads>({ path, role: 'read' }, { onFatal: (error) => events.onFatal(error) });
      return new SqliteStore(await reader.ask('epoch'), writer, reader, lock);
    } catch (error) {
      lock?.release();
      throw error;
    }
  }

  /** How many operations wait for the writer and for the reader. */
  get depths(): { write: number; read: number } {
    return { write: this.#writer.depth, read: this.#reader.depth };
  }

  /** One write a second at most, however often readiness is asked. */
  check(): Promise<void> {
    const now = Date.now();
    if (!this.#checked || now - this.#checked.at > 1_000) {
      this.#checked = { at: now, result: this.#writer.ask('touch', now).then(() => undefined) };
      this.#checked.result.catch(() => undefined); // told to whoever asks; nobody may be asking
    }
    return this.#checked.result;
  }

  /** Removes up to `limit` rows of deleted conversations; answers how many went. */
  sweep(limit: number): Promise<number> {
    return this.#writer.ask('sweepDeleted', limit);
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#reader.close();
    this.#lock?.release();
    this.#lock = null;
  }
}

function logStore(writer: DatabaseThread<Writes>, reader: DatabaseThread<Reads>): LogStore {
  return {
    append: (event) => writer.ask('append', event),
    view: async (id) => {
      const view = await reader.ask('view', id);
      if (!view) return null;
      return {
        ...view,
        members: new Map(view.members.map((member) => [member.user_id, member])),
        open_tasks: new Map(view.open_tasks.map((task) => [task.id, task])),
      };
    },
    read: (id, afterSeq, limit) => reader.ask('readLog', id, afterSeq, limit),
    lastSeq: (id) => reader.ask('lastSeq', id),
    lastSeqs: async (ids) => new Map(await reader.ask('lastSeqs', ids)),
    find: (id, sender, clientMsgId) => reader.ask('findEvent', id, sender, clientMsgId),
  };
}

function conversationStore(reader: DatabaseThread<Reads>): ConversationStore {
  return {
    get: (userId, id) => reader.ask('getConversation', userId, id),
    head: (userId, id) => reader.ask('head', userId, id),
    list: (userId, query) => reader.ask('listConversations', userId, query),
    events: (userId, id, afterSeq, limit, bytes) => reader.ask('pageOfEvents', userId, id, afterSeq, limit, bytes),
    messages: (userId, id, beforeSeq, limit) => reader.ask('pageOfMessages', userId, id, beforeSeq, limit),
    members: (userId, id) => reader.ask('membersFor', userId, id),
    task: (userId, taskId) => reader.ask('getTask', userId, taskId),
    tasks: (userId, filter, query) => reader.ask('listTasks', userId, filter, query),
  };
}

function taskStore(writer: DatabaseThread<Writes>, reader: DatabaseThread<Reads>): TaskStore {
  return {
    claim: (claim) => writer.ask('claim', claim),
    renew: (owner, taskIds) => writer.ask('renew', owner, taskIds),
    release: (claim) => writer.ask('release', claim),
    releaseOthers: (owner) => writer.ask('releaseOthers', owner),
    due: (limit) => reader.ask('due', limit),
    checkpoint: (taskId, attempt, index, text) => writer.ask('checkpoint', taskId, attempt, index, text),
    progress: (taskId) => reader.ask('progress', taskId),
    open: (userId) => reader.ask('openTasks', userId),
    exchange: (taskId) => reader.ask('exchange', taskId),
    context: (conversationId, seq, limit) => reader.ask('context', conversationId, seq, limit),
  };
}
