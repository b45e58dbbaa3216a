import { el } from '../dom.js';
import { logTime } from '../times.js';

/** @typedef {import('../event-log.js').LogRow} LogRow */

const SNIPPET = 200;
/** An answer comes in hundreds of these: those that follow one another make one row. */
const FOLDED = 'response_delta';

/** A row of the event log's view: one event, or a run of deltas of one task with their number. */
export class LogRowView {
  node;
  /** @type {LogRow[]} */
  rows = [];

  #head = el('time');
  #direction = el('span');
  #name = el('bdi');
  #count = el('span', { className: 'fold-count' });
  #snippet = el('span', { className: 'snippet', dir: 'ltr' });
  #body = el('pre', { dir: 'ltr' });
  #details;
  /** Those of its rows that pass the filter. @type {LogRow[]} */
  #shown = [];

  constructor() {
    const name = el('code', { className: 'event-name' }, this.#name);
    const summary = el('summary', {}, this.#head, this.#direction, name, this.#count, this.#snippet);
    this.#details = el('details', {}, summary, this.#body);
    this.node = el('li', {}, this.#details);
    // A thousand rows are cheap because only those that one opens are laid out in full.
    this.#details.addEventListener('toggle', () => {
      this.#renderBody();
      if (this.#details.open) this.node.scrollIntoView({ block: 'nearest' });
    });
  }

  /**
   * Whether a row that follows belongs to this view's run.
   *
   * @param {LogRow} row
   */
  takes({ name, json }) {
    const [first] = this.rows;
    return first?.name === FOLDED && name === FOLDED && taskOf(first.json) === taskOf(json);
  }

  /** @param {(row: LogRow) => boolean} passes */
  render(passes) {
    this.#shown = this.rows.filter(passes);
    const [first] = this.#shown;
    this.node.hidden = !first;
    if (!first) return;
    this.#head.dateTime = first.time.toISOString();
    this.#head.textContent = logTime(first.time);
    this.#direction.className = `direction ${first.direction}`;
    this.#direction.textContent = first.direction;
    this.#name.textContent = first.name;
    const isFold = this.#shown.length > 1;
    this.#count.textContent = isFold ? `× ${this.#shown.length}` : '';
    this.#count.hidden = !isFold;
    this.#snippet.textContent = isFold ? textOf(this.#shown) : snippetOf(first.json);
    this.#renderBody();
  }

  #renderBody() {
    if (!this.#details.open) return;
    const [first] = this.#shown;
    const isFold = this.#shown.length > 1;
    const text = isFold ? this.#shown.map(lineOf).join('\n') : pretty(first?.json ?? '');
    // What is unchanged stays selected.
    if (this.#body.textContent !== text) this.#body.textContent = text;
  }
}

/** @param {string} json */
function taskOf(json) {
  return parsed(json)?.task_id;
}

/**
 * The start of what deltas say together.
 *
 * @param {LogRow[]} rows
 */
function textOf(rows) {
  let text = '';
  for (const { json } of rows) {
    text += parsed(json)?.text ?? '';
    if (text.length >= SNIPPET) break;
  }
  return JSON.stringify(text.slice(0, SNIPPET));
}

/**
 * A row of a run in one line. Its ids stand in the first only.
 *
 * @param {LogRow} row
 * @param {number} index
 */
function lineOf({ time, json }, index) {
  const payload = parsed(json);
  const isShort = index > 0 && payload !== null;
  const entries = isShort ? Object.entries(payload).filter(([name]) => !isId(name)) : [];
  return `${logTime(time)} ${isShort ? JSON.stringify(Object.fromEntries(entries)) : withIdsLast(json)}`;
}

/** @param {string} json */
function snippetOf(json) {
  return withIdsLast(json).slice(0, SNIPPET);
}

/**
 * The payload with its ids last: they are long, and the same in every row.
 *
 * @param {string} json
 */
function withIdsLast(json) {
  const payload = parsed(json);
  if (payload === null || typeof payload !== 'object') return json;
  const entries = Object.entries(payload).toSorted(([a], [b]) => Number(isId(a)) - Number(isId(b)));
  return JSON.stringify(Object.fromEntries(entries));
}

/** @param {string} name */
function isId(name) {
  return name === 'id' || name.endsWith('_id');
}

/** @param {string} json */
function pretty(json) {
  const payload = parsed(json);
  return payload === null ? json : JSON.stringify(payload, null, 2);
}

/**
 * @param {string} json
 * @returns {any} null where it was shortened, or there is no payload at all
 */
function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
