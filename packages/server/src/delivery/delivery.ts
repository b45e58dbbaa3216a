import type { ConversationEvent, EventPage, ExtendedServerPayload } from '@tertulia/protocol';
import type { Logger } from '../log.ts';
import type { Concerned } from '../store/conversation-log.ts';
import { endOf, startOf, type LogHead, type Store } from '../store/store.ts';
import { AwaitedTasks } from './awaited-tasks.ts';
import { BaseAnswers } from './base-answers.ts';
import { conversationTopic, userTopic, type Bus, type BusMessage } from './bus.ts';
import type { Emitter, Joiner } from './emitter.ts';
import { FollowedConversations } from './followed-conversations.ts';
import { LogPages } from './log-pages.ts';
import { endsMembership } from './membership.ts';
import { BEGIN_ONE, noConversation } from './no-conversation.ts';
import { PAGE_EVENTS } from './page-bounds.ts';
import {
  baseConversationRoom,
  baseUserRoom,
  conversationRoom,
  conversationRooms,
  streamRoom,
  userRoom,
} from './rooms.ts';

type EventMessage = Extract<BusMessage, { kind: 'event' }>;
type StreamName = 'response_start' | 'response_delta' | 'response_end';

/** A joined conversation: its page of the log, and whether live events follow it without a gap. */
export interface Joined {
  readonly page: EventPage;
  readonly joined: boolean;
}

/** What delivery works with. */
export interface DeliveryParts {
  readonly store: Store;
  readonly emitter: Emitter;
  readonly bus: Bus;
  readonly log: Logger;
  /** Whether a user is a member of a conversation after event `seq`, or by now; at once where it is known. */
  isMember(conversationId: string, userId: string, seq: number): boolean | Promise<boolean>;
  /** What a member may know of a log's end, where it is known without the database. */
  knownHead(conversationId: string, userId: string): LogHead | null;
  /** Told of what other nodes appended before it is delivered. */
  onRemote(event: ConversationEvent): void;
  /** Told of awaited tasks that are over, also where no event said so: their conversation was deleted, or somebody looked. */
  onOver(taskIds: readonly string[]): void;
}

/** Brings what was committed to this node's sockets, in order, and what is streamed as it comes. */
export class Delivery {
  /** Tasks whose end somebody on this node awaits. */
  readonly awaited: AwaitedTasks;
  readonly #parts: DeliveryParts;
  readonly #store: Store;
  readonly #emitter: Emitter;
  readonly #bus: Bus;
  readonly #followed: FollowedConversations;
  readonly #baseAnswers: BaseAnswers;
  readonly #pages: LogPages;
  /** Events that this node appended, while anything holds them. */
  readonly #own = new WeakSet<ConversationEvent>();
  /** Whose open task an event ends. */
  readonly #askers = new WeakMap<ConversationEvent, string>();

  constructor(parts: DeliveryParts) {
    const { store, emitter, bus, log } = parts;
    this.#parts = parts;
    this.#store = store;
    this.#emitter = emitter;
    this.#bus = bus;
    this.#followed = new FollowedConversations({
      store: store.log,
      bus,
      log,
      deliver: (event) => this.#deliver(event),
      onForgotten: (conversationId) => this.#pages.forget(conversationId),
    });
    this.awaited = new AwaitedTasks({
      ...parts,
      isShared: bus.isShared,
      tasks: store.tasks,
      follow: (conversationId) => this.#followed.open(conversationId),
    });
    this.#pages = new LogPages({ ...parts, conversations: store.conversations });
    this.#baseAnswers = new BaseAnswers({ ...parts, readExchange: (taskId) => store.tasks.exchange(taskId) });
  }

  /** Begins to look for what the bus loses. */
  begin(): void {
    this.#followed.begin();
  }

  close(): void {
    this.#followed.close();
  }

  /** Reads what the bus may have lost of all that this node delivers. */
  tail(): Promise<void> {
    return this.#followed.tail();
  }

  /** An event that this node appended: its sockets get it now, other nodes by the bus. */
  committed(event: ConversationEvent, { members, asker }: Concerned): void {
    const { conversation_id, seq } = event;
    if (this.#bus.isShared) this.#claimAsOwn(event);
    this.#pass(event, asker);
    this.#hint(members, conversation_id, seq);
    if (!this.#bus.isShared) return;
    const topics = [conversationTopic(conversation_id), ...(asker === null ? [] : [userTopic(asker)])];
    this.#bus.publish(topics, { kind: 'event', conversation_id, seq, event, asker });
    for (const user_id of members) {
      this.#bus.publish([userTopic(user_id)], { kind: 'changed', user_id, conversation_id, seq });
    }
  }

  /** Whoever asked here hears the end, whichever node answers. */
  #claimAsOwn(event: ConversationEvent): void {
    this.#own.add(event);
    const started = startOf(event);
    if (!started || endOf(event)) return;
    this.awaited.add(event.conversation_id, started.id, started.user_id);
    this.#followed.openFrom(event.conversation_id, event.seq - 1);
  }

  /** Called when one of a user's sockets has come, so that this node hears what concerns its user. */
  userCame(userId: string): void {
    void this.#bus.follow(userTopic(userId));
  }

  /** Called when one of a user's sockets has gone. */
  userWent(userId: string): void {
    const isThere = this.#emitter.hasRoom(userRoom(userId)) || this.#emitter.hasRoom(baseUserRoom(userId));
    if (!isThere) this.#bus.unfollow(userTopic(userId));
  }

  /** A piece of an answer, for whoever has joined; never stored, never waited for. */
  stream<N extends StreamName>(name: N, payload: ExtendedServerPayload<N>): void {
    this.#emitStream(name, payload);
    if (!this.#bus.isShared) return;
    const { conversation_id } = payload;
    this.#bus.publish([conversationTopic(conversation_id)], { kind: 'stream', conversation_id, name, payload });
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
    const head = await this.#pages.head(userId, conversationId);
    if (!head) throw noConversation();
    const deliverer = await this.#followed.open(conversationId);
    const delivered = deliverer.collect();
    try {
      const read = await this.#pages.pageBelow(head, userId, conversationId, afterSeq ?? head.last_seq);
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
    const isThere = (await this.#pages.head(userId, conversationId)) !== null;
    if (isThere) return void (await this.join(socket, userId, conversationId, null, rooms));
    if (!isNew) throw noConversation(BEGIN_ONE);
    await this.#followed.open(conversationId);
    socket.join(rooms); // no turn of the event loop since it was opened, so it cannot have been forgotten
  }

  /** A page of the log above `afterSeq` for a member, without joining. @throws {ChatError} `not_found` */
  page(userId: string, conversationId: string, afterSeq: number, limit = PAGE_EVENTS): Promise<EventPage> {
    return this.#pages.page(userId, conversationId, afterSeq, limit);
  }

  /** The last seq of each conversation that this node delivers and that changed since the last call. */
  changedSinceHeartbeat(): Map<string, number> {
    return this.#followed.changedSinceHeartbeat();
  }

  /** Forgets the conversations that no socket of this node has joined and in which nobody awaits an answer. */
  forgetUnused(): void {
    this.#followed.forgetUnless(
      (id) =>
        this.awaited.has(id) ||
        this.#emitter.hasRoom(conversationRoom(id)) ||
        this.#emitter.hasRoom(baseConversationRoom(id)),
    );
  }

  /** How many conversations this node delivers. */
  get size(): number {
    return this.#followed.size;
  }

  /** What another node tells. */
  receive(message: Exclude<BusMessage, { kind: 'revoked' | 'renamed' | 'due' | 'node' }>): void {
    if (message.kind === 'stream') this.#emitStream(message.name as StreamName, message.payload as never);
    else if (message.kind === 'changed') this.#hint([message.user_id], message.conversation_id, message.seq);
    else if (message.event) this.#pass(message.event, message.asker);
    else this.#fetch(message).catch((error: unknown) => this.#followed.failed(error, message.conversation_id));
  }

  #pass(event: ConversationEvent, asker: string | null): void {
    if (asker !== null) this.#askers.set(event, asker);
    this.#offer(event);
  }

  /** An event that was too large for the bus. */
  async #fetch({ conversation_id, seq, asker }: EventMessage): Promise<void> {
    const deliverer = this.#followed.get(conversation_id);
    if (deliverer) return deliverer.catchUp(seq);
    const [event] = await this.#store.log.read(conversation_id, seq - 1, 1);
    if (event) this.#pass(event, asker);
  }

  /** Also without a joined socket a task's end has readers: the sender's base-layer sockets. */
  #offer(event: ConversationEvent): void {
    const deliverer = this.#followed.delivererOf(event);
    if (deliverer) deliverer.offer(event);
    else this.#deliverUnjoined(event);
  }

  /** Every event passes once: here, or through the deliverer, which begins above what passed here while it was opened. */
  #deliverUnjoined(event: ConversationEvent): void {
    if (!this.#followed.passes(event)) return;
    this.#note(event);
    this.#tellBase(event)?.catch((error: unknown) => this.#followed.failed(error, event.conversation_id));
  }

  /** Every event is noted once, before it is emitted. */
  #note(event: ConversationEvent): void {
    const asker = this.awaited.askerOf(event); // what the log tells does not say it
    if (asker !== null) this.#askers.set(event, asker);
    const over = this.awaited.pass(event);
    if (!this.#bus.isShared || this.#own.has(event)) return;
    this.#parts.onRemote(event);
    this.#parts.onOver(over);
  }

  /** Whoever has joined the conversation has the event itself. */
  #hint(userIds: readonly string[], conversation_id: string, seq: number): void {
    const rooms = userIds.map(userRoom).filter((room) => this.#emitter.hasRoom(room));
    if (rooms.length === 0) return;
    this.#emitter.emit(rooms, 'conversation_changed', { conversation_id, seq }, [conversationRoom(conversation_id)]);
  }

  #emitStream<N extends StreamName>(name: N, payload: ExtendedServerPayload<N>): void {
    const room = streamRoom(payload.conversation_id);
    if (this.#emitter.hasRoom(room)) this.#emitter.emit([room], name, payload as never);
  }

  /** One event to all of this node's sockets that are to have it. */
  #deliver(event: ConversationEvent): Promise<void> | void {
    this.#note(event);
    this.#pages.pass(event);
    const room = conversationRoom(event.conversation_id);
    if (this.#emitter.hasRoom(room)) this.#emitter.emit([room], 'conversation_event', event);
    this.#evict(event);
    return this.#tellBase(event);
  }

  #tellBase(event: ConversationEvent): Promise<void> | void {
    return this.#baseAnswers.pass(event, this.#askers.get(event) ?? null);
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
}
