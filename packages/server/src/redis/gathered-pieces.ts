import type { ExtendedServerPayload } from '@tertulia/protocol';
import type { BusMessage } from '../delivery/bus.ts';

/** A piece of an answer, as nodes tell it each other. */
interface Piece {
  readonly kind: 'stream';
  readonly conversation_id: string;
  readonly name: 'response_delta';
  readonly payload: ExtendedServerPayload<'response_delta'>;
}

/** So long pieces are gathered once Redis has said that nobody else hears them: a late joiner waits no longer for one. */
const GATHER_MS = 500;
/** A gathered piece has no more UTF-16 units than this and those of its last part. */
const MOST_UNITS = 8_192;

interface Gathering {
  readonly timer: NodeJS.Timeout;
  piece: Piece | null;
}

/**
 * Pieces of answers that nobody on another node watches, as most are, are what nodes would tell each other most. They
 * are told as one each half second: whoever comes to another node meanwhile misses nothing, and everything stays in order.
 */
export class GatheredPieces {
  readonly #channels = new Map<string, Gathering>();
  readonly #tell: (channel: string, piece: Piece) => void;

  constructor(tell: (channel: string, piece: Piece) => void) {
    this.#tell = tell;
  }

  /** Gathers what is said of an answer on a channel from now on, for a while. */
  begin(channel: string): void {
    if (this.#channels.has(channel)) return;
    this.#channels.set(channel, { piece: null, timer: setTimeout(() => this.#release(channel), GATHER_MS).unref() });
  }

  /** Whether a message is gathered. One that is not comes after what was, which is told first. */
  takes(channel: string, message: BusMessage): boolean {
    const gathering = this.#channels.get(channel);
    if (!gathering) return false;
    const joined = isPiece(message) ? join(gathering.piece, message) : null;
    if (joined) gathering.piece = joined;
    else this.#release(channel);
    return joined !== null;
  }

  close(): void {
    for (const { timer } of this.#channels.values()) clearTimeout(timer);
    this.#channels.clear();
  }

  #release(channel: string): void {
    const gathering = this.#channels.get(channel);
    this.#channels.delete(channel);
    clearTimeout(gathering?.timer);
    if (gathering?.piece) this.#tell(channel, gathering.piece);
  }
}

function isPiece(message: BusMessage): message is Piece {
  return message.kind === 'stream' && message.name === 'response_delta';
}

/** The next piece of the same attempt, after those before it, whose place it takes; null where it cannot. */
function join(before: Piece | null, next: Piece): Piece | null {
  if (!before) return next;
  const { task_id, attempt, text } = before.payload;
  const isNext = next.payload.task_id === task_id && next.payload.attempt === attempt;
  if (!isNext || text.length > MOST_UNITS) return null;
  return { ...before, payload: { ...before.payload, text: text + next.payload.text } };
}
