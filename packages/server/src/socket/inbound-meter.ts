/** More bytes than this within a second are a flood: an honest burst of the largest messages is a third of it. */
const FLOOD_BYTES = 33_554_432;
/** Before a login so many frames and packets within a second are a flood. */
const STRANGER_PIECES = 200;
/** Meters are kept for this many users before those that count nothing now are let go. */
const KEPT_METERS = 10_000;

/**
 * Counts what comes in, second by second; on a WebSocket each packet is counted twice, as a frame and as what it holds.
 * Up to the maximum each event too many is refused by itself. Beyond it nothing more is read: at 15 µs a refusal,
 * whoever goes on could else keep the server busy with them.
 */
export class InboundMeter {
  readonly #max: number;
  #second = 0;
  #pieces = 0;
  #bytes = 0;

  constructor(max = STRANGER_PIECES) {
    this.#max = max;
  }

  /** Counts one piece; true where there have been too many. */
  isFlooded(bytes: number): boolean {
    const second = thisSecond();
    if (second !== this.#second) {
      this.#second = second;
      this.#pieces = 0;
      this.#bytes = 0;
    }
    this.#pieces += 1;
    this.#bytes += bytes;
    return this.#pieces > this.#max || this.#bytes > FLOOD_BYTES;
  }

  /** Whether nothing was counted in this second. */
  get isIdle(): boolean {
    return this.#second !== thisSecond();
  }
}

function thisSecond(): number {
  return Math.trunc(performance.now() / 1_000);
}

/** One meter a user, for all that come in on their sockets: ten sockets may not send ten times as much. */
export class UserMeters {
  readonly #max: number;
  readonly #meters = new Map<string, InboundMeter>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Outlives the user's sockets: whoever comes back within the second is counted on. */
  of(userId: string): InboundMeter {
    let meter = this.#meters.get(userId);
    if (meter) return meter;
    if (this.#meters.size >= KEPT_METERS) this.#forgetIdle();
    meter = new InboundMeter(this.#max);
    this.#meters.set(userId, meter);
    return meter;
  }

  #forgetIdle(): void {
    for (const [userId, meter] of this.#meters) if (meter.isIdle) this.#meters.delete(userId);
  }
}
