import { byId, copyText, oncePerFrame } from '../dom.js';
import { announce } from './announcer.js';
import { LogRowView } from './log-row-view.js';

/**
 * @typedef {import('../event-log.js').EventLog} EventLog
 * @typedef {import('../event-log.js').LogRow} LogRow
 */

/**
 * The raw events, in and out: filter, pause, copy, clear.
 *
 * @param {EventLog} log
 */
export function setUpLogView(log) {
  const list = byId('log-rows');
  /** The view of each row that is shown; rows that are folded share one. @type {Map<number, LogRowView>} */
  const views = new Map();
  let isPaused = false;
  const update = oncePerFrame(() => {
    if (!isPaused) place(list, views, log);
    renderCount(log, views, isPaused);
  });
  log.onAdded(update);
  for (const id of ['log-filter', 'log-direction']) {
    byId(id).addEventListener('input', () => {
      for (const view of new Set(views.values())) view.render(passes);
      renderCount(log, views, isPaused);
    });
  }
  byId('log-pause').addEventListener('click', () => {
    isPaused = !isPaused;
    byId('log-pause').setAttribute('aria-pressed', String(isPaused));
    update();
  });
  byId('log-clear').addEventListener('click', () => {
    log.clear();
    views.clear();
    list.replaceChildren();
    renderCount(log, views, isPaused);
    announce('Event log cleared.');
  });
  byId('log-copy').addEventListener('click', async () => {
    const rows = log.rows.filter((row) => views.has(row.id) && passes(row));
    const copied = await copyText(rows.map(lineOf).join('\n'));
    announce(copied ? `${rows.length} events copied.` : 'Copying is not allowed here.');
  });
  update();
}

/**
 * @param {HTMLElement} list
 * @param {Map<number, LogRowView>} views
 * @param {EventLog} log
 */
function place(list, views, log) {
  const changed = new Set(dropOld(views, log));
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const fresh = log.rows.filter((row) => !views.has(row.id));
  let last = [...views.values()].at(-1);
  for (const row of fresh) {
    if (!last?.takes(row)) {
      last = new LogRowView();
      list.append(last.node);
    }
    last.rows.push(row);
    views.set(row.id, last);
    changed.add(last);
  }
  for (const view of changed) view.render(passes);
  if (isAtEnd && fresh.length > 0) list.scrollTop = list.scrollHeight;
}

/**
 * Takes away what the log no longer keeps, and answers the views that are left with fewer rows.
 *
 * @param {Map<number, LogRowView>} views
 * @param {EventLog} log
 */
function dropOld(views, { rows }) {
  const oldest = rows[0]?.id ?? Infinity;
  /** @type {LogRowView[]} */
  const shortened = [];
  for (const [id, view] of views) {
    if (id >= oldest) break;
    views.delete(id);
    view.rows.shift();
    if (view.rows.length === 0) view.node.remove();
    else shortened.push(view);
  }
  return shortened.filter(({ rows: left }) => left.length > 0);
}

/**
 * @param {EventLog} log
 * @param {Map<number, LogRowView>} views
 * @param {boolean} isPaused
 */
function renderCount({ rows }, views, isPaused) {
  const held = rows.filter((row) => !views.has(row.id)).length;
  const shown = rows.filter((row) => views.has(row.id) && passes(row)).length;
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
function lineOf({ time, direction, name, json }) {
  return `${time.toISOString()} ${direction.padEnd(3)} ${name} ${json}`;
}
