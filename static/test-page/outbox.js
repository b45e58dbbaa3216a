import { createSignal } from './signal.js';

/**
 * @typedef {object} OutboxEntry
 * @property {string} clientMsgId made once: a retry repeats it, and the server knows the message by it
 * @property {string} conversationId empty for a message that makes a conversation
 * @property {string} text
 * @property {Record<string, unknown>} metadata
 * @property {number} afterSeq the last seq that was known when it was written
 * @property {Date} time
 * @property {'sending' | 'failed'} state
 * @property {string} problem
 */

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
   * @param {number} afterSeq
   */
  add(conversationId, text, metadata, afterSeq) {
    const made = { clientMsgId: makeId(), time: new Date(), state: /** @type {const} */ ('sending'), problem: '' };
    const entry = { ...made, conversationId, text, metadata, afterSeq };
    // The first message makes the conversation that the second belongs to, so that one waits for its id.
    const isMaking = conversationId === '' && this.entriesOf('').length > 0;
    this.#entries.push(entry);
    if (isMaking) this.#changed.emit();
    else void this.retry(entry);
  }

  /**
   * The conversation that the first message made has its id: what was written after it goes there.
   *
   * @param {string} conversationId
   */
  adopt(conversationId) {
    for (const entry of this.entriesOf('')) {
      entry.conversationId = conversationId;
      void this.retry(entry);
    }
  }

  /** @param {OutboxEntry} entry */
  async retry(entry) {
    entry.state = 'sending';
    entry.problem = '';
    this.#changed.emit();
    try {
      const ack = await this.#connection.send('chat', payloadOf(entry));
      this.#remove(entry);
      this.#accepted.emit({ entry, ack });
    } catch (error) {
      this.#failed(entry, error instanceof Error ? error.message : String(error));
    }
    this.#changed.emit();
  }

  /** @param {OutboxEntry} entry */
  discard(entry) {
    this.#remove(entry);
    this.#changed.emit();
  }

  clear() {
    this.#entries = [];
    this.#changed.emit();
  }

  /**
   * @param {OutboxEntry} entry
   * @param {string} problem
   */
  #failed(entry, problem) {
    const failed = entry.conversationId === '' ? this.entriesOf('') : [entry];
    for (const one of failed) {
      one.state = 'failed';
      one.problem = one === entry ? problem : 'It waits for the message before it.';
    }
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
