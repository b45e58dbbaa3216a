import type { Beginning, QuestionName, Questions, ToPrimary, ToWorker } from './messages.ts';
import { Outbox } from './outbox.ts';

/** A primary that does not answer within this time is not waited for. */
const ANSWER_MS = 2_000;
/** How often it is looked for questions that are not answered. */
const LOOK_MS = 500;

interface Waiting {
  readonly since: number;
  answer(this: void, answer: Questions[QuestionName]['answer'] | null): void;
}

/** What a worker does when its primary tells it something. */
export interface LinkEvents {
  told(text: string): void;
  /** What others published lately is lost; from now on it comes. */
  missed(): void;
  tellMetrics(id: number): void;
  stop(): void;
}

/** A worker's end of the channel to its primary. */
export class PrimaryLink {
  readonly #outbox = new Outbox<ToPrimary>(write, { onRoom: () => this.#events.missed?.() });
  readonly #waiting = new Map<number, Waiting>();
  readonly #beginning = Promise.withResolvers<Beginning>();
  readonly #closing = Promise.withResolvers<void>();
  #events: Partial<LinkEvents> = {};
  #lastId = 0;
  #isUp = true;

  constructor() {
    process.on('message', (batch: ToWorker[]) => {
      for (const message of batch) this.#receive(message);
    });
    setInterval(() => this.#giveUpWaiting(), LOOK_MS).unref();
  }

  /** What the primary says first. */
  get beginning(): Promise<Beginning> {
    return this.#beginning.promise;
  }

  /** Tells that this worker has let its clients and tasks go; resolves when the others that stop have, too. */
  drained(): Promise<void> {
    this.send({ kind: 'drained' });
    return this.#closing.promise;
  }

  /** Whether the primary answers. */
  get isUp(): boolean {
    return this.#isUp;
  }

  on<K extends keyof LinkEvents>(name: K, listener: LinkEvents[K]): void {
    this.#events[name] = listener;
  }

  send(message: ToPrimary): void {
    this.#outbox.send(message);
  }

  /** Sends what may be lost, with a text of this length. */
  offer(message: ToPrimary, length: number): void {
    this.#outbox.offer(message, length);
  }

  /** Sends this at once, and calls back when it has left this process. */
  sendLast(message: ToPrimary, sent: () => void): void {
    write([message], sent);
  }

  /** Asks the primary; answers null where it does not answer in time. */
  ask<K extends QuestionName>(kind: K, question: Questions[K]['ask']): Promise<Questions[K]['answer'] | null> {
    const id = (this.#lastId += 1);
    const { promise, resolve } = Promise.withResolvers<Questions[K]['answer'] | null>();
    this.#waiting.set(id, { since: performance.now(), answer: resolve });
    this.send({ kind, id, ...question } as ToPrimary);
    return promise;
  }

  #receive(message: ToWorker): void {
    switch (message.kind) {
      case 'begin':
        return this.#beginning.resolve(message);
      case 'answer':
        return this.#answered(message.id, message.answer);
      case 'told':
        return this.#events.told?.(message.text);
      case 'missed':
        return this.#events.missed?.();
      case 'own_metrics':
        return this.#events.tellMetrics?.(message.id);
      case 'stop':
        return this.#events.stop?.();
      case 'close':
        return this.#closing.resolve();
    }
  }

  #answered(id: number, answer: Questions[QuestionName]['answer']): void {
    this.#waiting.get(id)?.answer(answer);
    this.#waiting.delete(id);
    if (this.#isUp) return;
    this.#isUp = true;
    this.#events.missed?.();
  }

  /** Oldest first. */
  #giveUpWaiting(): void {
    const now = performance.now();
    for (const [id, { since, answer }] of this.#waiting) {
      if (now - since < ANSWER_MS) return;
      this.#waiting.delete(id);
      this.#isUp = false;
      answer(null);
    }
  }
}

function write(batch: readonly ToPrimary[], written: () => void): void {
  process.send?.(batch, undefined, undefined, written); // a primary that has gone takes its workers with it
}
