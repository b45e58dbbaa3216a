import { setTimeout as delay } from 'node:timers/promises';
import {
  ERRORS,
  type AckAnswer,
  type ClientEventName,
  type ConversationEvent,
  type ErrorCode,
  type EventPage,
} from '@tertulia/protocol';
import { io, type Socket } from 'socket.io-client';
import { printOf, type Entry, type Seen } from './history.ts';
import { recorder, type Record } from './recorder.ts';

/** Who connects, and what for. */
export interface ClientSettings {
  readonly name: string;
  readonly url: string;
  readonly token: string;
  readonly user_id: string;
  readonly conversations: readonly string[];
  /** The names that servers go by: a transport's id begins with one of them. */
  readonly nodes?: readonly string[];
  /** Starts with polling, as unmodified clients do, instead of with a websocket. */
  readonly polls?: boolean;
}

interface Unsent {
  readonly payload: {
    readonly client_msg_id: string;
    readonly conversation_id: string | null;
    readonly message: string;
  };
  tries: number;
}

interface Log {
  readonly events: Seen[];
  /** Came too early: while a join is under way, or after a gap. */
  readonly ahead: Map<number, Seen>;
}

const ASK_MS = 20_000;
/** After this time what was refused is asked again. */
const AGAIN_MS = 200;
const COME_BACK_MS = { reconnectionDelay: 100, reconnectionDelayMax: 1_000, randomizationFactor: 0.5 };

/**
 * A client of protocol 1 as the guarantees want it: messages wait in an outbox and are repeated with the same
 * client_msg_id until they are answered; after each return it joins with `after_seq` and has no gap.
 */
export class OutboxClient {
  readonly name: string;
  readonly #settings: ClientSettings;
  readonly #record: Record;
  readonly #socket: Socket;
  readonly #logs = new Map<string, Log>();
  readonly #outbox = new Map<string, Unsent>();
  #connection = 0;
  #sent = 0;
  #isCaughtUp = false;
  /** What went wrong while it came back, and was tried again. */
  readonly troubles: string[] = [];
  /** When everything missed was there again, one entry per connection. */
  readonly caughtUpAt: number[] = [];
  /** When this client first heard of each attempt at a task: `task_id attempt`. */
  readonly attemptSeenAt = new Map<string, number>();

  constructor(settings: ClientSettings, history: Entry[]) {
    this.name = settings.name;
    this.#settings = settings;
    this.#record = recorder(history, settings.name);
    for (const id of settings.conversations) this.#logOf(id);
    this.#socket = io(settings.url, {
      auth: { token: settings.token, protocol: 1 },
      forceNew: true,
      ...COME_BACK_MS,
      ...(settings.polls ? {} : { transports: ['websocket'] }),
    });
    this.#listen();
  }

  /** Where it stands, for whoever waits for it in vain. */
  get state(): string {
    const { node } = whereAndWho(this.#socket, this.#settings);
    const state = this.#socket.connected ? `connected to ${node}` : 'not connected';
    return `${this.name} (${state}, connection ${this.#connection}${this.troubles
      .slice(-2)
      .map((text) => `, ${text}`)
      .join('')})`;
  }

  get isCaughtUp(): boolean {
    return this.#isCaughtUp && this.#socket.connected;
  }

  /** Messages without an answer yet. */
  get waiting(): number {
    return this.#outbox.size;
  }

  #listen(): void {
    this.#socket.on('connected', () => {
      this.#connection += 1;
      this.#record({ kind: 'connected', connection: this.#connection, ...whereAndWho(this.#socket, this.#settings) });
      void this.#comeBack(this.#connection);
    });
    this.#socket.on('disconnect', () => {
      this.#isCaughtUp = false;
      this.#record({ kind: 'disconnected', connection: this.#connection });
    });
    this.#socket.on('connect_error', ({ message }) => this.troubles.push(message));
    this.#socket.on('conversation_event', (event: ConversationEvent) => this.#take(event, 'live'));
    this.#socket.on('response_start', ({ task_id, attempt }: Stream) => {
      this.#noteAttempt({ task_id, attempt });
      this.#record({ kind: 'stream_start', connection: this.#connection, task_id, attempt });
    });
    this.#socket.on('response_delta', (delta: Stream & { index: number; text: string }) => this.#takePiece(delta));
    this.#socket.on('response_end', ({ task_id, attempt, status }: Stream & { status: string }) =>
      this.#record({ kind: 'stream_end', connection: this.#connection, task_id, attempt, status }),
    );
  }

  async #comeBack(connection: number): Promise<void> {
    await Promise.all([...this.#logs.keys()].map((id) => this.#join(id, connection)));
    if (!this.#isOn(connection)) return;
    this.#isCaughtUp = true;
    this.caughtUpAt.push(performance.now());
    for (const unsent of this.#outbox.values()) this.#try(unsent);
  }

  /** Whether this connection still stands. One that has broken is followed by another, which begins anew. */
  #isOn(connection: number): boolean {
    return connection === this.#connection && this.#socket.connected;
  }

  async #join(conversationId: string, connection: number): Promise<void> {
    while (this.#isOn(connection)) {
      try {
        if (await this.#joinOnce(conversationId, connection)) return;
      } catch (error) {
        if (!this.#isOn(connection)) return;
        this.troubles.push(String(error));
        await delay(AGAIN_MS);
      }
    }
  }

  async #joinOnce(conversationId: string, connection: number): Promise<boolean> {
    const after_seq = this.lastSeq(conversationId);
    const page = await this.#ask('join_conversation', { conversation_id: conversationId, after_seq });
    this.#takePage(conversationId, page);
    const seq = page.events.at(-1)?.seq ?? after_seq;
    if (page.joined) this.#record({ kind: 'joined', connection, conversation_id: conversationId, seq });
    return page.joined;
  }

  #takePage(conversationId: string, page: EventPage): void {
    if (page.reset) throw new Error(`${this.name} has more of ${conversationId} than the server`);
    for (const event of page.events) this.#take(event, 'page');
    for (const { text, ...running } of page.running) {
      if (running.attempt > 0) this.#takePiece({ ...running, index: 0, text });
    }
  }

  #take(event: ConversationEvent, via: 'live' | 'page'): void {
    const { conversation_id, seq } = event;
    const seen = { seq, print: printOf(event) };
    this.#record({ kind: 'event', connection: this.#connection, conversation_id, via, ...seen });
    const log = this.#logOf(conversation_id);
    if (seq > (log.events.at(-1)?.seq ?? 0)) log.ahead.set(seq, seen);
    for (let next = log.ahead.get(this.lastSeq(conversation_id) + 1); next;) {
      log.ahead.delete(next.seq);
      log.events.push(next);
      next = log.ahead.get(next.seq + 1);
    }
  }

  #takePiece({ task_id, attempt, index, text }: Stream & { index: number; text: string }): void {
    this.#noteAttempt({ task_id, attempt });
    this.#record({ kind: 'piece', connection: this.#connection, task_id, attempt, index, text });
  }

  #noteAttempt({ task_id, attempt }: Stream): void {
    const key = `${task_id} ${attempt}`;
    if (!this.attemptSeenAt.has(key)) this.attemptSeenAt.set(key, performance.now());
  }

  #logOf(conversationId: string): Log {
    let log = this.#logs.get(conversationId);
    if (!log) this.#logs.set(conversationId, (log = { events: [], ahead: new Map() }));
    return log;
  }

  /** The last seq up to which this client has everything. */
  lastSeq(conversationId: string): number {
    return this.#logOf(conversationId).events.at(-1)?.seq ?? 0;
  }

  /** Puts a message into the outbox; its text follows its id. Without a conversation it opens one. */
  send(text: string, conversationId: string | null): void {
    const client_msg_id = `${this.name}-${(this.#sent += 1)}`;
    const message = `${client_msg_id} ${text}`;
    const { user_id } = this.#settings;
    this.#record({ kind: 'invoke', client_msg_id, user_id, conversation_id: conversationId, content: message });
    const unsent = { payload: { client_msg_id, conversation_id: conversationId, message }, tries: 0 };
    this.#outbox.set(client_msg_id, unsent);
    if (this.isCaughtUp) this.#try(unsent);
  }

  #try(unsent: Unsent): void {
    const { payload } = unsent;
    const { client_msg_id } = payload;
    if (unsent.tries > 0) this.#record({ kind: 'retry', client_msg_id });
    unsent.tries += 1;
    const connection = this.#connection;
    this.#socket.emit('chat', payload, (answer: AckAnswer<'chat'>) => {
      if (answer.ok) this.#acknowledged(client_msg_id, answer, connection);
      else void this.#refused(unsent, answer.error);
    });
  }

  #acknowledged(client_msg_id: string, answer: Extract<AckAnswer<'chat'>, { ok: true }>, connection: number): void {
    const { conversation_id, seq, task_id, user_message } = answer;
    const message_id = user_message.id;
    this.#record({ kind: 'ok', client_msg_id, connection, conversation_id, seq, message_id, task_id });
    this.#outbox.delete(client_msg_id);
    if (this.#logs.has(conversation_id)) return;
    this.#logOf(conversation_id);
    void this.#join(conversation_id, connection);
  }

  async #refused(unsent: Unsent, error: { code: ErrorCode; retry_after_ms?: number | undefined }): Promise<void> {
    const { client_msg_id } = unsent.payload;
    if (!ERRORS[error.code].retryable) {
      this.#record({ kind: 'fail', client_msg_id, code: error.code });
      this.#outbox.delete(client_msg_id);
      return;
    }
    this.#record({ kind: 'refused', client_msg_id, code: error.code });
    const connection = this.#connection;
    await delay(error.retry_after_ms ?? AGAIN_MS);
    if (this.isCaughtUp && connection === this.#connection) this.#try(unsent);
  }

  async #ask<E extends ClientEventName>(name: E, payload: object): Promise<Extract<AckAnswer<E>, { ok: true }>> {
    const answer = (await this.#socket.timeout(ASK_MS).emitWithAck(name, payload)) as AckAnswer<E>;
    if (!answer.ok) throw new Error(`${name}: ${answer.error.code}`);
    return answer;
  }

  /** Whether every task of its conversations has ended. */
  async isQuiet(): Promise<boolean> {
    const pages = await Promise.all(
      [...this.#logs.keys()].map((id) => this.#ask('sync', { conversation_id: id, after_seq: this.lastSeq(id) })),
    );
    return pages.every((page) => page.running.length === 0);
  }

  /** Waits until what came live reaches the logs' ends, and records what this client has. Asks for no page: a gap stays one. */
  async settle(milliseconds: number): Promise<void> {
    const deadline = performance.now() + milliseconds;
    for (const id of this.#logs.keys()) {
      const { last_seq } = await this.#ask('sync', { conversation_id: id, after_seq: this.lastSeq(id) });
      while (this.lastSeq(id) < last_seq && performance.now() < deadline) await delay(20);
    }
    for (const [conversation_id, { events }] of this.#logs) {
      this.#record({ kind: 'view', connection: this.#connection, conversation_id, events });
    }
    for (const client_msg_id of this.#outbox.keys()) this.#record({ kind: 'unknown', client_msg_id });
  }

  close(): void {
    this.#socket.close();
  }
}

/** The node at the other end, as the transport's id tells it, and the user at this one. */
export function whereAndWho(socket: Socket, { nodes = [], user_id }: ClientSettings) {
  const id = (socket.io.engine as { id?: string }).id ?? '';
  return { node: nodes.find((name) => id.startsWith(name)) ?? null, user_id };
}

interface Stream {
  readonly task_id: string;
  readonly attempt: number;
}
