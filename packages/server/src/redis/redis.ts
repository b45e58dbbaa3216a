import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../log.ts';
import { printableRedis, type RedisAddress } from './address.ts';
import { connect, reasonOf } from './connect.ts';
import { Echo } from './echo.ts';
import { untilAborted, type RedisLink, type ScriptInput } from './link.ts';

/** A link that is not made in this time will not be. */
const CONNECT_MS = 2_000;
/** The wait before another try, doubled each time; up to half of it is chance, so that nodes do not all come at once. */
const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 2_000;
/** Whoever wants to hear a channel waits this long for Redis. */
const FOLLOW_MS = 200;
/** Channels that are subscribed in one go on a new link. */
const CHANNELS_AT_ONCE = 1_000;
/** So many UTF-16 units may wait for Redis, about 10,000 messages: what a busy node says in a second. More is dropped. */
const MOST_WAITING = 16_777_216;
/** What the library keeps of a command besides its text, about. */
const COMMAND_UNITS = 1_024;

/** What is to be known of Redis. */
export interface RedisParts {
  readonly address: RedisAddress;
  /** Begins every channel and key. Pub/sub knows no databases: without it two installations on one Redis hear each other. */
  readonly prefix: string;
  readonly log: Logger;
}

/** A link and what waits on it. */
interface Session {
  readonly link: RedisLink;
  waiting: number;
}

/**
 * Keeps up a link to Redis: makes another when it is lost or hangs, and follows on it what was followed. What cannot be
 * sent is dropped, so nobody waits for Redis, but for a moment who wants to hear a channel.
 */
export class Redis {
  readonly prefix: string;
  readonly #address: RedisAddress;
  readonly #log: Logger;
  readonly #echo: string;
  /** What is followed, with the link on which Redis has confirmed it. */
  readonly #channels = new Map<string, RedisLink | null>();
  #onMessage: (text: string) => void = () => undefined;
  #onUp: () => void = () => undefined;
  #session: Session | null = null;
  #isUp = false;
  #wasUp: boolean | null = null;
  #isClosed = false;
  #end = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor({ address, prefix, log }: RedisParts) {
    this.#address = address;
    this.prefix = prefix;
    this.#log = log;
    this.#echo = `${prefix}echo:${randomBytes(9).toString('base64url')}`;
  }

  /** Whether this process hears what it publishes. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Connects, now and whenever the link is lost. `onUp` is called each time it is there. */
  begin(onMessage: (text: string) => void, onUp: () => void): void {
    this.#onMessage = onMessage;
    this.#onUp = onUp;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#end.abort();
    await this.#running;
  }

  /**
   * Sends a text; answers false where it was dropped, since the link is down or too much waits. Never throws.
   * `onHeard`: whether somebody else hears the channel, once Redis has said so.
   */
  publish(channel: string, text: string, onHeard?: (byOthers: boolean) => void): boolean {
    const units = COMMAND_UNITS + text.length;
    const session = this.#open(units);
    if (!session) return false;
    const { link } = session;
    // Where it is not known yet that this process hears it, too, it may count as another: better heard in vain than not.
    const own = this.#channels.get(channel) === link ? 1 : 0;
    const settle = () => void (session.waiting -= units);
    link.publish(channel, text).then((hearers) => {
      settle();
      onHeard?.(hearers > own);
    }, settle);
    return true;
  }

  /** Runs a script, as rate-limiter-flexible wants it. @throws where the link is down, too much waits, or Redis refuses */
  async eval(script: string, given: ScriptInput): Promise<unknown> {
    const session = this.#open(COMMAND_UNITS);
    if (!session) throw new Error('Redis is not there');
    try {
      return await session.link.eval(script, given);
    } finally {
      session.waiting -= COMMAND_UNITS;
    }
  }

  #open(units: number): Session | null {
    const session = this.#isUp ? this.#session : null;
    if (!session || session.waiting + units > MOST_WAITING) return null;
    session.waiting += units;
    return session;
  }

  /** Hears a channel, on this link and those to come; resolves once it does, or the link is down or slow. */
  follow(channel: string): Promise<void> | void {
    const link = this.#session?.link;
    this.#channels.set(channel, null);
    const followed = link?.subscribe([channel]).then(() => this.#confirm([channel], link), ignore);
    if (this.#isUp && followed) return this.#withPatience(followed);
  }

  #confirm(channels: readonly string[], link: RedisLink): void {
    for (const channel of channels) if (this.#channels.has(channel)) this.#channels.set(channel, link);
  }

  /** Where Redis is slow, whoever waits goes on without, and is told later that something may have been lost. */
  async #withPatience(followed: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<true>();
    const timer = setTimeout(() => late.resolve(true), FOLLOW_MS);
    const isLate = await Promise.race([followed, late.promise]);
    clearTimeout(timer);
    if (isLate) void followed.then(() => this.#isUp && this.#onUp());
  }

  unfollow(channel: string): void {
    this.#channels.delete(channel);
    this.#session?.link.unsubscribe(channel).catch(ignore); // the link is lost, and the channels with it
  }

  async #run(): Promise<void> {
    let wait = RETRY_MIN_MS;
    while (!this.#isClosed) {
      const { reason, wasUp } = await this.#oneLink();
      if (this.#isClosed) return;
      this.#tell(false, reason);
      wait = wasUp ? RETRY_MIN_MS : Math.min(2 * wait, RETRY_MAX_MS);
      this.#end = new AbortController();
      await pause(wait * (0.5 + Math.random() / 2), undefined, { signal: this.#end.signal }).catch(() => undefined);
    }
  }

  /** Makes a link and uses it until it is lost. */
  async #oneLink(): Promise<{ reason: unknown; wasUp: boolean }> {
    this.#end = new AbortController();
    const { signal } = this.#end;
    const lose = this.#end.abort.bind(this.#end);
    const deadline = setTimeout(() => lose(new Error(`no connection within ${CONNECT_MS / 1_000} s`)), CONNECT_MS);
    let echo: Echo | null = null;
    try {
      const onMessage = (text: string, channel: string) => {
        if (!echo?.hear(channel)) this.#onMessage(text);
      };
      const link = await connect(this.#address, this.#echo, { onMessage, onLost: lose }, signal);
      clearTimeout(deadline);
      this.#session = { link, waiting: 0 };
      echo = new Echo(link, lose);
      await untilAborted(Promise.all([echo.begin(), this.#followAll(link)]), signal);
      this.#isUp = true;
      this.#tell(true);
      this.#onUp();
      await untilAborted(new Promise<never>(() => undefined), signal);
    } catch (reason) {
      return { reason, wasUp: this.#isUp };
    } finally {
      clearTimeout(deadline);
      echo?.stop();
      this.#isUp = false;
      this.#session?.link.destroy();
      this.#session = null;
    }
    return { reason: null, wasUp: true };
  }

  /** In portions, between which echoes are heard: with 100,000 channels it takes seconds. */
  async #followAll(link: RedisLink): Promise<void> {
    let portion: string[] = [];
    const follow = async () => {
      await link.subscribe(portion);
      this.#confirm(portion, link);
      portion = [];
    };
    for (const channel of this.#channels.keys()) {
      portion.push(channel);
      if (portion.length === CHANNELS_AT_ONCE) await follow();
    }
    if (portion.length > 0) await follow();
  }

  /** One line for each change. */
  #tell(isUp: boolean, reason?: unknown): void {
    if (this.#wasUp === isUp) return;
    this.#wasUp = isUp;
    const redis = printableRedis(this.#address);
    if (isUp) return this.#log.info({ redis }, 'Redis is there: nodes tell each other what is new');
    const message = 'Redis is not there: nodes find what is new in the database, and each counts limits by itself';
    this.#log.warn({ redis, reason: reasonOf(reason) }, message);
  }
}

const ignore = () => undefined;
