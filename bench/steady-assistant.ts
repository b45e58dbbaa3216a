import { setTimeout as delay } from 'node:timers/promises';

/** Slower than the server gathers pieces, so that each piece is one delta. */
const PIECE_MS = 25;
const PIECES = 2_000;

/** Streams one small piece after the other, for the fan-out benchmark. */
export default async function* steady({ signal }: { signal: AbortSignal }): AsyncGenerator<string> {
  for (let count = 0; count < PIECES && !signal.aborted; count += 1) {
    yield 'twenty characters.. ';
    await delay(PIECE_MS);
  }
}
