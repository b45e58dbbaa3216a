import { ChatError } from '@tertulia/protocol';
import type { TaskStore } from '../store/store.ts';

interface UserTasks {
  readonly open: Set<string>;
  readonly running: Set<string>;
}

/** Which tasks each user has waiting and running, to hold the limits of section 8 without asking the database. */
export class UserTaskLimits {
  readonly #store: TaskStore;
  readonly #maxRunning: number;
  readonly #maxOpen: number;
  readonly #users = new Map<string, UserTasks>();
  readonly #loading = new Map<string, Promise<UserTasks>>();
  readonly #userOf = new Map<string, string>();

  constructor(store: TaskStore, maxRunning: number, maxQueued: number) {
    this.#store = store;
    this.#maxRunning = maxRunning;
    this.#maxOpen = maxRunning + maxQueued;
  }

  /** Notes a task that is about to be stored. @throws {ChatError} `too_many_tasks` */
  async add(userId: string, taskId: string): Promise<void> {
    const tasks = await this.#load(userId);
    if (tasks.open.size >= this.#maxOpen) {
      throw new ChatError('too_many_tasks', { limit: `${this.#maxOpen} unanswered messages`, retry_after_ms: 2_000 });
    }
    tasks.open.add(taskId);
    this.#users.set(userId, tasks);
    this.#userOf.set(taskId, userId);
  }

  /** Takes one of the user's places to run; false where all are taken. */
  tryRun(userId: string, taskId: string): boolean {
    let tasks = this.#users.get(userId);
    if (!tasks) this.#users.set(userId, (tasks = { open: new Set(), running: new Set() }));
    if (tasks.running.has(taskId)) return true;
    if (tasks.running.size >= this.#maxRunning) return false;
    tasks.open.add(taskId);
    tasks.running.add(taskId);
    this.#userOf.set(taskId, userId);
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
    const userId = this.#userOf.get(taskId);
    if (userId === undefined) return;
    this.#userOf.delete(taskId);
    const tasks = this.#users.get(userId);
    tasks?.open.delete(taskId);
    tasks?.running.delete(taskId);
    if (tasks?.open.size === 0) this.#users.delete(userId);
  }

  async #load(userId: string): Promise<UserTasks> {
    const known = this.#users.get(userId);
    if (known) return known;
    let loading = this.#loading.get(userId);
    if (!loading) {
      loading = this.#store.open(userId).then((ids) => this.#loaded(userId, ids));
      this.#loading.set(userId, loading);
      const forget = () => this.#loading.delete(userId);
      loading.then(forget, forget);
    }
    return loading;
  }

  #loaded(userId: string, ids: readonly string[]): UserTasks {
    const tasks = this.#users.get(userId) ?? { open: new Set<string>(), running: new Set<string>() };
    for (const id of ids) {
      tasks.open.add(id);
      this.#userOf.set(id, userId);
    }
    return tasks;
  }
}
