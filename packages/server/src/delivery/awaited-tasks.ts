import type { ConversationEvent } from '@tertulia/protocol';
import { endOf, type TaskStore } from '../store/store.ts';

/** Tasks awaited at once; beyond it the oldest are no longer watched, and their end is found when somebody looks. */
const MOST = 50_000;

/** What awaiting takes. */
export interface AwaitedTasksParts {
  /** Whether other nodes may end them. Else every end is this node's own, and nothing needs to be followed. */
  readonly isShared: boolean;
  readonly tasks: TaskStore;
  /** Follows a conversation from the end of its log. */
  follow(conversationId: string): Promise<unknown>;
  /** Told of tasks whose end was found by looking: others may await them, too, and their end may have no reader any more. */
  onOver(taskIds: readonly string[]): void;
}

/** Tasks whose end somebody on this node awaits, whichever node answers them. Their conversations are followed. */
export class AwaitedTasks {
  readonly #parts: AwaitedTasksParts;
  /** By conversation: the tasks, and who asked each. */
  readonly #tasks = new Map<string, Map<string, string>>();
  #count = 0;

  constructor(parts: AwaitedTasksParts) {
    this.#parts = parts;
  }

  /** Follows a conversation to the end of a task. One that has ended already is to be removed again. */
  async follow(conversationId: string, taskId: string, asker: string): Promise<void> {
    if (!this.#parts.isShared) return;
    this.add(conversationId, taskId, asker);
    await this.#parts.follow(conversationId);
  }

  /** A base-layer socket hears the ends of its user's tasks also where another node, gone by now, was asked. */
  async followTasksOf(userId: string): Promise<void> {
    if (!this.#parts.isShared) return;
    const open = await this.#parts.tasks.open(userId);
    if (open.length === 0) return;
    await Promise.all(open.map(({ conversation_id, task_id }) => this.follow(conversation_id, task_id, userId)));
    const still = new Set((await this.#parts.tasks.open(userId)).map(({ task_id }) => task_id));
    for (const { conversation_id, task_id } of open) if (!still.has(task_id)) this.remove(conversation_id, task_id);
  }

  /** Notes a task of a conversation that is followed. */
  add(conversationId: string, taskId: string, asker: string): void {
    const tasks = this.#tasks.get(conversationId) ?? new Map<string, string>();
    if (tasks.has(taskId)) return;
    this.#tasks.set(conversationId, tasks.set(taskId, asker));
    this.#count += 1;
    const [oldest] = this.#tasks.keys();
    if (this.#count > MOST && oldest !== undefined) this.#forget(oldest);
  }

  has(conversationId: string): boolean {
    return this.#tasks.has(conversationId);
  }

  /** Somebody found that it has ended, perhaps before it was awaited. */
  remove(conversationId: string, taskId: string): void {
    if (this.#remove(conversationId, taskId)) this.#parts.onOver([taskId]);
  }

  /** Who asked the awaited task that this event deletes, or null. To be asked before the event passes. */
  askerOf(event: ConversationEvent): string | null {
    if (event.type !== 'task_deleted') return null;
    return this.#tasks.get(event.conversation_id)?.get(event.data.task_id) ?? null;
  }

  /** The awaited tasks that are over with this event. */
  pass(event: ConversationEvent): readonly string[] {
    const tasks = this.#tasks.get(event.conversation_id);
    if (!tasks) return [];
    if (event.type === 'conversation_deleted') return this.#forget(event.conversation_id);
    const over = event.type === 'task_deleted' ? event.data.task_id : endOf(event)?.id;
    return over !== undefined && this.#remove(event.conversation_id, over) ? [over] : [];
  }

  #remove(conversationId: string, taskId: string): boolean {
    const tasks = this.#tasks.get(conversationId);
    if (!tasks?.delete(taskId)) return false;
    this.#count -= 1;
    if (tasks.size === 0) this.#tasks.delete(conversationId);
    return true;
  }

  #forget(conversationId: string): readonly string[] {
    const tasks = [...(this.#tasks.get(conversationId)?.keys() ?? [])];
    this.#tasks.delete(conversationId);
    this.#count -= tasks.length;
    return tasks;
  }
}
