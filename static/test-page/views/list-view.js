import { bdi, byId, el, oncePerFrame } from '../dom.js';
import { exactTime, shortTime } from '../times.js';

/**
 * @typedef {import('../conversation-list.js').ConversationList} ConversationList
 * @typedef {import('../conversation.js').OpenConversation} OpenConversation
 * @typedef {object} ListActions
 * @property {(id: string) => void} open
 * @property {() => void} startNew
 * @property {(id: string) => Promise<string>} join answers what is wrong, or nothing once it is open
 */

/**
 * One's conversations, to pick from, and a field to join any by its id.
 *
 * @param {ConversationList} list
 * @param {OpenConversation} conversation
 * @param {ListActions} actions
 */
export function setUpListView(list, conversation, actions) {
  byId('new-conversation').addEventListener('click', actions.startNew);
  byId('refresh-list').addEventListener('click', () => void list.refresh());
  byId('more-conversations').addEventListener('click', () => void list.showMore());
  setUpJoinForm(actions);
  const update = oncePerFrame(() => render(list, conversation, actions));
  list.onChange(update);
  conversation.onChange(update);
  update();
}

/** @param {ListActions} actions */
function setUpJoinForm({ join }) {
  const form = byId('join-form');
  const field = /** @type {HTMLInputElement} */ (byId('join-id'));
  const show = (/** @type {string} */ problem) => {
    byId('join-problem').textContent = problem;
    if (problem === '') field.removeAttribute('aria-invalid');
    else field.setAttribute('aria-invalid', 'true');
  };
  field.addEventListener('input', () => show(''));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const id = field.value.trim();
    if (id === '' || form.getAttribute('aria-busy') === 'true') return;
    form.setAttribute('aria-busy', 'true');
    const problem = await join(id);
    form.removeAttribute('aria-busy');
    show(problem);
    if (problem === '') field.value = '';
    else field.focus();
  });
}

/**
 * @param {ConversationList} list
 * @param {OpenConversation} conversation
 * @param {ListActions} actions
 */
function render(list, conversation, actions) {
  const container = byId('conversation-list');
  const key = JSON.stringify([
    list.items.map(({ id, title, updated_at }) => [id, title, updated_at]),
    [...list.unread],
    conversation.id,
  ]);
  if (container.dataset.key !== key) {
    container.dataset.key = key;
    fill(container, list, conversation.id, actions);
  }
  byId('list-empty').hidden = list.items.length > 0;
  byId('list-empty').textContent = list.isLoaded ? 'None yet. Your first message makes one.' : 'Log in to see them.';
  byId('more-conversations').hidden = !list.hasMore;
  byId('list-problem').textContent = list.problem;
  byId('list-problem').hidden = list.problem === '';
}

/**
 * @param {HTMLElement} container
 * @param {ConversationList} list
 * @param {string} openId
 * @param {ListActions} actions
 */
function fill(container, list, openId, actions) {
  const focused =
    document.activeElement instanceof HTMLElement ? document.activeElement.dataset.conversation : undefined;
  container.replaceChildren(...list.items.map((item) => row(item, openId, list.unread.has(item.id), actions)));
  // The rows are new; who was on one of them by keyboard stays on it.
  if (focused)
    rowButtons(container)
      .find((button) => button.dataset.conversation === focused)
      ?.focus();
}

/** @param {HTMLElement} container */
function rowButtons(container) {
  return /** @type {HTMLButtonElement[]} */ ([...container.querySelectorAll('button')]);
}

/**
 * @param {import('../conversation-list.js').Conversation} item
 * @param {string} openId
 * @param {boolean} isUnread
 * @param {ListActions} actions
 */
function row(item, openId, isUnread, actions) {
  const date = new Date(item.updated_at);
  return el(
    'li',
    {},
    el(
      'button',
      {
        type: 'button',
        className: 'conversation',
        'aria-current': item.id === openId ? 'true' : undefined,
        'data-conversation': item.id,
        onclick: () => actions.open(item.id),
      },
      bdi(item.title, 'title'),
      isUnread && el('span', { className: 'unread' }, el('span', { className: 'visually-hidden' }, 'new messages')),
      el('time', { datetime: item.updated_at, title: exactTime(date) }, shortTime(date)),
    ),
  );
}
