import {
  ERRORS,
  type ConversationEvent,
  type EndedTask,
  type EventPage,
  type ExtendedServerPayload,
} from '@tertulia/protocol';
import type { Logger } from '../log.ts';
import { endOf, type Store } from '../store/store.ts';
import type { Bus, BusMessage } from './bus.ts';
import { ConversationDeliverer } from './conversation-deliverer.ts';
import type { Emitter, Joiner } from './emitter.ts';
import { BEGIN_ONE, noConversation } from './no-conversation.ts';
import {
  baseConversationRoom,
  baseUserRoom,
  conversationRoom,
  conversationRooms,
  streamRoom,
  userRoom,
} from './rooms.ts';
import { TaskExchanges, type Exchange } from './task-exchanges.ts';

/** A page is at most this many events or bytes, with at least one event (DESIGN section 3). */
export const PAGE_EVENTS = 100;
export const PAGE_BYTES = 131_072;

type StreamName = 'response_start' | 'response_delta' | 'response_end';

/** After the log could not be read. */
const RETRY_MS = 1_000;

/** A joined conversation: its page of the log, and whether live events follow it without a gap. */
export interface Joined {
  readonly page: EventPage;
  readonly joined: boolean;
}

/** Whether a user is a member of a conversation now; at once where it is known. */
export type IsMember = (conversationId: string, userId: string) => boolean | Promise<boolean>;

/** Brings what was committed to this node's sockets, in order, and what is streamed as it comes. */
export class Delivery {
  readonly #store: Store;
  readonly #emitter: Emitter;
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #exchanges: TaskExchanges;
  readonly #isMember: IsMember;
  readonly #deliverers = new Map<string, ConversationDeliverer>();
  readonly #opening = new Map<string, Promise<ConversationDeliverer>>();
  /** The last seq that passed while its conversation's deliverer was being opened. */
  readonly #passed = new Map<string, number>();

  constructor(store: Store, emitter: Emitter, bus: Bus, log: Logger, isMember: IsMember) {
    this.#isMember = isMember;
    this.#store = store;
    this.#emitter = emitter;
    this.#bus = bus;
    this.#log = log;
    this.#exchanges = new TaskExchanges((taskId) => store.tasks.exchange(taskId));
  }

  /** An event that this node appended: its sockets get it now, other nodes by the bus. */
  committed(event: ConversationEvent, members: readonly string[]): void {
    this.#offer(event, members);
    this.#bus.publish({ kind: 'event', event, members });
  }

  /** A piece of an answer, for whoever has joined; never stored, never waited for. */
  stream<N extends StreamName>(name: N, payload: ExtendedServerPayload<N>): void {
    this.#emitStream(name, payload);
    this.#bus.publish({ kind: 'stream', conversation_id: payload.conversation_id, name, payload });
  }

  /**
   * Joins a socket once it has all that this node's members have: pages of the log first, then live events, with no
   * event missing or twice between them. Without `afterSeq` it starts at the end of the log; beyond the log's end it
   * joins nothing, since what the socket has is another log.
   * @throws {ChatError} `not_found` for a missing or foreign conversation.
   */
  async join(
    socket: Joiner,
    userId: string,
    conversationId: string,
    afterSeq: number | null,
    rooms: string[],
  ): Promise<Joined> {
    const last = await this.#store.conversations.lastSeq(userId, conversationId);
    if (last === null) throw noConversation();
    const deliverer = await this.#open(conversationId);
    const delivered = deliverer.collect();
    try {
      const read = await this.#page(userId, conversationId, afterSeq ?? last);
      const page = afterSeq === null ? { ...read, events: [], complete: true } : read;
      if (!page.complete || page.reset) return { page, joined: false };
      await deliverer.catchUp(page.last_seq);
      const newer = delivered.filter(({ seq }) => seq > page.last_seq);
      if (newer.some((event) => endsMembership(event, userId))) throw noConversation();
      socket.join(rooms); // in the turn in which `newer` was taken, so nothing falls between
      return { page: { ...page, events: [...page.events, ...newer], last_seq: deliverer.seq }, joined: true };
    } finally {
      deliverer.forget(delivered);
    }
  }

  /**
   * Joins the sender of a message before it is stored, so that it misses neither the message nor the answer's first
   * words. A conversation that is not there yet (`isNew`) is joined at its beginning.
   * @throws {ChatError} `not_found`
   */
  async joinSender(
    socket: Joiner,
    userId: string,
    conversationId: string,
    isNew: boolean,
    rooms: string[],
  ): Promise<void> {
    if (socket.rooms.has(conversationRoom(conversationId))) return;
    const last = await this.#store.conversations.lastSeq(userId, conversationId);
    if (last !== null) {
      await this.join(socket, userId, conversationId, null, rooms);
      return;
    }
    if (!isNew) throw noConversation(BEGIN_ONE);
    await this.#open(conversationId);
    socket.join(rooms); // no turn of the event loop since it was opened, so it cannot have been forgotten
  }

  /** A page of the log for a member. @throws {ChatError} `not_found` */
  async #page(userId: string, conversationId: string, afterSeq: number): Promise<EventPage> {
    const page = await this.#store.conversations.events(userId, conversationId, afterSeq, PAGE_EVENTS, PAGE_BYTES);
    if (!page) throw noConversation();
    return page;
  }

  /** The last seq of each conversation that this node delivers and that changed since the last call. */
  changedSinceHeartbeat(): Map<string, number> {
    const changed = new Map<string, number>();
    for (const deliverer of this.#deliverers.values()) {
      if (deliverer.seq === deliverer.heartbeatSeq) continue;
      deliverer.heartbeatSeq = deliverer.seq;
      changed.set(deliverer.conversationId, deliverer.seq);
    }
    return changed;
  }

  /** Forgets the conversations that no socket of this node has joined. */
  forgetUnused(): void {
    for (const [id, deliverer] of this.#deliverers) {
      if (!deliverer.isAwaited && !this.#isJoined(id)) this.#deliverers.delete(id);
    }
  }

  /** How many conversations this node delivers. */
  get size(): number {
    return this.#deliverers.size;
  }

  #isJoined(conversationId: string): boolean {
    return (
      this.#emitter.hasRoom(conversationRoom(conversationId)) ||
      this.#emitter.hasRoom(baseConversationRoom(conversationId))
    );
  }

  async #open(conversationId: string): Promise<ConversationDeliverer> {
    const known = this.#deliverers.get(conversationId);
    if (known) return known;
    let opening = this.#opening.get(conversationId);
    if (!opening) {
      opening = this.#store.log
        .lastSeq(conversationId)
        .then((seq) => this.#add(conversationId, Math.max(seq, this.#passed.get(conversationId) ?? 0)))
        .finally(() => {
          this.#opening.delete(conversationId);
          this.#passed.delete(conversationId);
        });
      this.#opening.set(conversationId, opening);
    }
    return opening;
  }

  #add(conversationId: string, seq: number): ConversationDeliverer {
    const deliverer = new ConversationDeliverer(conversationId, seq, {
      read: (id, afterSeq, limit) => this.#store.log.read(id, afterSeq, limit),
      deliver: (event) => this.#deliver(event),
      onError: (error) => {
        this.#log.error({ err: error, conversation_id: conversationId }, 'delivery failed; tried again');
        setTimeout(() => void deliverer.retry(), RETRY_MS).unref();
      },
    });
    this.#deliverers.set(conversationId, deliverer);
    return deliverer;
  }

  /** What another node tells. */
  receive(message: Exclude<BusMessage, { kind: 'revoked' }>): void {
    if (message.kind === 'event') this.#offer(message.event, message.members);
    else this.#emitStream(message.name as StreamName, message.payload as never);
  }

  /** Also without a joined socket a task's end has readers: the sender's base-layer sockets. */
  #offer(event: ConversationEvent, members: readonly string[]): void {
    const deliverer = this.#deliverers.get(event.conversation_id);
    if (deliverer && event.seq > deliverer.startedAt) deliverer.offer(event);
    else this.#deliverUnjoined(event);
    this.#hint(event, members);
  }

  /** Every event passes once: here, or through the deliverer, which begins above what passed here while it was opened. */
  #deliverUnjoined(event: ConversationEvent): void {
    if (this.#opening.has(event.conversation_id)) this.#passed.set(event.conversation_id, event.seq);
    const exchange = this.#exchanges.pass(event);
    if (!exchange) return;
    const pending = this.#endForBase(event, exchange);
    pending?.catch((error: unknown) => this.#log.error({ err: error }, 'delivery failed'));
  }

  #hint(event: ConversationEvent, members: readonly string[]): void {
    const rooms = members.map(userRoom).filter((room) => this.#emitter.hasRoom(room));
    if (rooms.length === 0) return;
    const payload = { conversation_id: event.conversation_id, seq: event.seq };
    this.#emitter.emit(rooms, 'conversation_changed', payload, [conversationRoom(event.conversation_id)]);
  }

  #emitStream<N extends StreamName>(name: N, payload: ExtendedServerPayload<N>): void {
    const room = streamRoom(payload.conversation_id);
    if (this.#emitter.hasRoom(room)) this.#emitter.emit([room], name, payload as never);
  }

  /** One event to all of this node's sockets that are to have it. */
  #deliver(event: ConversationEvent): Promise<void> | void {
    const room = conversationRoom(event.conversation_id);
    if (this.#emitter.hasRoom(room)) this.#emitter.emit([room], 'conversation_event', event);
    this.#evict(event);
    const exchange = this.#exchanges.pass(event);
    return exchange ? this.#endForBase(event, exchange) : undefined;
  }

  /** Whoever is no longer a member leaves with the event that says so, and sees nothing after it. */
  #evict(event: ConversationEvent): void {
    const { conversation_id } = event;
    if (event.type === 'member_left') {
      for (const own of [userRoom, baseUserRoom]) this.#emitter.leave(own(event.data.user_id), conversation_id);
    } else if (event.type === 'conversation_deleted') {
      for (const room of conversationRooms(conversation_id)) this.#emitter.leave(room, conversation_id);
    }
  }

  /** A task's end as the base layer tells it: `conversation`, or for the sender of a failed one `error`. */
  #endForBase(event: ConversationEvent, exchange: Exchange | Promise<Exchange | null>): Promise<void> | void {
    if (!(exchange instanceof Promise)) return this.#tellBase(event, exchange);
    return exchange.then((read) => (read ? this.#tellBase(event, read) : undefined));
  }

  /** Whoever asked and is no longer a member gets no answer. */
  #tellBase(event: ConversationEvent, exchange: Exchange): Promise<void> | void {
    const { id } = exchange.user_message.author;
    const isMember = this.#emitter.hasRoom(baseUserRoom(id)) && this.#isMember(event.conversation_id, id);
    if (!(isMember instanceof Promise)) return this.#emitForBase(event, exchange, isMember);
    return isMember.then((known) => this.#emitForBase(event, exchange, known));
  }

  #emitForBase(event: ConversationEvent, exchange: Exchange, isSenderThere: boolean): void {
    const sender = isSenderThere ? [baseUserRoom(exchange.user_message.author.id)] : [];
    const room = baseConversationRoom(event.conversation_id);
    if (event.type === 'task_deleted') {
      this.#emitter.emit(sender, 'error', failureOf({ id: exchange.task_id, status: 'cancelled', error: null }));
      return;
    }
    const end = endOf(event);
    if (!end || end.status === 'completed') {
      this.#emitter.emit([room, ...sender], 'conversation', exchange);
      return;
    }
    this.#emitter.emit(sender, 'error', failureOf(end));
    this.#emitter.emit([room], 'conversation', exchange, sender);
  }
}

/** Whether a user is no longer a member after this event. */
function endsMembership(event: ConversationEvent, userId: string): boolean {
  return event.type === 'conversation_deleted' || (event.type === 'member_left' && event.data.user_id === userId);
}

function failureOf(end: Pick<EndedTask, 'id' | 'status' | 'error'>): ExtendedServerPayload<'error'> {
  const code = end.error?.code ?? (end.status === 'cancelled' ? 'cancelled' : 'assistant_failed');
  return { message: end.error?.message ?? ERRORS[code].message, error: code, task_id: end.id };
}
