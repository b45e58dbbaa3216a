import type { Config } from '../config.ts';

/** More bytes than this within a second are a flood: an honest burst of the largest messages is a third of it. */
const FLOOD_BYTES = 16_777_216;
/** So many times the burst of events that a socket may send is a flood. */
const FLOOD_BURSTS = 20;

/**
 * What a socket may send within a second; up to there each event too many is refused by itself. Beyond it nothing more
 * is read and a WebSocket is closed: at 20 µs a refusal, one socket could else keep the server busy with them.
 */
export function floodOf(config: Config): number {
  return FLOOD_BURSTS * config.EVENT_BURST;
}

/** Counts what comes in on one connection, second by second. */
export class InboundMeter {
  /** Pieces within one second that are not yet a flood. */
  max: number;
  #second = 0;
  #pieces = 0;
  #bytes = 0;

  constructor(max: number) {
    this.max = max;
  }

  /** Counts one piece; true where there have been too many. */
  isFlooded(bytes: number): boolean {
    const second = Math.trunc(performance.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#pieces = 0;
      this.#bytes = 0;
    }
    this.#pieces += 1;
    this.#bytes += bytes;
    return this.#pieces > this.max || this.#bytes > FLOOD_BYTES;
  }
}
