import type { ConversationEvent } from '@tertulia/protocol';
import { endOf } from '../store/store.ts';

/** Tasks awaited at once; beyond it the oldest are no longer watched, and their end is found when somebody looks. */
const MOST = 50_000;

/** Tasks whose end somebody on this node awaits, whoever answers them, by their conversation. */
export class AwaitedTasks {
  readonly #tasks = new Map<string, Set<string>>();
  #count = 0;

  add(conversationId: string, taskId: string): void {
    const tasks = this.#tasks.get(conversationId) ?? new Set();
    if (tasks.has(taskId)) return;
    this.#tasks.set(conversationId, tasks.add(taskId));
    this.#count += 1;
    const [oldest] = this.#tasks.keys();
    if (this.#count > MOST && oldest !== undefined) this.#forget(oldest);
  }

  has(conversationId: string): boolean {
    return this.#tasks.has(conversationId);
  }

  /** The awaited tasks that are over with this event. */
  pass(event: ConversationEvent): readonly string[] {
    const tasks = this.#tasks.get(event.conversation_id);
    if (!tasks) return [];
    if (event.type === 'conversation_deleted') return this.#forget(event.conversation_id);
    const over = event.type === 'task_deleted' ? event.data.task_id : endOf(event)?.id;
    if (over === undefined || !tasks.delete(over)) return [];
    this.#count -= 1;
    if (tasks.size === 0) this.#tasks.delete(event.conversation_id);
    return [over];
  }

  #forget(conversationId: string): readonly string[] {
    const tasks = [...(this.#tasks.get(conversationId) ?? [])];
    this.#tasks.delete(conversationId);
    this.#count -= tasks.length;
    return tasks;
  }
}
