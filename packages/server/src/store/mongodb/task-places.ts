import type { Database } from './collections.ts';

/** Tasks whose conversation is remembered; the one that was noted first goes first. */
const KEPT_PLACES = 10_000;

/** Which conversation a task is in: it names the shard to ask, and claims and checkpoints are stored under it. */
export class TaskPlaces {
  readonly #places = new Map<string, string>();

  note(taskId: string, conversationId: string): void {
    this.#places.set(taskId, conversationId);
    if (this.#places.size <= KEPT_PLACES) return;
    const first = this.#places.keys().next();
    if (!first.done) this.#places.delete(first.value);
  }

  /** The conversation's id, or null where there is no such task. */
  async find(db: Database, taskId: string): Promise<string | null> {
    const known = this.#places.get(taskId);
    if (known !== undefined) return known;
    const found = await db.tasks.findOne({ _id: taskId }, { projection: { conversation_id: 1 } });
    if (!found) return null;
    this.note(taskId, found.conversation_id);
    return found.conversation_id;
  }

  /** The conversations of several tasks; what is not there is left out. */
  async findAll(db: Database, taskIds: readonly string[]): Promise<string[]> {
    const found = await Promise.all(taskIds.map((id) => this.find(db, id)));
    return [...new Set(found.filter((id) => id !== null))];
  }
}
