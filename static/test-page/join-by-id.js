import { ApiError } from './api.js';
import { RefusalError } from './refusals.js';

const UNKNOWN = 'No conversation with this id, or you are not a member.';
/** What the server says of an id that is nobody's, another's, or not even one. */
const UNKNOWN_CODES = new Set(['not_found', 'invalid_payload']);

/**
 * Whether one may join the conversation with this id: the socket asks the server, before anything on the page changes.
 *
 * @param {import('./connection.js').Connection} connection
 * @param {string} id
 * @returns {Promise<string>} what is wrong, as a sentence, or empty
 */
export async function joinProblem(connection, id) {
  try {
    await connection.send('join_conversation', { conversation_id: id });
    return '';
  } catch (error) {
    if (error instanceof RefusalError && UNKNOWN_CODES.has(error.code)) return UNKNOWN;
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Whether the server no longer has this conversation for this login.
 *
 * @param {import('./session.js').Session} session
 * @param {string} id
 */
export async function isGone(session, id) {
  try {
    await session.ask(`conversations/${encodeURIComponent(id)}`);
    return false;
  } catch (error) {
    return error instanceof ApiError && error.status === 404;
  }
}
