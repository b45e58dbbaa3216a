import type { BusMessage } from '../delivery/bus.ts';

/**
 * How long the pieces of an answer are kept back once Redis has said that nobody else hears them. Who begins to follow
 * meanwhile lacks no more than what the next saved text has, which is stored as often.
 */
const SPARED_MS = 500;
/** Answers whose end never came are not remembered for ever. */
const MOST_CHANNELS = 10_000;

/**
 * Channels on which an answer is being streamed that nobody on another node watches, as most are: its pieces are what
 * nodes would tell each other most. Everything else is told always, since it is not told again.
 */
export class UnheardChannels {
  readonly #until = new Map<string, number>();

  /** Whether this message is to be kept back on the channel. */
  spares(channel: string, message: BusMessage): boolean {
    if (message.kind !== 'stream' || this.#until.size === 0) return false;
    const until = this.#until.get(channel);
    if (until === undefined) return false;
    if (message.name === 'response_delta' && performance.now() < until) return true;
    this.#until.delete(channel);
    return false;
  }

  /** What takes Redis's answer to such a message, if it says anything of those to come. */
  learner(channel: string, message: BusMessage): ((byOthers: boolean) => void) | undefined {
    if (message.kind !== 'stream' || message.name === 'response_end') return undefined;
    return (byOthers) => {
      if (byOthers) return;
      if (this.#until.size >= MOST_CHANNELS) this.#until.clear();
      this.#until.set(channel, performance.now() + SPARED_MS);
    };
  }
}
