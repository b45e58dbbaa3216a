import type { Console } from '../console/command.ts';

/** A line of progress comes this often, in ms. */
const EVERY_MS = 5_000;

/** Tells people how far a long run has come, and how fast it goes; a short one says nothing. */
export function progressLines(console: Console, verb: string): (done: number, expected: number) => void {
  const began = performance.now();
  let told = began;
  return (done, expected) => {
    const now = performance.now();
    if (now - told < EVERY_MS) return;
    told = now;
    const rate = Math.round(done / ((now - began) / 1_000));
    console.complain(`${verb} ${done} of about ${expected} records (${rate} a second).`);
  };
}
