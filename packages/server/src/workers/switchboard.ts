import { setTimeout as delay } from 'node:timers/promises';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { BusMessage, Topic } from '../delivery/bus.ts';
import type { Logger } from '../log.ts';
import type { MetricsJson } from '../metrics.ts';
import type { FromWorker, LimiterSettings, Question, Taken, ToWorker, WriteBatch } from './messages.ts';
import { Outbox } from './outbox.ts';

/** A worker that does not tell its metrics within this time is left out. */
const METRICS_MS = 1_000;

interface Line {
  readonly outbox: Outbox<ToWorker>;
  readonly topics: Set<string>;
}

/**
 * What the primary does between its workers: passes on what they publish to those that follow, counts their rate limits
 * together, and gathers their metrics. It keeps nothing of a worker that has gone, and nothing of what it passes on.
 */
export class Switchboard {
  readonly #log: Logger;
  readonly #lines = new Map<number, Line>();
  readonly #followers = new Map<string, Set<number>>();
  readonly #limiters = new Map<string, RateLimiterMemory>();
  /** Metrics that are waited for, by the question's id. */
  readonly #asked = new Map<number, (metrics: MetricsJson) => void>();
  #lastAsked = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Adds the worker of this number, which is new: it follows nothing yet. */
  connect(number: number, write: WriteBatch): void {
    this.disconnect(number);
    const outbox = new Outbox<ToWorker>(write, {
      onFull: () =>
        this.#log.warn({ worker: number }, 'a worker does not read what others tell it; the rest is dropped'),
      onRoom: () => outbox.send({ kind: 'missed' }),
    });
    this.#lines.set(number, { outbox, topics: new Set() });
  }

  /** The worker has gone. */
  disconnect(number: number): void {
    for (const topic of this.#lines.get(number)?.topics ?? []) this.#unfollow(number, topic);
    this.#lines.delete(number);
  }

  send(number: number, message: ToWorker): void {
    this.#lines.get(number)?.outbox.send(message);
  }

  receive(number: number, message: Exclude<FromWorker, { kind: 'drained' }>): void {
    switch (message.kind) {
      case 'publish':
        return this.#passOn(number, message.topics, message.text);
      case 'follow':
        this.#follow(number, message.topic);
        return this.#answer(number, message, null);
      case 'unfollow':
        return this.#unfollow(number, message.topic);
      case 'take':
        return void this.#take(message.limiter, message.key).then((taken) => this.#answer(number, message, taken));
      case 'give_back':
        return void this.#limiter(message.limiter).reward(message.key, message.points);
      case 'metrics':
        return void this.#gather().then((all) => this.#answer(number, message, all));
      case 'own_metrics':
        return this.#asked.get(message.id)?.(message.metrics);
    }
  }

  #answer(number: number, { id }: Question, answer: Extract<ToWorker, { kind: 'answer' }>['answer']): void {
    this.send(number, { kind: 'answer', id, answer });
  }

  /** Publishes something of the primary's own. */
  tell(topic: Topic, message: BusMessage): void {
    this.#passOn(null, [topic], JSON.stringify(message));
  }

  /** Each worker is told once, however many of the topics it follows. */
  #passOn(from: number | null, topics: readonly string[], text: string): void {
    const told = new Set<number | null>([from]);
    for (const topic of topics) {
      for (const number of this.#followers.get(topic) ?? []) {
        if (told.has(number)) continue;
        told.add(number);
        this.#lines.get(number)?.outbox.offer({ kind: 'told', text }, text.length);
      }
    }
  }

  #follow(number: number, topic: string): void {
    const line = this.#lines.get(number);
    if (!line) return;
    line.topics.add(topic);
    const followers = this.#followers.get(topic) ?? new Set();
    this.#followers.set(topic, followers.add(number));
  }

  #unfollow(number: number, topic: string): void {
    this.#lines.get(number)?.topics.delete(topic);
    const followers = this.#followers.get(topic);
    followers?.delete(number);
    if (followers?.size === 0) this.#followers.delete(topic);
  }

  #limiter({ name, points, seconds }: LimiterSettings): RateLimiterMemory {
    let limiter = this.#limiters.get(name);
    if (!limiter) this.#limiters.set(name, (limiter = new RateLimiterMemory({ points, duration: seconds })));
    return limiter;
  }

  async #take(settings: LimiterSettings, key: string): Promise<Taken> {
    try {
      return toTaken(await this.#limiter(settings).consume(key), false);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      return toTaken(refusal, true);
    }
  }

  async #gather(): Promise<MetricsJson[]> {
    const late = new AbortController();
    const gathered: MetricsJson[] = [];
    const ids: number[] = [];
    const all = [...this.#lines.values()].map(({ outbox }) => {
      const id = (this.#lastAsked += 1);
      ids.push(id);
      outbox.offer({ kind: 'own_metrics', id }, 0);
      return new Promise<void>((resolve) => {
        this.#asked.set(id, (metrics) => {
          gathered.push(metrics);
          resolve();
        });
      });
    });
    await Promise.race([
      Promise.all(all),
      delay(METRICS_MS, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
    for (const id of ids) this.#asked.delete(id);
    return gathered;
  }
}

function toTaken({ remainingPoints, msBeforeNext }: RateLimiterRes, is_refused: boolean): Taken {
  return { is_refused, remaining_points: remainingPoints, ms_before_next: msBeforeNext };
}
