import { pino } from 'pino';
import type { BusMessage, Topic } from '../../src/delivery/bus.ts';
import type { RedisBus } from '../../src/redis/redis-bus.ts';
import type { RateLimiters } from '../../src/rate-limiters.ts';
import { parseRedisUrl } from '../../src/redis/address.ts';
import { linkByRedis } from '../../src/redis/link-by-redis.ts';

/** What would follow a message within a moment, and how long a test waits for anything at all. */
const PATIENCE_MS = 20_000;

/** A node as far as Redis sees it. */
export class TestNode {
  readonly bus: RedisBus;
  readonly limiters: RateLimiters;
  readonly logged: string[] = [];
  /** What it was told, in order. */
  readonly heard: BusMessage[] = [];
  /** How often its link came up. */
  ups = 0;

  constructor(url: string, epoch = 'epoch') {
    const log = pino({ level: 'trace' }, { write: (line: string) => void this.logged.push(line) });
    const address = parseRedisUrl(url);
    if (!address) throw new Error(`no address: ${url}`);
    ({ bus: this.bus, limiters: this.limiters } = linkByRedis(address, epoch, log));
    this.bus.subscribe(
      (message) => void this.heard.push(message),
      () => void (this.ups += 1),
    );
  }

  /** Resolves once the link has come up so often. */
  up(times = 1): Promise<void> {
    return until(() => this.ups >= times && this.bus.isUp, `the link is up ${times} times`);
  }

  down(): Promise<void> {
    return until(() => !this.bus.isUp, 'the link is down');
  }

  /** Resolves once it was told this, and answers all such. */
  async hears(seq: number): Promise<void> {
    await until(() => this.seqs.includes(seq), `seq ${seq} is heard`);
  }

  /** The seqs of what it was told, in order. */
  get seqs(): number[] {
    return this.heard.map((message) => ('seq' in message ? message.seq : -1));
  }

  /** Tells of a change in a conversation: the smallest message there is. */
  tell(topic: Topic, seq: number): void {
    this.bus.publish([topic], { kind: 'changed', user_id: 'u', conversation_id: 'c', seq });
  }
}

/** Looks again and again until it holds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
