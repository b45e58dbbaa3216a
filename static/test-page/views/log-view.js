import { byId, copyText, el, oncePerFrame } from '../dom.js';
import { logTime } from '../times.js';
import { announce } from './announcer.js';

/**
 * @typedef {import('../event-log.js').EventLog} EventLog
 * @typedef {import('../event-log.js').LogRow} LogRow
 */

const SNIPPET = 200;

/**
 * The raw events, in and out: filter, pause, copy, clear.
 *
 * @param {EventLog} log
 */
export function setUpLogView(log) {
  const list = byId('log-rows');
  /** @type {Map<number, HTMLElement>} */
  const nodes = new Map();
  let isPaused = false;
  const update = oncePerFrame(() => {
    if (!isPaused) place(list, nodes, log);
    renderCount(log, nodes, isPaused);
  });
  log.onAdded(update);
  for (const id of ['log-filter', 'log-direction']) {
    byId(id).addEventListener('input', () => {
      for (const row of log.rows) nodes.get(row.id)?.toggleAttribute('hidden', !passes(row));
      renderCount(log, nodes, isPaused);
    });
  }
  byId('log-pause').addEventListener('click', () => {
    isPaused = !isPaused;
    byId('log-pause').setAttribute('aria-pressed', String(isPaused));
    update();
  });
  byId('log-clear').addEventListener('click', () => {
    log.clear();
    nodes.clear();
    list.replaceChildren();
    renderCount(log, nodes, isPaused);
    announce('Event log cleared.');
  });
  byId('log-copy').addEventListener('click', async () => {
    const rows = log.rows.filter((row) => nodes.has(row.id) && passes(row));
    const copied = await copyText(rows.map(lineOf).join('\n'));
    announce(copied ? `${rows.length} events copied.` : 'Copying is not allowed here.');
  });
  update();
}

/**
 * @param {HTMLElement} list
 * @param {Map<number, HTMLElement>} nodes
 * @param {EventLog} log
 */
function place(list, nodes, log) {
  const oldest = log.rows[0]?.id ?? Infinity;
  for (const [id, node] of nodes) {
    if (id >= oldest) break;
    node.remove();
    nodes.delete(id);
  }
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const fresh = log.rows.filter((row) => !nodes.has(row.id));
  for (const row of fresh) nodes.set(row.id, rowView(row));
  list.append(...fresh.map((row) => /** @type {HTMLElement} */ (nodes.get(row.id))));
  if (isAtEnd && fresh.length > 0) list.scrollTop = list.scrollHeight;
}

/**
 * @param {EventLog} log
 * @param {Map<number, HTMLElement>} nodes
 * @param {boolean} isPaused
 */
function renderCount({ rows }, nodes, isPaused) {
  const held = rows.filter((row) => !nodes.has(row.id)).length;
  const shown = rows.filter((row) => nodes.has(row.id) && passes(row)).length;
  const text = isPaused ? `${shown} shown, paused, ${held} held back` : `${shown} of ${rows.length} shown`;
  byId('log-count').textContent = text;
  byId('log-empty').hidden = shown > 0;
}

/** @param {LogRow} row */
function passes(row) {
  const direction = /** @type {HTMLSelectElement} */ (byId('log-direction')).value;
  const words = /** @type {HTMLInputElement} */ (byId('log-filter')).value.toLowerCase().split(/\s+/);
  if (direction !== 'all' && row.direction !== direction) return false;
  const text = `${row.name} ${row.json}`.toLowerCase();
  return words.every((word) =>
    word.length > 1 && word.startsWith('-') ? !text.includes(word.slice(1)) : text.includes(word),
  );
}

/** @param {LogRow} row */
function rowView(row) {
  const body = el('pre', { dir: 'ltr' });
  const summary = el(
    'summary',
    {},
    el('time', { datetime: row.time.toISOString() }, logTime(row.time)),
    el('span', { className: `direction ${row.direction}` }, row.direction),
    el('code', { className: 'event-name' }, el('bdi', {}, row.name)),
    el('span', { className: 'snippet', dir: 'ltr' }, snippetOf(row.json)),
  );
  const details = el('details', {}, summary, body);
  // A thousand rows are cheap because only those that one opens are laid out in full.
  details.addEventListener('toggle', () => {
    if (!details.open) return;
    if (body.textContent === '') body.textContent = pretty(row.json);
    node.scrollIntoView({ block: 'nearest' });
  });
  const node = el('li', {}, details);
  node.hidden = !passes(row);
  return node;
}

/**
 * The start of the payload with its ids last: they are long, and the same in every row.
 *
 * @param {string} json
 */
function snippetOf(json) {
  try {
    const entries = Object.entries(JSON.parse(json)).toSorted(([a], [b]) => Number(isId(a)) - Number(isId(b)));
    return JSON.stringify(Object.fromEntries(entries)).slice(0, SNIPPET);
  } catch {
    // Shortened, or no payload at all.
    return json.slice(0, SNIPPET);
  }
}

/** @param {string} name */
function isId(name) {
  return name === 'id' || name.endsWith('_id');
}

/** @param {string} json */
function pretty(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    // Shortened, or no payload at all.
    return json;
  }
}

/** @param {LogRow} row */
function lineOf({ time, direction, name, json }) {
  return `${time.toISOString()} ${direction.padEnd(3)} ${name} ${json}`;
}
