import { RefusalError } from './refusals.js';
import { createSignal } from './signal.js';

/**
 * @typedef {object} OutboxEntry
 * @property {string} clientMsgId made once: a retry repeats it, and the server knows the message by it
 * @property {string} conversationId empty for a message that makes a conversation
 * @property {string} text
 * @property {Record<string, unknown>} metadata
 * @property {Date} time
 * @property {'sending' | 'waiting' | 'failed'} state `waiting` for the message before it, which makes the conversation
 * @property {string} code of the failure
 * @property {string} problem
 */

const NOT_CONNECTED = 'not_connected';
/** Failed only because the message before it did. */
const HELD_UP = 'held_up';

/** One's own messages until the server has confirmed them. */
export class Outbox {
  /** @type {OutboxEntry[]} */
  #entries = [];
  #connection;
  #changed = createSignal();
  /** @type {ReturnType<typeof createSignal<{entry: OutboxEntry, ack: any}>>} */
  #accepted = createSignal();

  /** @param {import('./connection.js').Connection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /** @param {() => void} listener */
  onChange(listener) {
    this.#changed.on(listener);
  }

  /** @param {(accepted: {entry: OutboxEntry, ack: any}) => void} listener */
  onAccepted(listener) {
    this.#accepted.on(listener);
  }

  /**
   * What is on its way to a conversation, oldest first.
   *
   * @param {string} conversationId
   */
  entriesOf(conversationId) {
    return this.#entries.filter((entry) => entry.conversationId === conversationId);
  }

  /**
   * @param {string} conversationId
   * @param {string} text
   * @param {Record<string, unknown>} metadata
   */
  add(conversationId, text, metadata) {
    const state = /** @type {const} */ ('waiting');
    const made = { clientMsgId: makeId(), time: new Date(), state, code: '', problem: '' };
    const entry = { ...made, conversationId, text, metadata };
    this.#entries.push(entry);
    void this.retry(entry);
  }

  /**
   * The conversation that the first message made has its id: what was written after it goes there.
   *
   * @param {string} conversationId
   */
  adopt(conversationId) {
    for (const entry of this.entriesOf('')) {
      // Was it stored after all, then in a conversation of its own: there a repeat belongs.
      if (entry.code === 'no_answer') continue;
      entry.conversationId = conversationId;
      if (entry.state === 'waiting' || entry.code === HELD_UP) void this.retry(entry);
    }
  }

  /** A connection is there: what only lacked one is sent. */
  connected() {
    for (const entry of this.#entries) if (entry.code === NOT_CONNECTED) void this.retry(entry);
  }

  /** @param {OutboxEntry} entry */
  async retry(entry) {
    // The first message makes the conversation that the second belongs to, so that one waits for its id.
    const isMaking = entry.conversationId === '' && this.entriesOf('').some(({ state }) => state === 'sending');
    Object.assign(entry, { state: isMaking ? 'waiting' : 'sending', code: '', problem: '' });
    this.#changed.emit();
    if (isMaking) return;
    try {
      const ack = await this.#connection.send('chat', payloadOf(entry));
      this.#remove(entry);
      this.#accepted.emit({ entry, ack });
    } catch (error) {
      this.#failed(entry, error);
    }
    this.#changed.emit();
  }

  /** @param {OutboxEntry} entry */
  discard(entry) {
    this.#remove(entry);
    const next = this.#entries.find(({ conversationId, code }) => conversationId === '' && code === HELD_UP);
    if (entry.conversationId === '' && next) void this.retry(next);
    this.#changed.emit();
  }

  clear() {
    this.#entries = [];
    this.#changed.emit();
  }

  /**
   * @param {OutboxEntry} entry
   * @param {unknown} error
   */
  #failed(entry, error) {
    const code = error instanceof RefusalError ? error.code : '';
    const reason = error instanceof Error ? error.message : String(error);
    const problem = code === NOT_CONNECTED ? 'Not connected. It is sent once you are.' : reason;
    Object.assign(entry, { state: 'failed', code, problem });
    if (entry.conversationId !== '') return;
    const held = { state: 'failed', code: HELD_UP, problem: 'It waits for the message before it.' };
    for (const one of this.entriesOf('')) if (one.state === 'waiting') Object.assign(one, held);
  }

  /** @param {OutboxEntry} entry */
  #remove(entry) {
    this.#entries = this.#entries.filter((other) => other !== entry);
  }
}

/** @param {OutboxEntry} entry */
function payloadOf({ text, conversationId, metadata, clientMsgId }) {
  return {
    message: text,
    ...(conversationId === '' ? {} : { conversation_id: conversationId }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    client_msg_id: clientMsgId,
  };
}

/** 128 random bits; `crypto.randomUUID` is absent on plain HTTP from another machine. */
function makeId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
