import type { MongoClient } from 'mongodb';
import type { Logger } from '../../log.ts';
import type { AccountStore } from '../account-store.ts';
import { startOf, type ConversationStore, type LogStore, type Store, type TaskStore } from '../store.ts';
import { mongoAccounts } from './accounts.ts';
import { append } from './append.ts';
import { checkpoint, claim, release, releaseOthers, renew } from './claims.ts';
import type { Database } from './collections.ts';
import { getConversation, head, listConversations, membersFor } from './conversations.ts';
import { due, openTasks } from './due-tasks.ts';
import { context, pageOfEvents, pageOfMessages } from './event-pages.ts';
import { findEvent, lastSeqs, readLog, readView } from './log.ts';
import { noteUse } from './in-use.ts';
import { note } from './meta.ts';
import { openDatabase } from './open-database.ts';
import { answered } from './retry.ts';
import { progress } from './running.ts';
import { lastSeq } from './snapshots.ts';
import { sweep } from './sweep.ts';
import { exchange, getTask, listTasks } from './task-lists.ts';
import { TaskPlaces } from './task-places.ts';
import { importProgress } from './transfer-target.ts';
import { UnfinishedImport } from '../transfer.ts';
import { shownUrl } from '../mongodb-url.ts';

/** How a store is opened. */
export interface MongoOptions {
  /** May hold a password. */
  readonly url: string;
  readonly log: Logger;
  /** Told of each event's insert: that it was one operation, and how long it took in ms. */
  readonly onBatch?: ((operations: number, milliseconds: number) => void) | undefined;
}

/** How often readiness is asked of the database at most, and how long its answer is waited for. */
const CHECK_MS = 1_000;

/** The store for many nodes: MongoDB, or a server that speaks its wire protocol. */
export class MongoStore implements Store {
  readonly epoch: string;
  readonly log: LogStore;
  readonly conversations: ConversationStore;
  readonly tasks: TaskStore;
  readonly accounts: AccountStore;
  readonly depths: Readonly<Record<string, number>>;
  readonly #client: MongoClient;
  readonly #db: Database;
  readonly #log: Logger;
  #checked: { at: number; result: Promise<void> } | null = null;

  private constructor(
    client: MongoClient,
    db: Database,
    epoch: string,
    depths: Store['depths'],
    options: MongoOptions,
  ) {
    this.epoch = epoch;
    this.#client = client;
    this.#db = db;
    this.#log = options.log;
    this.depths = depths;
    const places = new TaskPlaces();
    this.log = logStore(db, places, options);
    this.conversations = conversationStore(db);
    this.tasks = taskStore(db, places);
    this.accounts = mongoAccounts(db.db, db.clock);
  }

  /**
   * Opens or makes the database that the URL names.
   * @throws {UnfinishedImport}, and what `openDatabase` throws
   */
  static async open(options: MongoOptions): Promise<MongoStore> {
    const { client, db, epoch, waiting } = await openDatabase(options.url);
    try {
      if ((await importProgress(db))?.is_finished === false) throw new UnfinishedImport(shownUrl(options.url));
      await noteUse(db);
      return new MongoStore(client, db, epoch, waiting, options);
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** Mends views and removes what is left of what ended or was deleted. */
  async sweep(limit: number): Promise<number> {
    await noteUse(this.#db);
    return sweep(this.#db, this.#log, limit);
  }

  /** One write a second at most, however often readiness is asked. */
  check(): Promise<void> {
    const now = Date.now();
    if (!this.#checked || now - this.#checked.at > CHECK_MS) {
      this.#checked = { at: now, result: this.#touch(now) };
      this.#checked.result.catch(() => undefined); // told to whoever asks; nobody may be asking
    }
    return this.#checked.result;
  }

  async #touch(now: number): Promise<void> {
    await answered(() => note(this.#db, 'touched', now), CHECK_MS);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

function logStore(db: Database, places: TaskPlaces, { log, onBatch }: MongoOptions): LogStore {
  return {
    append(given) {
      const task = startOf(given.event);
      if (task) places.note(task.id, given.event.conversation_id);
      return append(db, log, given, onBatch);
    },
    view: (id) => answered(() => readView(db, id)),
    read: (id, afterSeq, limit) => answered(() => readLog(db, id, afterSeq, limit)),
    lastSeq: (id) => answered(() => lastSeq(db, id)),
    lastSeqs: (ids) => answered(() => lastSeqs(db, ids)),
    find: (id, sender, clientMsgId) => answered(() => findEvent(db, id, sender, clientMsgId)),
  };
}

function conversationStore(db: Database): ConversationStore {
  return {
    get: (userId, id) => answered(() => getConversation(db, userId, id)),
    head: (userId, id) => answered(() => head(db, userId, id)),
    list: (userId, query) => answered(() => listConversations(db, userId, query)),
    events: (userId, id, afterSeq, limit, bytes) =>
      answered(() => pageOfEvents(db, userId, id, afterSeq, limit, bytes)),
    messages: (userId, id, beforeSeq, limit) => answered(() => pageOfMessages(db, userId, id, beforeSeq, limit)),
    members: (userId, id) => answered(() => membersFor(db, userId, id)),
    task: (userId, taskId) => answered(() => getTask(db, userId, taskId)),
    tasks: (userId, filter, query) => answered(() => listTasks(db, userId, filter, query)),
  };
}

function taskStore(db: Database, places: TaskPlaces): TaskStore {
  return {
    claim: (wanted) => claim(db, places, wanted),
    renew: (owner, taskIds) => answered(() => renew(db, places, owner, taskIds)),
    release: (given) => answered(() => release(db, places, given)),
    releaseOthers: (owner) => answered(() => releaseOthers(db, owner)),
    due: (limit) => answered(() => due(db, places, limit)),
    checkpoint: (taskId, attempt, index, text) => answered(() => checkpoint(db, places, taskId, attempt, index, text)),
    progress: (taskId) => answered(() => progress(db, taskId)),
    open: (userId) => answered(() => openTasks(db, userId)),
    exchange: (taskId) => answered(() => exchange(db, taskId)),
    context: (conversationId, seq, limit) => answered(() => context(db, conversationId, seq, limit)),
  };
}
