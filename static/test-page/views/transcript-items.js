import { bdi, byId, el } from '../dom.js';
import { exactTime, shortTime } from '../times.js';
import { FormattedText } from './formatted-text.js';

/**
 * @typedef {import('../transcript.js').Message} Message
 * @typedef {{node: HTMLElement, update: (value: any) => void}} ItemView
 */

/**
 * A stored message. Conversations are keyed by seq, and a message never changes in this version of the protocol.
 *
 * @param {Message} message
 * @param {string | null} userId
 * @returns {ItemView}
 */
export function messageView(message, userId) {
  const isOwn = message.author.kind === 'user' && message.author.id === userId;
  const date = new Date(message.timestamp * 1_000);
  const head = el(
    'p',
    { className: 'message-head' },
    bdi(isOwn ? 'You' : message.author.name, 'who'),
    message.author.kind === 'assistant' && el('span', { className: 'badge' }, 'assistant'),
    el('time', { datetime: date.toISOString(), title: exactTime(date) }, shortTime(date)),
    el('span', { className: 'seq', title: 'Position in the conversation’s log' }, `#${message.seq}`),
  );
  const node = el('li', { className: `message ${isOwn ? 'own' : message.author.kind}` }, head, textOf(message));
  if (Object.keys(message.metadata ?? {}).length > 0) node.append(metadataView(message.metadata));
  return { node, update: () => {} };
}

/**
 * A line of what happened between the messages, with what had been written of an answer that failed.
 *
 * @param {import('../transcript.js').NoticeEntry} entry
 * @returns {ItemView}
 */
export function noticeView({ text, isBad, partialText }) {
  const { strings, values } = text;
  const parts = strings.flatMap((part, index) => [part, index < values.length ? bdi(values[index] ?? '') : null]);
  const line = el('p', { className: 'notice-line' }, ...parts);
  const node = el('li', { className: isBad ? 'notice bad' : 'notice' }, line);
  if (partialText !== '') node.prepend(el('div', { className: 'partial' }, formatted(partialText)));
  return { node, update: () => {} };
}

/**
 * An answer that is awaited or being written. Its text only grows, so what a reader selected stays selected.
 *
 * @returns {ItemView}
 */
export function answerView() {
  const who = bdi('Assistant', 'who');
  const status = el('span', { className: 'badge' });
  const text = new FormattedText();
  const dots = el('span', { className: 'dots', 'aria-hidden': 'true' }, el('i'), el('i'), el('i'));
  const node = el(
    'li',
    { className: 'message assistant writing' },
    el('p', { className: 'message-head' }, who, status),
    text.node,
    dots,
  );
  const update = (/** @type {import('../answers.js').Answer} */ answer) => {
    if (answer.assistant !== '') who.textContent = answer.assistant;
    status.textContent = statusOf(answer);
    text.set(answer.text);
    text.node.hidden = answer.text === '';
  };
  return { node, update };
}

/** @param {import('../answers.js').Answer} answer */
function statusOf({ text, attempt, interrupted }) {
  if (interrupted) return 'was cut off, tries again';
  if (text === '') return attempt === 0 ? 'waits its turn' : 'is thinking';
  return attempt > 1 ? `is writing, attempt ${attempt}` : 'is writing';
}

/**
 * One's own message that the server has not confirmed.
 *
 * @param {import('../outbox.js').OutboxEntry} entry
 * @param {import('../outbox.js').Outbox} outbox
 * @returns {ItemView}
 */
export function pendingView(entry, outbox) {
  const status = el('span', { className: 'badge' });
  const problem = el('p', { className: 'pending-problem' });
  const act = (/** @type {() => unknown} */ action) => () => {
    void action();
    // The button is gone with that.
    byId('message').focus();
  };
  const retry = act(() => outbox.retry(entry));
  const discard = act(() => outbox.discard(entry));
  const actions = el(
    'div',
    { className: 'row' },
    el('button', { type: 'button', className: 'small', onclick: retry }, 'Retry'),
    el('button', { type: 'button', className: 'small quiet', onclick: discard }, 'Discard'),
  );
  const failure = el('div', { className: 'pending-failure' }, problem, actions);
  const head = el('p', { className: 'message-head' }, bdi('You', 'who'), status);
  const node = el('li', { className: 'message own pending' }, head, plain(entry.text), failure);
  const update = () => {
    const isFailed = entry.state === 'failed';
    node.classList.toggle('failed', isFailed);
    status.textContent = isFailed ? 'not sent' : entry.state === 'waiting' ? 'waits' : 'sending…';
    failure.hidden = !isFailed;
    problem.replaceChildren(bdi(entry.problem));
  };
  return { node, update };
}

/**
 * People's words stand as they were typed; only an assistant writes Markdown for sure.
 *
 * @param {Message} message
 */
function textOf({ author, content }) {
  return author.kind === 'assistant' ? formatted(content) : plain(content);
}

/** @param {string} content */
function formatted(content) {
  const text = new FormattedText();
  text.set(content);
  return text.node;
}

/** @param {string} content */
function plain(content) {
  return el('div', { className: 'text', dir: 'auto' }, content);
}

/** @param {object} metadata */
function metadataView(metadata) {
  const json = el('pre', { dir: 'ltr' }, JSON.stringify(metadata, null, 2));
  return el('details', { className: 'metadata' }, el('summary', {}, 'Metadata'), json);
}
