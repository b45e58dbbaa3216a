import { bdi, byId, copyText, el, oncePerFrame } from '../dom.js';
import { announce } from './announcer.js';

/**
 * @typedef {import('../conversation.js').OpenConversation} OpenConversation
 * @typedef {import('../connection.js').Connection} Connection
 */

/**
 * The open conversation's head: title, id, join and leave, and what went wrong.
 *
 * @param {OpenConversation} conversation
 * @param {Connection} connection
 */
export function setUpChatView(conversation, connection) {
  byId('join-leave').addEventListener(
    'click',
    () => void (conversation.isJoined ? conversation.leave() : conversation.join()),
  );
  byId('copy-id').addEventListener('click', async () => {
    announce((await copyText(conversation.id)) ? 'Id copied.' : 'Copying is not allowed here.');
  });
  byId('dismiss-problem').addEventListener('click', () => {
    conversation.dismissProblem();
    byId('message').focus();
  });
  const update = oncePerFrame(() => render(conversation, connection));
  conversation.onChange(update);
  connection.onChange(update);
  update();
}

/**
 * @param {OpenConversation} conversation
 * @param {Connection} connection
 */
function render(conversation, connection) {
  const isNew = conversation.id === '';
  setText('chat-title', titleOf(conversation));
  setText('chat-id', conversation.id);
  byId('chat-tools').hidden = isNew;
  byId('join-leave').textContent = conversation.isJoined ? 'Leave' : 'Join';
  byId('join-leave').hidden = !connection.isConnected;
  setText('joined-state', joinedText(conversation, connection));
  byId('joined-state').classList.toggle('joined', conversation.isJoined);
  renderProblem(conversation.problem);
}

/** @param {OpenConversation} conversation */
function titleOf({ id, details, isLoading }) {
  if (id === '') return 'New conversation';
  return details?.title ?? (isLoading ? 'Loading…' : 'Conversation');
}

/**
 * @param {OpenConversation} conversation
 * @param {Connection} connection
 */
function joinedText({ id, isJoined, isLoading }, { isConnected }) {
  if (id === '' && isConnected) return '';
  if (isJoined) return 'joined, live';
  if (isLoading) return 'loading';
  return isConnected ? 'not joined' : 'not connected';
}

/** @param {string} problem */
function renderProblem(problem) {
  const node = byId('problem-text');
  byId('chat-problem').hidden = problem === '';
  if (node.textContent !== problem) node.replaceChildren(bdi(problem));
}

/**
 * @param {string} id
 * @param {string} text
 */
function setText(id, text) {
  const node = byId(id);
  if (node.textContent !== text) node.replaceChildren(bdi(text));
}

/**
 * Who is in the conversation; its owner adds and removes.
 *
 * @param {OpenConversation} conversation
 */
export function setUpMembersView({ members }) {
  const form = /** @type {HTMLFormElement} */ (byId('member-form'));
  const field = /** @type {HTMLInputElement} */ (byId('member-username'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const username = field.value.trim();
    if (username === '') return;
    if (await changed(() => members.add(username), `${username} was added.`)) field.value = '';
  });
  byId('members').addEventListener('toggle', () => {
    // The base layer has no events about members.
    if (/** @type {HTMLDetailsElement} */ (byId('members')).open) void changed(() => members.read(), '');
  });
  const update = oncePerFrame(() => renderMembers(members));
  members.onChange(update);
  update();
}

/**
 * @param {() => Promise<void>} action
 * @param {string} done
 */
async function changed(action, done) {
  const problem = byId('member-problem');
  problem.hidden = true;
  try {
    await action();
    if (done !== '') announce(done);
    return true;
  } catch (error) {
    problem.replaceChildren(bdi(error instanceof Error ? error.message : String(error)));
    problem.hidden = false;
    return false;
  }
}

/** @param {import('../members.js').Members} members */
function renderMembers(members) {
  byId('member-count').textContent = members.list.length === 1 ? '1 member' : `${members.list.length} members`;
  byId('member-form').hidden = !members.isOwn;
  const rows = members.list.map((member) => {
    const remove = () => {
      byId('member-username').focus();
      void changed(() => members.remove(member), `${member.username} was removed.`);
    };
    const label = `Remove ${member.username}`;
    return el(
      'li',
      {},
      bdi(member.username),
      member.role === 'owner' && el('span', { className: 'badge' }, 'owner'),
      members.isOwn &&
        member.role !== 'owner' &&
        el('button', { type: 'button', className: 'small quiet', 'aria-label': label, onclick: remove }, 'Remove'),
    );
  });
  byId('member-list').replaceChildren(...rows);
}
