import { ChatError } from '@tertulia/protocol';
import type { TaskStore } from '../store/store.ts';

interface UserTasks {
  readonly open: Set<string>;
  readonly running: Set<string>;
}

/** Users of whom it is remembered that nothing is open, so that their next message costs no read. */
const KEPT_USERS = 10_000;

/** Which tasks each user has waiting and running, to hold the limits of section 8 without asking the database. */
export class UserTaskLimits {
  readonly #store: TaskStore;
  readonly #maxRunning: number;
  readonly #maxOpen: number;
  readonly #users = new Map<string, UserTasks>();
  readonly #loading = new Map<string, Promise<void>>();
  readonly #userOf = new Map<string, string>();
  /** Users of whom all that is open is known. */
  readonly #loaded = new Set<string>();
  /** Tasks that ended while users are being read: what was read of them may be older. */
  readonly #endedMeanwhile = new Set<string>();

  constructor(store: TaskStore, maxRunning: number, maxQueued: number) {
    this.#store = store;
    this.#maxRunning = maxRunning;
    this.#maxOpen = maxRunning + maxQueued;
  }

  /** Reads what the user has open, so that the rest can be decided without waiting. */
  async load(userId: string): Promise<void> {
    if (this.#loaded.has(userId)) return;
    let loading = this.#loading.get(userId);
    if (!loading) {
      loading = this.#read(userId).finally(() => this.#loading.delete(userId));
      this.#loading.set(userId, loading);
    }
    await loading;
  }

  #forgetIdle(): void {
    for (const [userId, { open }] of this.#users) {
      if (open.size > 0) continue;
      this.#users.delete(userId);
      this.#loaded.delete(userId);
    }
  }

  async #read(userId: string): Promise<void> {
    const tasks = await this.#store.open(userId);
    this.#known(userId);
    this.#loaded.add(userId);
    for (const { task_id } of tasks) if (!this.#endedMeanwhile.has(task_id)) this.#open(userId, task_id);
    if (this.#loading.size === 1) this.#endedMeanwhile.clear();
  }

  /** Notes a task that is about to be stored. @throws {ChatError} `too_many_tasks` */
  add(userId: string, taskId: string): void {
    const open = this.#users.get(userId)?.open;
    if (open && open.size >= this.#maxOpen && !open.has(taskId)) {
      throw new ChatError('too_many_tasks', { limit: `${this.#maxOpen} unanswered messages`, retry_after_ms: 2_000 });
    }
    this.#open(userId, taskId);
  }

  #open(userId: string, taskId: string): UserTasks {
    const tasks = this.#known(userId);
    tasks.open.add(taskId);
    this.#userOf.set(taskId, userId);
    return tasks;
  }

  #known(userId: string): UserTasks {
    let tasks = this.#users.get(userId);
    if (!tasks) this.#users.set(userId, (tasks = { open: new Set(), running: new Set() }));
    return tasks;
  }

  /** Takes one of the user's places to run; false where all are taken. */
  tryRun(userId: string, taskId: string): boolean {
    const tasks = this.#open(userId, taskId);
    if (tasks.running.has(taskId)) return true;
    if (tasks.running.size >= this.#maxRunning) return false;
    tasks.running.add(taskId);
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
    if (this.#loading.size > 0) this.#endedMeanwhile.add(taskId);
    const userId = this.#userOf.get(taskId);
    if (userId === undefined) return;
    this.#userOf.delete(taskId);
    const tasks = this.#users.get(userId);
    tasks?.open.delete(taskId);
    tasks?.running.delete(taskId);
    if (this.#users.size > KEPT_USERS) this.#forgetIdle();
  }
}
