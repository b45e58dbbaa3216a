/** What waits for a process that does not read takes no more memory than this, about. */
const MOST_BYTES = 8_000_000;
/** What a message takes besides its text, about. */
const ENVELOPE_BYTES = 200;

/**
 * The way to another process: what is sent within one turn of the event loop goes as one message (measured: 2 µs each
 * in batches of 20 against 8 µs alone, in each process on the way). What the other process does not read is bounded.
 */
export class Outbox<Message> {
  readonly #write: (batch: readonly Message[], written: () => void) => void;
  readonly #onRoom: () => void;
  #batch: Message[] = [];
  #batchBytes = 0;
  /** In the batch and in batches that are not written yet. */
  #waitingBytes = 0;
  #hasDropped = false;

  /** `onRoom`: something was dropped, and there is room again. */
  constructor(write: (batch: readonly Message[], written: () => void) => void, onRoom: () => void) {
    this.#write = write;
    this.#onRoom = onRoom;
  }

  /** Sends what must not be lost: few and small. */
  send(message: Message): void {
    this.#add(message, ENVELOPE_BYTES);
  }

  /** Sends what may be lost, with a text of this length; drops it where too much waits. */
  offer(message: Message, length: number): void {
    if (this.#waitingBytes > MOST_BYTES) this.#hasDropped = true;
    else this.#add(message, ENVELOPE_BYTES + length);
  }

  #add(message: Message, bytes: number): void {
    if (this.#batch.length === 0) setImmediate(() => this.#flush());
    this.#batch.push(message);
    this.#batchBytes += bytes;
    this.#waitingBytes += bytes;
  }

  #flush(): void {
    const bytes = this.#batchBytes;
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#write(batch, () => {
      this.#waitingBytes -= bytes;
      if (!this.#hasDropped || this.#waitingBytes > MOST_BYTES / 2) return;
      this.#hasDropped = false;
      this.#onRoom();
    });
  }
}
