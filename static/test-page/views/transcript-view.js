import { byId, el, oncePerFrame } from '../dom.js';
import { answerView, messageView, noticeView, pendingView } from './transcript-items.js';

/**
 * @typedef {import('../conversation.js').OpenConversation} OpenConversation
 * @typedef {import('./transcript-items.js').ItemView} ItemView
 * @typedef {{key: string, make: () => ItemView, value: unknown}} Item
 */

/** How near to the end one must be for new text to scroll the view along. */
const NEAR_END_PX = 80;
/** What is left above a question whose answer is longer than the view. */
const FOLLOW_MARGIN_PX = 12;
/** The part of the view that a long question may take from its answer. */
const QUESTION_SHARE = 0.4;

/**
 * The messages: what was said, what is being written, and what is on its way.
 *
 * @param {OpenConversation} conversation
 * @param {import('../outbox.js').Outbox} outbox
 */
export function setUpTranscriptView(conversation, outbox) {
  /** @type {Map<string, ItemView>} */
  const views = new Map();
  const list = byId('messages');
  const scroller = byId('message-area');
  let shownId = conversation.id;
  let isAtEnd = true;
  let lastTop = 0;
  const update = oncePerFrame(() => {
    const isOther = shownId !== conversation.id && shownId !== '';
    shownId = conversation.id;
    if (isOther) isAtEnd = true;
    const height = scroller.scrollHeight;
    const top = list.firstElementChild;
    place(list, views, itemsOf(conversation, outbox));
    renderSurroundings(conversation);
    if (isAtEnd) scroller.scrollTop = Math.max(isOther ? 0 : scroller.scrollTop, followed(scroller, list));
    // Earlier messages came in above: what one was reading stays where it was.
    else if (top !== list.firstElementChild) scroller.scrollTop += scroller.scrollHeight - height;
    byId('to-end').hidden = isNearEnd(scroller);
  });
  scroller.addEventListener('scroll', () => {
    // What grows or shrinks the view moves its end away too; only scrolling up says that one wants to stay.
    isAtEnd = isNearEnd(scroller) || (isAtEnd && scroller.scrollTop >= lastTop);
    lastTop = scroller.scrollTop;
    byId('to-end').hidden = isNearEnd(scroller);
  });
  byId('to-end-button').addEventListener('click', () => {
    scroller.scrollTop = scroller.scrollHeight;
    byId('message').focus();
  });
  byId('earlier').addEventListener('click', () => void conversation.readEarlier());
  // A panel that was not shown had no height to scroll in.
  new ResizeObserver(update).observe(scroller);
  conversation.onChange(update);
  update();
}

/** @param {HTMLElement} scroller */
function isNearEnd(scroller) {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
}

/**
 * How far new text scrolls the view: to its end, but a long answer is read from its start, below its question.
 *
 * @param {HTMLElement} scroller
 * @param {HTMLElement} list
 */
function followed(scroller, list) {
  const last = list.lastElementChild;
  if (!last) return 0;
  const startOf = (/** @type {Element} */ node) =>
    node.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
  const question = [...list.children].findLast((node) => node.matches('.message:not(.assistant)')) ?? last;
  const start = Math.max(startOf(question), startOf(last) - scroller.clientHeight * QUESTION_SHARE);
  return Math.min(scroller.scrollHeight - scroller.clientHeight, start - FOLLOW_MARGIN_PX);
}

/**
 * @param {OpenConversation} conversation
 * @param {import('../outbox.js').Outbox} outbox
 * @returns {Item[]}
 */
function itemsOf(conversation, outbox) {
  const { transcript, userId } = conversation;
  const answers = [...transcript.answers.values()].toSorted((a, b) => a.order - b.order);
  return [
    ...transcript.sorted.map((entry) => ({
      key: entry.key,
      make: () => (entry.kind === 'message' ? messageView(entry.message, userId) : noticeView(entry)),
      value: entry,
    })),
    ...answers.map((answer) => ({ key: `a${answer.taskId}`, make: answerView, value: answer })),
    ...conversation.pending.map((entry) => ({
      key: `p${entry.clientMsgId}`,
      make: () => pendingView(entry, outbox),
      value: entry,
    })),
  ];
}

/**
 * Brings the list to these items, keeping the nodes of those that are there: focus and selection stay.
 *
 * @param {HTMLElement} list
 * @param {Map<string, ItemView>} views
 * @param {Item[]} items
 */
function place(list, views, items) {
  const wanted = new Set(items.map(({ key }) => key));
  for (const [key, view] of views) {
    if (wanted.has(key)) continue;
    view.node.remove();
    views.delete(key);
  }
  let next = list.firstElementChild;
  for (const { key, make, value } of items) {
    const view = views.get(key) ?? make();
    views.set(key, view);
    view.update(value);
    if (view.node === next) next = next.nextElementSibling;
    else list.insertBefore(view.node, next);
  }
}

/** @param {OpenConversation} conversation */
function renderSurroundings(conversation) {
  const isEmpty = byId('messages').childElementCount === 0;
  byId('earlier').hidden = conversation.earlier === null;
  byId('chat-empty').hidden = !isEmpty || conversation.isLoading;
  byId('chat-loading').hidden = !isEmpty || !conversation.isLoading;
  const hint = conversation.id === '' ? 'Your first message starts a new conversation.' : 'Nothing was said here yet.';
  byId('chat-empty-hint').replaceChildren(el('span', {}, hint));
}
