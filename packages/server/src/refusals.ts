import type { ErrorCode } from '@tertulia/protocol';
import type { Logger } from './log.ts';

/** For each address and reason there is one line in this time at most. */
const WINDOW_MS = 10_000;
/** Of so many addresses and reasons each is counted by itself; a flood from more is counted together. */
const MOST = 1_000;

/** Tells whoever runs the server of what was refused, without letting a flood of it fill the disk. */
export interface Refusals {
  add(address: string, code: ErrorCode): void;
}

/** Makes the count of one kind of refusals: the first is told at once, what follows it within the window afterwards. */
export function createRefusals(log: Logger, message: string): Refusals {
  const waiting = new Map<string, number>();

  function tell(address: string, code: ErrorCode, count: number): void {
    log[code === 'rate_limited' ? 'warn' : 'info']({ address, code, count }, message);
  }

  function open(key: string, address: string, code: ErrorCode): void {
    waiting.set(key, 0);
    const timer = setTimeout(() => {
      const count = waiting.get(key) ?? 0;
      if (count === 0) return waiting.delete(key);
      tell(address, code, count);
      return open(key, address, code);
    }, WINDOW_MS);
    timer.unref();
  }

  return {
    add(from, code) {
      const isOwn = waiting.size < MOST || waiting.has(`${code} ${from}`);
      const address = isOwn ? from : 'many';
      const key = `${code} ${address}`;
      const count = waiting.get(key);
      if (count !== undefined) return void waiting.set(key, count + 1);
      tell(address, code, 1);
      open(key, address, code);
    },
  };
}
