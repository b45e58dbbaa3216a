import { withWait } from './api.js';

/** Why the server did not do what was asked, or that no answer came. `message` is a sentence for people. */
export class RefusalError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number | null} [retryAfterMs]
   */
  constructor(code, message, retryAfterMs = null) {
    super(message);
    this.name = 'RefusalError';
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Sentences for codes that arrive without one. @type {Record<string, string>} */
const SENTENCES = {
  unauthorized: 'The server refused the access token. Log in, or paste a valid one.',
  auth_expired: 'Your login has ended. Log in again.',
  expired: 'Your login has ended. Log in again.',
  revoked: 'This login was ended, here or on another device. Log in again.',
  closed: 'The server closed the connection.',
};

/** @type {Record<string, string>} */
const DISCONNECTS = {
  'ping timeout': 'The server stopped answering.',
  'transport close': 'The connection was closed.',
  'transport error': 'The connection broke.',
  'parse error': 'The server sent something unreadable.',
};

/**
 * The error of an acknowledgement, an `error` event or a refused handshake.
 *
 * @param {any} error
 */
export function refusalOf(error) {
  const code = String(error?.code ?? error?.error ?? 'closed');
  const sentence = typeof error?.message === 'string' ? error.message : (SENTENCES[code] ?? `Refused: ${code}.`);
  const retryAfterMs = typeof error?.retry_after_ms === 'number' ? error.retry_after_ms : null;
  return new RefusalError(code, withReference(withWait(sentence, retryAfterMs), error?.reference), retryAfterMs);
}

/** @param {string} reason of Socket.IO's `disconnect` */
export function sentenceOfDisconnect(reason) {
  return DISCONNECTS[reason] ?? 'The connection was lost.';
}

/**
 * @param {string} sentence
 * @param {unknown} reference
 */
function withReference(sentence, reference) {
  return typeof reference === 'string' ? `${sentence} (reference ${reference})` : sentence;
}
