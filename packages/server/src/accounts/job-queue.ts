import { ChatError } from '@tertulia/protocol';

/** Runs jobs a few at a time and in order, and refuses where too many wait. */
export interface JobQueue {
  /** @throws {ChatError} `rate_limited` where the queue is full */
  run<T>(job: () => Promise<T>): Promise<T>;
  /** How many wait for their turn. */
  readonly depth: number;
}

/** How many jobs run at once, how many may wait, and about how long one takes. */
export interface JobQueueSettings {
  readonly running: number;
  readonly waiting: number;
  readonly job_ms: number;
}

/** Makes a queue in memory. */
export function createJobQueue({ running, waiting, job_ms }: JobQueueSettings): JobQueue {
  const turns: (() => void)[] = [];
  let free = running;

  function next(): void {
    const turn = turns.shift();
    if (turn) turn();
    else free += 1;
  }

  return {
    get depth() {
      return turns.length;
    },
    async run(job) {
      if (free > 0) free -= 1;
      else if (turns.length < waiting) await new Promise<void>((resolve) => turns.push(resolve));
      else throw new ChatError('rate_limited', { retry_after_ms: Math.ceil((waiting * job_ms) / running) });
      try {
        return await job();
      } finally {
        next();
      }
    },
  };
}
