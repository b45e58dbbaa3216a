import { setTimeout as delay } from 'node:timers/promises';

const LOOK_MS = 10;

/** Waits until something holds that no event tells. @throws naming it where it does not come about in time. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  milliseconds: number,
  what: string | (() => string),
  lookEachMs = LOOK_MS,
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await holds())) {
    if (performance.now() > deadline) {
      throw new Error(`not within ${milliseconds} ms: ${typeof what === 'string' ? what : what()}`);
    }
    await delay(lookEachMs);
  }
}
