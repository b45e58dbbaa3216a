import { randomUUID } from 'node:crypto';
import { ChatError, type ConversationEvent, type EndedTask } from '@tertulia/protocol';
import type { Assistant } from '../assistants/assistant.ts';
import { LEASE_MS, endOf, startOf, type Claim, type ConversationView, type DueTask } from '../store/store.ts';
import { giveUp } from './end-task.ts';
import { AnswerStream } from './answer-stream.ts';
import { RecentMessages } from './recent-messages.ts';
import { currentWork, detached, type Work } from '../tracing.ts';
import { RunStop } from './run-stop.ts';
import { runTask, type Run, type RunParts } from './run-task.ts';
import { UserTaskLimits } from './user-tasks.ts';

/** Leases are renewed this often (G6). A runner whose last renewal is `LEASE_MS` old stops itself: another may have claimed. */
const RENEW_MS = 5_000;
/** How often the database is searched for tasks that nobody runs: a dead node's are taken up within LEASE_MS + SWEEP_MS. */
const SWEEP_MS = 3_000;
/** How often runs are checkpointed and held against their deadline. */
const TICK_MS = 500;
const MAX_ATTEMPTS = 3;
const SWEEP_TASKS = 100;

/** What the runner works with; without an assistant it only keeps the books. */
export interface TaskRunnerParts extends Omit<RunParts, 'assistant' | 'recent'> {
  readonly assistant: Assistant | null;
  /** Written into each task: the assistant's name, `none` or `external`. */
  readonly assistantName: string;
  readonly deadlineMs: number;
  /** Whether other processes use the same database. */
  readonly isShared: boolean;
  /** Tells the other nodes that a task was handed back. */
  onHandedBack(): void;
  readonly maxRunning: number;
  readonly maxQueued: number;
}

/** A user's place in the queue. */
export interface Place {
  /**
   * Takes the place, and for a task that can start at once its first attempt, to be claimed by the insert that stores
   * the task. @throws {ChatError} `too_many_tasks`
   */
  take(view: ConversationView | null): Claim | null;
  /** The message was stored; starts the task if it was claimed. */
  start(event: ConversationEvent): void;
  /** The message was not stored. */
  cancel(): void;
}

interface RunUnderWay extends Run {
  readonly deadline: number;
  readonly done: Promise<void>;
}

/** Runs tasks: one at a time per conversation, in order, within each user's limits, each to exactly one end. */
export class TaskRunner {
  readonly #parts: TaskRunnerParts;
  readonly #limits: UserTaskLimits;
  readonly #recent: RecentMessages;
  readonly #runs = new Map<string, RunUnderWay>();
  /** Tasks that this node stored and could not start at once: an end may make room for one of them. */
  readonly #queued = new Map<string, Work>();
  /** Whether the last look found tasks, of this node or of others, that wait for a place of their user's. */
  #isCrowded = false;
  /** One run of one process: a restarted process is another owner. */
  readonly #owner: string;
  readonly #timers: NodeJS.Timeout[] = [];
  #renewedAt = performance.now();
  #draining = false;
  #sweeping: Promise<void> | null = null;
  #sweepAgain = false;

  constructor(parts: TaskRunnerParts, nodeId: string) {
    this.#parts = parts;
    this.#limits = new UserTaskLimits(parts.store.tasks, parts.isShared, parts.maxRunning, parts.maxQueued);
    this.#recent = new RecentMessages(parts.store.tasks);
    this.#owner = `${nodeId}:${randomUUID()}`;
  }

  /** Takes up what a dead process left, and keeps looking. Where nobody else uses the database, no lease of others stands. */
  async begin(): Promise<void> {
    if (!this.#parts.isShared) await this.#parts.store.tasks.releaseOthers(this.#owner);
    this.#timers.push(
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(() => void this.#renew(), RENEW_MS),
      setInterval(() => this.sweep(), SWEEP_MS),
    );
    this.sweep();
  }

  get assistantName(): string {
    return this.#parts.assistantName;
  }

  /** Tasks by state on this node. */
  get counts(): { running: number; waiting: number } {
    return { running: this.#runs.size, waiting: this.#queued.size };
  }

  /** Without an assistant a task ends in the event that starts it. */
  immediateEnd(taskId: string): EndedTask | null {
    return this.assistantName === 'none' ? { id: taskId, attempt: 0, status: 'completed', error: null } : null;
  }

  /** Prepares a place in the user's queue; it is taken by the decision that stores the task. */
  async prepare(userId: string, taskId: string): Promise<Place> {
    if (!this.#parts.assistant) return { take: () => null, start: () => undefined, cancel: () => undefined };
    await this.#limits.load(userId);
    return {
      take: (view) => {
        this.#limits.add(userId, taskId);
        const isFree = !this.#draining && (view?.open_tasks.size ?? 0) === 0;
        if (isFree && this.#limits.tryRun(userId, taskId)) return { task_id: taskId, attempt: 1, owner: this.#owner };
        this.#limits.stopRunning(userId, taskId);
        return null;
      },
      start: (event) => {
        this.#limits.stored(taskId);
        this.#start(event);
      },
      cancel: () => this.#limits.remove(taskId),
    };
  }

  #start(event: ConversationEvent): void {
    const task = startOf(event);
    if (!task) return;
    if (!this.#limits.isRunning(task.id)) {
      this.#queued.set(task.id, currentWork());
      return;
    }
    this.#run({ task, conversation_id: event.conversation_id, seq: event.seq, attempt: 1 }, false);
  }

  /** Told of each event that this node knows committed, by itself or by another. */
  committed(event: ConversationEvent): void {
    this.#recent.pass(event);
    const end = endOf(event);
    if (end) this.#over([end.id], end.status);
    else if (event.type === 'task_deleted') this.#over([event.data.task_id], 'cancelled');
  }

  /** These tasks are over without an event of their own: their conversation was deleted. */
  dropped(taskIds: readonly string[]): void {
    this.#over(taskIds, 'cancelled');
  }

  #over(taskIds: readonly string[], status: EndedTask['status']): void {
    for (const id of taskIds) {
      this.#runs.get(id)?.stop.abort(status);
      this.#limits.remove(id);
      this.#queued.delete(id);
    }
    if (this.#queued.size > 0 || this.#isCrowded) this.sweep();
  }

  /** Looks for due tasks and starts those that have a place; calls while it looks become one more look. */
  sweep(): void {
    if (!this.#parts.assistant || this.#draining) return;
    this.#sweepAgain = true;
    this.#sweeping ??= detached(() => this.#sweep()).finally(() => {
      this.#sweeping = null;
    });
  }

  async #sweep(): Promise<void> {
    while (this.#sweepAgain && !this.#draining) {
      this.#sweepAgain = false;
      try {
        const found = await this.#parts.store.tasks.due(SWEEP_TASKS);
        this.#isCrowded = false;
        const users = new Set(found.map(({ task }) => task.user_id));
        await Promise.all([...users].map((userId) => this.#limits.refresh(userId)));
        await Promise.all(found.map((due) => this.#takeUp(due))); // their claims share a commit
      } catch (error) {
        this.#parts.log.error({ err: error }, 'looking for due tasks failed');
      }
    }
  }

  async #takeUp(due: DueTask): Promise<void> {
    if (this.#draining || this.#runs.has(due.task.id)) return;
    if (due.attempt > MAX_ATTEMPTS) {
      await giveUp(this.#parts, due, MAX_ATTEMPTS);
      this.#sweepAgain = true; // the next task of its conversation is due now
      return;
    }
    if (!this.#limits.tryRun(due.task.user_id, due.task.id)) {
      this.#isCrowded = true;
      return;
    }
    const claim = { task_id: due.task.id, attempt: due.attempt, owner: this.#owner };
    const isClaimed = await this.#parts.store.tasks.claim(claim).catch(() => false);
    const cause = this.#queued.get(due.task.id);
    this.#queued.delete(due.task.id);
    if (isClaimed) this.#run(due, true, cause);
    else this.#limits.stopRunning(due.task.user_id, due.task.id);
  }

  /** Behind a task that was found by looking, others of a dead process may wait, which only another look can find. */
  #run(due: DueTask, isFound: boolean, cause = currentWork()): void {
    const { assistant } = this.#parts;
    if (!assistant) return;
    if (isFound) this.#listenForEnd(due);
    const identity = { conversation_id: due.conversation_id, task_id: due.task.id, attempt: due.attempt };
    const stream = new AnswerStream(identity, this.#parts.answerMax, {
      ...this.#parts,
      tasks: this.#parts.store.tasks,
    });
    const run = { due, stop: new RunStop(), stream };
    const done = runTask(run, { ...this.#parts, assistant, recent: this.#recent }, cause)
      .then(async (result) => {
        if (result === 'interrupted') await this.#handBack(due);
        return result === 'ended';
      })
      .catch((error: unknown) => this.#failed(due, error))
      .then((hasEnded) => this.#finished(due, hasEnded, isFound));
    this.#runs.set(due.task.id, { ...run, done, deadline: performance.now() + this.#parts.deadlineMs });
  }

  /** Somebody may end it on another node. Where that cannot be heard, the lease is found to have passed. */
  #listenForEnd(due: DueTask): void {
    this.#parts.delivery.awaited.follow(due.conversation_id, due.task.id, due.task.user_id).catch((error: unknown) => {
      this.#parts.log.warn({ err: error, task_id: due.task.id }, 'a running task is not followed');
    });
  }

  /** The end could not be stored, or stood already (true): in the first case the next sweep tries again. */
  async #failed(due: DueTask, error: unknown): Promise<boolean> {
    if (error instanceof ChatError && error.code === 'task_ended') return true;
    this.#parts.log.error({ err: error, task_id: due.task.id, attempt: due.attempt }, 'a task could not be ended');
    await this.#release(due);
    return false;
  }

  async #handBack(due: DueTask): Promise<void> {
    await this.#release(due);
    this.#parts.onHandedBack();
  }

  async #release(due: DueTask): Promise<void> {
    const claim = { task_id: due.task.id, attempt: due.attempt, owner: this.#owner };
    await this.#parts.store.tasks.release(claim).catch(() => undefined); // else the lease passes by itself
  }

  #finished(due: DueTask, hasEnded: boolean, isFound: boolean): void {
    this.#runs.delete(due.task.id);
    this.#limits.stopRunning(due.task.user_id, due.task.id);
    if (hasEnded) this.#parts.delivery.awaited.remove(due.conversation_id, due.task.id);
    if (this.#queued.size > 0 || this.#isCrowded || (isFound && hasEnded)) this.sweep();
  }

  /** One clock for all runs: a timer for each would cost more than the rest of a short answer. */
  #tick(): void {
    const now = performance.now();
    for (const { stop, stream, deadline } of this.#runs.values()) {
      stream.checkpoint();
      if (now >= deadline) stop.abort('deadline');
    }
  }

  async #renew(): Promise<void> {
    if (this.#runs.size === 0) {
      this.#renewedAt = performance.now();
      return;
    }
    const before = [...this.#runs.keys()];
    const asked = performance.now();
    try {
      const held = new Set(await this.#parts.store.tasks.renew(this.#owner, before));
      this.#renewedAt = asked;
      for (const id of before) if (!held.has(id)) this.#runs.get(id)?.stop.abort('lease_lost');
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'leases could not be renewed');
      if (performance.now() - this.#renewedAt < LEASE_MS - RENEW_MS) return;
      for (const run of this.#runs.values()) run.stop.abort('lease_lost');
    }
  }

  /** Claims nothing more, lets what runs finish for a while, then hands it back for another attempt. */
  async drain(milliseconds: number): Promise<void> {
    this.#draining = true;
    const late = setTimeout(() => {
      for (const { stop } of this.#runs.values()) stop.abort('shutdown');
    }, milliseconds);
    await this.#sweeping;
    while (this.#runs.size > 0) await Promise.all([...this.#runs.values()].map(({ done }) => done));
    clearTimeout(late);
    for (const timer of this.#timers) clearInterval(timer); // until here leases are renewed
  }
}
