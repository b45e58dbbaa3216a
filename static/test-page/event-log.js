import { createSignal } from './signal.js';

/**
 * @typedef {object} LogRow
 * @property {number} id
 * @property {Date} time
 * @property {'in' | 'out'} direction
 * @property {string} name
 * @property {string} json
 */

const MOST_ROWS = 1_000;
const MOST_JSON = 65_536;
const SECRET_NAME = /^(.*_)?(token|password|secret)$/i;
/** Three parts of base64url of which the first is a JSON object: a token, wherever it stands. */
const TOKEN_LIKE = /eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;

/** What went over the socket, newest last, at most a thousand rows, without secrets. */
export class EventLog {
  /** @type {LogRow[]} */
  rows = [];
  #nextId = 1;
  /** @type {ReturnType<typeof createSignal<LogRow>>} */
  #added = createSignal();

  /** @param {(row: LogRow) => void} listener */
  onAdded(listener) {
    this.#added.on(listener);
  }

  /**
   * @param {'in' | 'out'} direction
   * @param {string} name
   * @param {unknown} payload
   */
  add(direction, name, payload) {
    const row = { id: this.#nextId, time: new Date(), direction, name, json: redactedJson(payload) };
    this.#nextId += 1;
    this.rows.push(row);
    if (this.rows.length > MOST_ROWS) this.rows.shift();
    this.#added.emit(row);
  }

  clear() {
    this.rows = [];
  }
}

/**
 * @param {unknown} payload
 * @returns {string}
 */
function redactedJson(payload) {
  const json = JSON.stringify(payload, (name, value) => (isSecret(name, value) ? '***' : value)) ?? '';
  const safe = json.replace(TOKEN_LIKE, '***');
  if (safe.length <= MOST_JSON) return safe;
  return `${safe.slice(0, MOST_JSON)}… (${safe.length - MOST_JSON} more characters)`;
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function isSecret(name, value) {
  return typeof value === 'string' && value !== '' && SECRET_NAME.test(name);
}
