import type { RedisLink } from './link.ts';

/** This often the process says something to itself through Redis. */
const ECHO_MS = 500;
/**
 * So many unanswered in a row mean that Redis is gone or hangs, which is noticed within 2 s. Counted, not timed: a pause
 * of this process's own is none of Redis's.
 */
const MOST_UNANSWERED = 3;

/**
 * What this process says to itself through Redis. It proves at once that both connections live, that Redis answers, and
 * that what one connection publishes reaches the other: after a failover they could have found different servers.
 */
export class Echo {
  readonly #link: RedisLink;
  readonly #unanswered: Map<string, number>;
  readonly #onSilence: (reason: Error) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #all = Promise.withResolvers<void>();
  readonly #unheard: Set<string>;

  constructor(link: RedisLink, onSilence: (reason: Error) => void) {
    this.#link = link;
    this.#unanswered = new Map(link.echoes.map((channel) => [channel, 0]));
    this.#unheard = new Set(link.echoes);
    this.#onSilence = onSilence;
    this.#timer = setInterval(() => this.#speak(), ECHO_MS);
  }

  /** Begins to speak, and resolves when each channel was heard once. */
  async begin(): Promise<void> {
    await this.#link.subscribe(this.#link.echoes);
    this.#speak();
    return this.#all.promise;
  }

  /** Takes a message that is an echo; answers false for any other. */
  hear(channel: string): boolean {
    if (!this.#unanswered.has(channel)) return false;
    this.#unanswered.set(channel, 0);
    this.#unheard.delete(channel);
    if (this.#unheard.size === 0) this.#all.resolve();
    return true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #speak(): void {
    for (const [channel, unanswered] of this.#unanswered) {
      if (unanswered === MOST_UNANSWERED) {
        this.#onSilence(new Error(`no answer for ${(MOST_UNANSWERED * ECHO_MS) / 1_000} s`));
      }
      this.#unanswered.set(channel, unanswered + 1);
      this.#link.publish(channel, '').catch(this.#onSilence);
    }
  }
}
