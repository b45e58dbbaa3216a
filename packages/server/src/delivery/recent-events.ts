import type { ConversationEvent, EventPage } from '@tertulia/protocol';
import { messageOf, startOf, type LogHead } from '../store/store.ts';
import { endsMembership } from './membership.ts';
import { PAGE_BYTES, PAGE_EVENTS } from './page-bounds.ts';

/** What all logs' ends may take, about; the conversation that was quiet longest goes first. */
const KEPT_UNITS = 32_000_000;
/** What an event takes besides its message's text, about. */
const EVENT_UNITS = 1_000;

/** The last events of a log, without a hole between them, and what they take. */
interface LogEnd {
  readonly events: ConversationEvent[];
  units: number;
}

/**
 * The last page of each busy conversation, from what this node delivered: whoever comes back after a short absence is
 * answered without reading the log. Whether the reader is a member, and how far the log goes, is asked each time; what
 * is kept is used only where it reaches that far, so it is never older than the answer.
 */
export class RecentEvents {
  readonly #ends = new Map<string, LogEnd>();
  #units = 0;

  /** Notes an event as it is delivered, in order. */
  pass(event: ConversationEvent): void {
    const before = this.#take(event.conversation_id);
    if (event.type === 'task_deleted' || event.type === 'conversation_deleted') return; // its text may be kept here
    const end = before?.events.at(-1)?.seq === event.seq - 1 ? before : { events: [], units: 0 };
    end.units += unitsOf(event);
    if (end.events.push(event) > PAGE_EVENTS) end.units -= unitsOf(end.events.shift());
    this.#keep(event.conversation_id, end);
  }

  /** Whether anything of this log is kept: only then is it worth asking how far the log goes. */
  has(conversationId: string): boolean {
    return this.#ends.has(conversationId);
  }

  /** The page above `afterSeq` for a member, or null where the log has to be read. */
  page(conversationId: string, userId: string, afterSeq: number, head: LogHead): EventPage | null {
    const kept = this.#ends.get(conversationId)?.events;
    const first = kept?.[0];
    const last = kept?.at(-1);
    if (!kept || !first || !last || last.seq < head.last_seq || afterSeq > last.seq) return null;
    if (Math.min(afterSeq, head.last_seq) < first.seq - 1) return null;
    const meanwhile = kept.slice(head.last_seq + 1 - first.seq);
    if (head.is_answering || meanwhile.some((event) => startOf(event) || endsMembership(event, userId))) return null;
    const events = kept.slice(afterSeq + 1 - first.seq);
    if (Buffer.byteLength(JSON.stringify(events)) > PAGE_BYTES) return null;
    return { events, last_seq: last.seq, complete: true, running: [] };
  }

  /** The conversation is not delivered any more. */
  forget(conversationId: string): void {
    this.#take(conversationId);
  }

  #take(conversationId: string): LogEnd | undefined {
    const end = this.#ends.get(conversationId);
    this.#ends.delete(conversationId);
    this.#units -= end?.units ?? 0;
    return end;
  }

  #keep(conversationId: string, end: LogEnd): void {
    this.#ends.set(conversationId, end);
    this.#units += end.units;
    for (const id of this.#ends.keys()) {
      if (this.#units <= KEPT_UNITS) return;
      this.#take(id);
    }
  }
}

function unitsOf(event: ConversationEvent | undefined): number {
  return event ? EVENT_UNITS + (messageOf(event)?.content.length ?? 0) : 0;
}
