import { ChatError } from '@tertulia/protocol';
import type { OpenTask, TaskStore } from '../store/store.ts';

interface UserTasks {
  readonly open: Set<string>;
  readonly running: Set<string>;
  /** Tasks that other nodes ran when the database was last asked. */
  elsewhere: ReadonlySet<string>;
}

/** Users of whom is remembered what they have open, so that their next message costs no read; beyond it the idle ones go. */
const KEPT_USERS = 10_000;

/**
 * Which tasks each user has waiting and running, to hold the limits of section 8. A process that is alone with its
 * database asks it once a user; one of many asks before each message, since others take tasks and end them too.
 */
export class UserTaskLimits {
  readonly #store: TaskStore;
  readonly #isShared: boolean;
  readonly #maxRunning: number;
  readonly #maxOpen: number;
  readonly #users = new Map<string, UserTasks>();
  readonly #loading = new Map<string, Promise<void>>();
  readonly #userOf = new Map<string, string>();
  /** Users of whom all that is open is known. */
  readonly #loaded = new Set<string>();
  /** Tasks that are about to be stored: no read need know them yet. */
  readonly #beingStored = new Set<string>();
  /** Tasks that ended during each read that is under way: what it answers may be older. */
  readonly #endedMeanwhile = new Set<Set<string>>();

  constructor(store: TaskStore, isShared: boolean, maxRunning: number, maxQueued: number) {
    this.#store = store;
    this.#isShared = isShared;
    this.#maxRunning = maxRunning;
    this.#maxOpen = maxRunning + maxQueued;
  }

  /** Reads what the user has open, so that the rest can be decided without waiting. */
  async load(userId: string): Promise<void> {
    if (this.#loaded.has(userId) && !this.#isShared) return;
    let loading = this.#loading.get(userId);
    if (!loading) {
      loading = this.#read(userId).finally(() => this.#loading.delete(userId));
      this.#loading.set(userId, loading);
    }
    await loading;
  }

  /** Looks at what other nodes run for the user now, unless this node alone runs as many as may be. */
  async refresh(userId: string): Promise<void> {
    if (!this.#isShared || (this.#users.get(userId)?.running.size ?? 0) >= this.#maxRunning) return;
    await this.#loading.get(userId)?.catch(() => undefined); // began earlier, and may know less
    await this.load(userId);
  }

  /** Of one of many nodes, what it does not run itself is read again before it counts. */
  #forgetIdle(): void {
    for (const [userId, { open, running }] of this.#users) {
      if ((this.#isShared ? running : open).size > 0) continue;
      this.#users.delete(userId);
      this.#loaded.delete(userId);
      for (const taskId of open) this.#userOf.delete(taskId);
    }
  }

  async #read(userId: string): Promise<void> {
    const ended = new Set<string>();
    const storedBefore = [...(this.#users.get(userId)?.open ?? [])].filter((id) => !this.#beingStored.has(id));
    this.#endedMeanwhile.add(ended);
    try {
      const stored = (await this.#store.open(userId)).filter(({ task_id }) => !ended.has(task_id));
      if (this.#users.size > KEPT_USERS) this.#forgetIdle();
      const known = this.#known(userId);
      this.#loaded.add(userId);
      if (this.#isShared) this.#compare(known, stored, storedBefore);
      for (const { task_id } of stored) this.#open(userId, task_id);
    } finally {
      this.#endedMeanwhile.delete(ended);
    }
  }

  /** What ended on another node may not have been told here. */
  #compare(known: UserTasks, stored: readonly OpenTask[], storedBefore: readonly string[]): void {
    const elsewhere = stored.filter(({ task_id, is_claimed }) => is_claimed && !known.running.has(task_id));
    known.elsewhere = new Set(elsewhere.map(({ task_id }) => task_id));
    const open = new Set(stored.map(({ task_id }) => task_id));
    for (const id of storedBefore) {
      if (open.has(id) || known.running.has(id)) continue;
      known.open.delete(id);
      this.#userOf.delete(id);
    }
  }

  /** Notes a task that is about to be stored. @throws {ChatError} `too_many_tasks` */
  add(userId: string, taskId: string): void {
    const open = this.#users.get(userId)?.open;
    if (open && open.size >= this.#maxOpen && !open.has(taskId)) {
      throw new ChatError('too_many_tasks', { limit: `${this.#maxOpen} unanswered messages`, retry_after_ms: 2_000 });
    }
    this.#open(userId, taskId);
    this.#beingStored.add(taskId);
  }

  /** The task was stored. */
  stored(taskId: string): void {
    this.#beingStored.delete(taskId);
  }

  #open(userId: string, taskId: string): UserTasks {
    const tasks = this.#known(userId);
    tasks.open.add(taskId);
    this.#userOf.set(taskId, userId);
    return tasks;
  }

  #known(userId: string): UserTasks {
    let tasks = this.#users.get(userId);
    if (!tasks) this.#users.set(userId, (tasks = { open: new Set(), running: new Set(), elsewhere: new Set() }));
    return tasks;
  }

  /** Takes one of the user's places to run; false where all are taken. */
  tryRun(userId: string, taskId: string): boolean {
    const tasks = this.#known(userId);
    if (tasks.running.has(taskId)) return true;
    if (tasks.running.size + tasks.elsewhere.size >= this.#maxRunning) return false;
    this.#open(userId, taskId).running.add(taskId);
    return true;
  }

  isRunning(taskId: string): boolean {
    const userId = this.#userOf.get(taskId);
    return userId !== undefined && this.#users.get(userId)?.running.has(taskId) === true;
  }

  /** Gives a place to run back; the task is still open. */
  stopRunning(userId: string, taskId: string): void {
    this.#users.get(userId)?.running.delete(taskId);
  }

  /** The task has ended, or was never stored. */
  remove(taskId: string): void {
    this.#beingStored.delete(taskId);
    for (const ended of this.#endedMeanwhile) ended.add(taskId);
    const userId = this.#userOf.get(taskId);
    if (userId === undefined) return;
    this.#userOf.delete(taskId);
    const tasks = this.#users.get(userId);
    tasks?.open.delete(taskId);
    tasks?.running.delete(taskId);
    if (this.#users.size > KEPT_USERS) this.#forgetIdle();
  }
}
