import { io } from '/static/socket.io.esm.min.js';
import { createSignal } from './signal.js';
import { RefusalError, refusalOf, sentenceOfDisconnect } from './refusals.js';

/**
 * @typedef {'disconnected' | 'connecting' | 'connected' | 'reconnecting' | 'refused'} ConnectionState
 * @typedef {{protocol: 'base' | '1', transports: string[]}} ConnectionOptions
 * @typedef {{name: string, payload: any}} Incoming
 */

const ACK_TIMEOUT_MS = 10_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
/** Refusals that a renewed login may mend. */
const RENEWABLE = new Set(['unauthorized', 'auth_expired', 'expired']);
/** Refusals that pass by themselves. */
const PASSING = new Set(['rate_limited', 'unavailable', 'shutting_down', 'slow_consumer']);
/** Errors after which the server closes; any other `error` tells nothing about a later end. */
const CLOSING = new Set(['unauthorized', 'auth_expired', 'replaced', 'slow_consumer', 'shutting_down']);

/**
 * One Socket.IO connection with its state. Reconnecting is done here rather than by the client library, so that the
 * wait can be shown and cut short.
 */
export class Connection {
  /** @type {ConnectionState} */
  state = 'disconnected';
  /** Why it is in this state, as a sentence, or empty. */
  reason = '';
  /** When the next try comes, in Unix milliseconds. @type {number | null} */
  retryAt = null;
  /** Payload of `connected`. @type {any} */
  welcome = null;
  /** @type {ConnectionOptions} */
  options = { protocol: '1', transports: ['polling', 'websocket'] };

  #session;
  #log;
  #changed = createSignal();
  /** @type {ReturnType<typeof createSignal<Incoming>>} */
  #received = createSignal();
  /** @type {import('socket.io-client').Socket | null} */
  #socket = null;
  /** The token of the handshake. */
  #usedToken = '';
  #tries = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** The last `error` or `session_expired`, which tells why the server closes. @type {any} */
  #lastError = null;
  /** @type {number | null} */
  #askedWait = null;
  /** A token is renewed once for one refusal; a second refusal is final. */
  #renewedForRefusal = false;

  /**
   * @param {import('./session.js').Session} session
   * @param {import('./event-log.js').EventLog} log
   */
  constructor(session, log) {
    this.#session = session;
    this.#log = log;
    session.onRenewed(() => void this.#useRenewedToken());
    window.addEventListener('online', () => this.retryNow());
  }

  get isConnected() {
    return this.state === 'connected';
  }

  get isExtended() {
    return this.options.protocol === '1';
  }

  /** Whether there is something to disconnect. */
  get isActive() {
    return ['connecting', 'connected', 'reconnecting'].includes(this.state);
  }

  /** `polling` or `websocket`, or empty while there is none. */
  get transport() {
    return this.#socket?.io.engine?.transport.name ?? '';
  }

  /** @param {() => void} listener */
  onChange(listener) {
    this.#changed.on(listener);
  }

  /** @param {(event: Incoming) => void} listener for each event of the server's */
  onEvent(listener) {
    this.#received.on(listener);
  }

  /** Resolves once it is known whether a connection that is being made came about. */
  async settled() {
    while (this.state === 'connecting') await new Promise((resolve) => this.#changed.once(resolve));
  }

  /** @param {ConnectionOptions} options */
  connect(options) {
    this.#drop();
    this.options = options;
    this.#tries = 0;
    this.#renewedForRefusal = false;
    this.#open();
  }

  disconnect() {
    this.#drop();
    this.#become('disconnected');
  }

  /** Tries again at once instead of waiting. */
  retryNow() {
    if (this.state !== 'reconnecting') return;
    this.#drop();
    this.#open();
  }

  /**
   * Sends an event and answers what the server acknowledged.
   *
   * @param {string} name
   * @param {object} payload
   * @returns {Promise<any>}
   * @throws {RefusalError}
   */
  async send(name, payload) {
    const socket = this.#socket;
    if (!socket?.connected) throw new RefusalError('not_connected', 'Not connected. Connect first.');
    const answer = await socket
      .timeout(ACK_TIMEOUT_MS)
      .emitWithAck(name, payload)
      .catch(() => {
        throw new RefusalError('no_answer', 'The server did not confirm this. It may have arrived all the same.');
      });
    this.#log.add('in', `${name} (ack)`, answer);
    if (answer?.ok === false) throw refusalOf(answer.error);
    return answer;
  }

  #open() {
    const token = this.#session.tokens?.accessToken ?? '';
    const auth = this.isExtended ? { token, protocol: 1, language: navigator.language } : { token };
    const socket = io({ transports: this.options.transports, auth, reconnection: false, forceNew: true });
    this.#socket = socket;
    this.#usedToken = token;
    this.#become(this.#tries > 0 ? 'reconnecting' : 'connecting', this.reason);
    this.#log.add('out', 'connect', { transports: this.options.transports, auth });
    this.#listen(socket);
  }

  /** @param {import('socket.io-client').Socket} socket */
  #listen(socket) {
    socket.onAny((name, payload) => {
      this.#log.add('in', name, payload);
      this.#receive(name, payload);
    });
    socket.onAnyOutgoing((name, payload) => this.#log.add('out', name, payload));
    socket.on('connect', () => {
      this.#log.add('in', 'connect', { transport: this.transport });
      socket.io.engine.on('upgrade', () => {
        this.#log.add('in', 'upgrade', { transport: this.transport });
        this.#changed.emit();
      });
    });
    socket.on('connect_error', (/** @type {Error & {data?: any}} */ error) => {
      this.#log.add('in', 'connect_error', { message: error.message, data: error.data });
      // The client library gives a refused socket up, and keeps one active that only found no server.
      void this.#lost(socket.active ? null : { code: error.message, ...error.data });
    });
    socket.on('disconnect', (reason) => {
      this.#log.add('in', 'disconnect', { reason });
      if (reason === 'io server disconnect') void this.#lost(this.#lastError ?? { code: 'closed' });
      else void this.#lost(null, sentenceOfDisconnect(reason));
    });
  }

  /**
   * @param {string} name
   * @param {any} payload
   */
  #receive(name, payload) {
    if (name === 'connected') this.#welcomed(payload);
    // The more exact `session_expired` comes first where both do.
    if (name === 'error' && CLOSING.has(payload?.error)) this.#lastError ??= payload;
    if (name === 'session_expired') this.#lastError = { code: payload?.reason };
    if (name === 'server_shutdown') this.#askedWait = Number(payload?.reconnect_after_ms) || 0;
    this.#received.emit({ name, payload });
  }

  /** @param {any} payload */
  #welcomed(payload) {
    this.#tries = 0;
    this.#lastError = null;
    this.#renewedForRefusal = false;
    this.welcome = payload;
    this.#become('connected');
  }

  /**
   * The connection ended or was never made. A refusal is final unless a renewed login or waiting can help.
   *
   * @param {any} refusal
   * @param {string} [reason]
   */
  async #lost(refusal, reason = 'The server cannot be reached.') {
    this.#drop();
    if (!refusal) return this.#wait(this.#askedWait === null ? reason : 'The server is restarting.');
    const error = refusalOf(refusal);
    if (PASSING.has(error.code)) return this.#wait(error.message, error.retryAfterMs ?? 0);
    if (RENEWABLE.has(error.code) && !this.#renewedForRefusal && (await this.#hasNewToken())) return this.#open();
    if (!this.#socket) this.#become('refused', error.message);
  }

  /** Whether there is another token to come back with: one renewed meanwhile, or one that is renewed now. */
  async #hasNewToken() {
    this.#renewedForRefusal = true;
    this.#become('connecting', 'Renewing the login.');
    const renewed = this.#session.tokens?.accessToken !== this.#usedToken || (await this.#session.renew());
    return renewed && this.state === 'connecting' && !this.#socket;
  }

  /**
   * @param {string} reason
   * @param {number} [asked]
   */
  #wait(reason, asked = this.#askedWait ?? 0) {
    const backoff = Math.min(FIRST_WAIT_MS * 2 ** this.#tries, LONGEST_WAIT_MS);
    // Spread, so that a restart is not met by everybody at the same moment.
    const wait = Math.max(asked, backoff) * (0.75 + Math.random() / 2);
    this.#askedWait = null;
    this.#tries += 1;
    this.#become('reconnecting', reason, Date.now() + wait);
    this.#timer = setTimeout(() => this.#open(), wait);
  }

  /** A socket of protocol 1 takes the new token at once; one of the base layer is closed at its end and comes back with it. */
  async #useRenewedToken() {
    if (!this.isConnected || !this.isExtended) return;
    const token = this.#session.tokens?.accessToken;
    try {
      await this.send('auth_refresh', { token });
    } catch {
      // Where this fails the server ends the login in time, and the reconnect uses the new token.
    }
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#socket?.off();
    this.#socket?.offAny();
    this.#socket?.disconnect();
    this.#socket = null;
  }

  /**
   * @param {ConnectionState} state
   * @param {string} [reason]
   * @param {number | null} [retryAt]
   */
  #become(state, reason = '', retryAt = null) {
    this.state = state;
    this.reason = reason;
    this.retryAt = retryAt;
    this.#changed.emit();
  }
}
