import { ERRORS, type AckAnswer, type BaseServerPayload, type ErrorCode } from '@tertulia/protocol';
import { io, type Socket } from 'socket.io-client';
import { printOf, type Entry } from './history.ts';
import { whereAndWho, type ClientSettings } from './outbox-client.ts';
import { recorder, type Record, type Told } from './recorder.ts';
import { until } from './until.ts';

/** After this time what was refused is asked again. */
const AGAIN_MS = 200;

/** A client that knows only the base layer: it sends once, and what is not answered when the connection breaks stays unknown. */
export class BaseClient {
  readonly name: string;
  readonly #settings: ClientSettings;
  readonly #record: Record;
  readonly #socket: Socket;
  readonly #unanswered = new Set<string>();
  /** Tasks on this connection: of messages that were acknowledged, and whose answer has come. */
  readonly #asked = new Set<string>();
  readonly #answered = new Set<string>();
  readonly #joined = new Set<string>();
  #connection = 0;
  #sent = 0;

  constructor(settings: ClientSettings, history: Entry[]) {
    this.name = settings.name;
    this.#settings = settings;
    this.#record = recorder(history, settings.name);
    this.#socket = io(settings.url, {
      auth: { token: settings.token },
      forceNew: true,
      reconnectionDelay: 100,
      reconnectionDelayMax: 1_000,
      ...(settings.polls ? {} : { transports: ['websocket'] }),
    });
    this.#listen();
  }

  /** Where it stands, for whoever waits for it in vain. */
  get state(): string {
    const state = this.#socket.connected ? 'connected' : 'not connected';
    return `${this.name} (${state}, connection ${this.#connection}, ${this.#joined.size} joined)`;
  }

  get isCaughtUp(): boolean {
    return this.#socket.connected && this.#joined.size === this.#settings.conversations.length;
  }

  get waiting(): number {
    return this.#unanswered.size;
  }

  #listen(): void {
    this.#socket.on('connected', () => {
      this.#connection += 1;
      this.#asked.clear();
      this.#answered.clear();
      this.#record({ kind: 'connected', connection: this.#connection, ...whereAndWho(this.#socket, this.#settings) });
      for (const conversation_id of this.#settings.conversations) this.#join(conversation_id, this.#connection);
    });
    this.#socket.on('disconnect', () => {
      this.#joined.clear();
      this.#record({ kind: 'disconnected', connection: this.#connection });
      for (const client_msg_id of this.#unanswered) this.#record({ kind: 'unknown', client_msg_id });
      this.#unanswered.clear();
    });
    this.#socket.on('conversation', (exchange: BaseServerPayload<'conversation'>) => {
      const { task_id, user_message, assistant_responses } = exchange;
      const print = printOf([user_message, ...assistant_responses]);
      this.#answered.add(task_id);
      this.#record({ kind: 'exchange', connection: this.#connection, task_id, print });
    });
    this.#socket.on('error', ({ task_id }: BaseServerPayload<'error'>) => {
      if (!task_id) return;
      this.#answered.add(task_id);
      this.#record({ kind: 'exchange_failed', connection: this.#connection, task_id });
    });
  }

  /** Asks again where it is refused for now. */
  #join(conversation_id: string, connection: number): void {
    if (connection !== this.#connection) return;
    this.#socket.emit('join_conversation', { conversation_id }, ({ ok }: AckAnswer<'join_conversation'>) => {
      if (ok) this.#joined.add(conversation_id);
      else setTimeout(() => this.#join(conversation_id, connection), AGAIN_MS);
    });
  }

  send(text: string, conversation_id: string | null): void {
    if (!this.#socket.connected) return;
    const client_msg_id = `${this.name}-${(this.#sent += 1)}`;
    const message = `${client_msg_id} ${text}`;
    const { user_id } = this.#settings;
    const connection = this.#connection;
    this.#record({ kind: 'invoke', client_msg_id, user_id, conversation_id, content: message });
    this.#unanswered.add(client_msg_id);
    this.#socket.emit('chat', { client_msg_id, conversation_id, message }, (answer: AckAnswer<'chat'>) => {
      this.#unanswered.delete(client_msg_id);
      if (!answer.ok) return this.#record(refusal(client_msg_id, answer.error.code));
      const { seq, task_id, user_message } = answer;
      this.#asked.add(task_id);
      const stored = { conversation_id: answer.conversation_id, seq, task_id, message_id: user_message.id };
      this.#record({ kind: 'ok', client_msg_id, connection, ...stored });
    });
  }

  /** Waits for the answers due on this connection, and records that the run ended on it. */
  async settle(milliseconds: number): Promise<void> {
    const allAnswered = () => this.#asked.isSubsetOf(this.#answered);
    await until(allAnswered, milliseconds, 'all answers').catch(() => undefined); // the checker finds what is missing
    for (const client_msg_id of this.#unanswered) this.#record({ kind: 'unknown', client_msg_id });
    this.#record({ kind: 'last_connection', connection: this.#connection });
  }

  close(): void {
    this.#socket.close();
  }
}

/** Where a repeat may help, the first try may have been stored. */
function refusal(client_msg_id: string, code: ErrorCode): Told {
  return ERRORS[code].retryable ? { kind: 'unknown', client_msg_id } : { kind: 'fail', client_msg_id, code };
}
