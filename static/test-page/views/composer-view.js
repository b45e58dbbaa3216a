import { byId } from '../dom.js';

/** The part of the longest message from which on its characters are counted. */
const COUNTED_FROM = 0.9;

/**
 * Writes and sends: Enter sends, Shift+Enter begins a line.
 *
 * @param {import('../conversation.js').OpenConversation} conversation
 * @param {import('../connection.js').Connection} connection
 * @param {import('../session.js').Session} session
 */
export function setUpComposer(conversation, connection, session) {
  const form = /** @type {HTMLFormElement} */ (byId('composer'));
  const message = /** @type {HTMLTextAreaElement} */ (byId('message'));
  message.addEventListener('keydown', (event) => {
    // While a word is being composed, Enter accepts the word.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  message.addEventListener('input', () => {
    fit(message);
    renderLength(message, connection);
  });
  connection.onChange(() => {
    renderHint(connection, session);
    renderLength(message, connection);
  });
  session.onChange(() => renderHint(connection, session));
  renderHint(connection, session);
  byId('metadata').addEventListener('input', () => readMetadata());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const metadata = readMetadata();
    if (metadata === null) {
      /** @type {HTMLDetailsElement} */ (byId('metadata-details')).open = true;
      byId('metadata').focus();
      return;
    }
    if (message.value.trim() === '' || isTooLong(message, connection)) {
      message.focus();
      return;
    }
    conversation.say(message.value, metadata);
    message.value = '';
    fit(message);
    renderLength(message, connection);
    message.focus();
  });
}

/**
 * The longest message that the server takes, as protocol 1 tells it; on the base layer only the server knows.
 *
 * @param {import('../connection.js').Connection} connection
 */
function lengthLimit({ welcome }) {
  return Number(welcome?.limits?.message_code_points ?? Infinity);
}

/**
 * @param {HTMLTextAreaElement} field
 * @param {import('../connection.js').Connection} connection
 */
function isTooLong({ value }, connection) {
  return codePoints(value) > lengthLimit(connection);
}

/**
 * Counts once the limit is near, and says how much is too much.
 *
 * @param {HTMLTextAreaElement} field
 * @param {import('../connection.js').Connection} connection
 */
function renderLength(field, connection) {
  const limit = lengthLimit(connection);
  const length = codePoints(field.value);
  const count = `${length.toLocaleString()} of ${limit.toLocaleString()} characters`;
  const excess = length - limit;
  const problem = excess > 0 ? `: ${excess.toLocaleString()} too many to be sent` : '';
  const node = byId('message-length');
  node.textContent = length < limit * COUNTED_FROM ? '' : count + problem;
  node.classList.toggle('bad', excess > 0);
  if (excess > 0) field.setAttribute('aria-invalid', 'true');
  else field.removeAttribute('aria-invalid');
}

/**
 * Limits are in code points: an emoji is one, where `length` says two.
 *
 * @param {string} text
 */
function codePoints(text) {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

/**
 * What stands beside Send: what is missing before anything can be sent, or which key does it.
 *
 * @param {import('../connection.js').Connection} connection
 * @param {import('../session.js').Session} session
 */
function renderHint({ isConnected, isActive }, { tokens }) {
  const missing = tokens ? 'Connect first' : 'Log in and connect first';
  const text = isActive ? 'Waits for the connection' : missing;
  const node = byId('composer-hint');
  node.textContent = isConnected ? 'Enter sends, Shift+Enter begins a new line' : text;
  node.classList.toggle('missing', !isConnected);
}

/**
 * The metadata field's object, or null where it holds none; what is wrong stands below it.
 *
 * @returns {Record<string, unknown> | null}
 */
function readMetadata() {
  const field = /** @type {HTMLTextAreaElement} */ (byId('metadata'));
  const { value, problem } = parseMetadata(field.value);
  byId('metadata-problem').textContent = problem;
  if (problem === '') field.removeAttribute('aria-invalid');
  else field.setAttribute('aria-invalid', 'true');
  return value;
}

/** @param {string} text */
function parseMetadata(text) {
  if (text.trim() === '') return { value: {}, problem: '' };
  try {
    const value = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject
      ? { value, problem: '' }
      : { value: null, problem: 'It must be a JSON object, as {"key": "value"}.' };
  } catch (error) {
    return { value: null, problem: `Not valid JSON: ${error instanceof Error ? error.message : ''}` };
  }
}

/**
 * Grows with its text up to the height that the style sheet allows.
 *
 * @param {HTMLTextAreaElement} field
 */
function fit(field) {
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight + 2}px`;
}
