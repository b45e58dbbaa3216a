import type { ConversationEvent } from '@tertulia/protocol';
import { endOf } from '../store/store.ts';

/** Lets whoever asked by a request wait for the end of a task, told by the commits of any node and never by asking the database. */
export class TaskEnds {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Told of each event that this node knows committed, by itself or by another. */
  committed(event: ConversationEvent): void {
    const ended = event.type === 'task_deleted' ? event.data.task_id : endOf(event)?.id;
    if (ended !== undefined) this.dropped([ended]);
  }

  /** These tasks are over, some without an event of their own: their conversation was deleted. */
  dropped(taskIds: Iterable<string>): void {
    for (const id of taskIds) {
      const waiters = this.#waiting.get(id);
      this.#waiting.delete(id);
      for (const resolve of waiters ?? []) resolve();
    }
  }

  /**
   * Resolves when the task ends, when the time is over, or when `signal` says that nobody waits any more. An end
   * before this call is not noticed: call first, then look in the store.
   */
  wait(taskId: string, milliseconds: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiters = this.#waiting.get(taskId) ?? new Set();
    this.#waiting.set(taskId, waiters.add(resolve));
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
    return promise.finally(() => {
      clearTimeout(timer);
      waiters.delete(resolve);
      if (waiters.size === 0 && this.#waiting.get(taskId) === waiters) this.#waiting.delete(taskId);
    });
  }

  /** Lets everybody go: the server stops. */
  close(): void {
    this.dropped([...this.#waiting.keys()]);
  }
}
