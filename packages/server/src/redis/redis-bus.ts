import { randomBytes } from 'node:crypto';
import type { Logger } from '../log.ts';
import { readPacket, writePacket } from '../delivery/bus-packet.ts';
import type { Bus, BusMessage, Topic } from '../delivery/bus.ts';
import type { Redis } from './redis.ts';
import { GatheredPieces } from './gathered-pieces.ts';

/** What is no message is told of once in this time: whoever can publish could else fill the log. */
const TELL_MS = 60_000;

/**
 * Links nodes over Redis: each topic is a channel, so that a node hears only what it follows. Nothing depends on it:
 * what is lost is found in the log.
 */
export class RedisBus implements Bus {
  readonly isShared = true;
  /** Messages since the start; published and dropped ones count for each topic. */
  readonly counts = { published: 0, received: 0, dropped: 0, refused: 0 };
  readonly #redis: Redis;
  readonly #log: Logger;
  /** Begins what this process publishes: a channel's publisher hears it too, if it follows it. */
  readonly #own = `${randomBytes(9).toString('base64url')} `;
  readonly #gathered = new GatheredPieces((channel, piece) => this.#send(channel, this.#textOf(piece), piece));
  #toldAt = -TELL_MS;

  constructor(redis: Redis, log: Logger) {
    this.#redis = redis;
    this.#log = log;
  }

  get isUp(): boolean {
    return this.#redis.isUp;
  }

  publish(topics: readonly Topic[], message: BusMessage): void {
    if (!this.#redis.isUp) {
      this.counts.dropped += topics.length;
      return;
    }
    let text = '';
    for (const topic of topics) {
      const channel = this.#channelOf(topic);
      if (this.#gathered.takes(channel, message)) continue;
      text ||= this.#textOf(message);
      this.#send(channel, text, message);
    }
  }

  #textOf(message: BusMessage): string {
    return this.#own + writePacket(message);
  }

  #send(channel: string, text: string, { kind }: BusMessage): void {
    // Redis says how many hear it: pieces of an answer that only this process hears are gathered from then on.
    const onHeard = (byOthers: boolean) => void (byOthers || this.#gathered.begin(channel));
    const isSent = this.#redis.publish(channel, text, kind === 'stream' ? onHeard : undefined);
    if (isSent) this.counts.published += 1;
    else this.counts.dropped += 1;
  }

  follow(topic: Topic): Promise<void> | void {
    return this.#redis.follow(this.#channelOf(topic));
  }

  unfollow(topic: Topic): void {
    this.#redis.unfollow(this.#channelOf(topic));
  }

  subscribe(receive: (message: BusMessage) => void, onUp: () => void): void {
    void this.follow('all');
    this.#redis.begin((text) => this.#read(text, receive), onUp);
  }

  close(): Promise<void> {
    this.#gathered.close();
    return this.#redis.close();
  }

  #channelOf(topic: Topic): string {
    return this.#redis.prefix + topic;
  }

  #read(text: string, receive: (message: BusMessage) => void): void {
    if (text.startsWith(this.#own)) return;
    const message = readPacket(text.slice(text.indexOf(' ') + 1));
    if (!message) return this.#refuse();
    this.counts.received += 1;
    try {
      receive(message);
    } catch (error) {
      this.#log.error({ err: error }, 'what came over Redis could not be delivered'); // the next one may
    }
  }

  #refuse(): void {
    this.counts.refused += 1;
    if (performance.now() - this.#toldAt < TELL_MS) return;
    this.#toldAt = performance.now();
    const { refused } = this.counts;
    this.#log.warn({ refused }, 'what came over Redis is no message: does another program use its channels?');
  }
}
