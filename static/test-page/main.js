import { Connection } from './connection.js';
import { OpenConversation } from './conversation.js';
import { ConversationList } from './conversation-list.js';
import { byId } from './dom.js';
import { EventLog } from './event-log.js';
import { isGone, joinProblem } from './join-by-id.js';
import { Outbox } from './outbox.js';
import { Session } from './session.js';
import { readPlace, storePlace } from './place.js';
import { setUpAccountView } from './views/account-view.js';
import { announce } from './views/announcer.js';
import { setUpChatView, setUpMembersView } from './views/chat-view.js';
import { setUpComposer } from './views/composer-view.js';
import { chosenOptions, setUpConnectionView, showOptions } from './views/connection-view.js';
import { setUpListView } from './views/list-view.js';
import { setUpLogView } from './views/log-view.js';
import { isNarrow, setUpPanels, showPanel } from './views/panels.js';
import { setUpTranscriptView } from './views/transcript-view.js';

const log = new EventLog();
const session = new Session();
const connection = new Connection(session, log);
const outbox = new Outbox(connection);
const conversation = new OpenConversation(session, connection, outbox);
const list = new ConversationList(session);

setUpPanels();
setUpAccountView(session, () => byId('connect').focus());
setUpConnectionView(connection, session);
setUpListView(list, conversation, { open: openConversation, startNew: startConversation, join: joinConversation });
setUpChatView(conversation, connection);
setUpMembersView(conversation);
setUpTranscriptView(conversation, outbox);
setUpComposer(conversation, connection, session);
setUpLogView(log);
followLogin();
followConnection();
followConversation();
followOutbox();
comeBack();

/** @param {string} id */
function openConversation(id) {
  list.mark(id, false);
  showPanel('chat');
  void conversation.open(id);
}

/** @param {string} id */
async function joinConversation(id) {
  if (!session.tokens) return 'Log in and connect first.';
  const problem = await joinProblem(connection, id);
  if (problem === '') openConversation(id);
  return problem;
}

/**
 * The conversation from before a reload, unless it is gone meanwhile.
 *
 * @param {string} id
 */
async function reopenConversation(id) {
  list.mark(id, false);
  showPanel('chat');
  await conversation.open(id);
  if (conversation.id === id && conversation.details === null && (await isGone(session, id))) conversation.startNew();
}

function startConversation() {
  conversation.startNew();
  showPanel('chat');
  byId('message').focus();
}

/** A message of one's own moves its conversation up the list, or makes one. */
function followOutbox() {
  outbox.onAccepted(() => list.refreshSoon());
}

/** Another login sees nothing of the one before. */
function followLogin() {
  let userId = session.user?.id ?? null;
  session.onChange(() => {
    if (!session.tokens) {
      userId = null;
      if (connection.isActive) connection.disconnect();
      outbox.clear();
      list.clear();
      conversation.startNew();
    } else if (session.user && session.user.id !== userId) {
      userId = session.user.id;
      void list.refresh();
    }
  });
}

/** Each new connection joins the open conversation again; nothing survives from the one before. */
function followConnection() {
  let wasConnected = false;
  /** A restored database is another one: the seqs that are known mean nothing in it. */
  let epoch = '';
  connection.onChange(() => {
    storePlace({ isConnected: connection.isActive, options: chosenOptions(), conversationId: conversation.id });
    if (connection.isConnected === wasConnected) return;
    wasConnected = connection.isConnected;
    if (!wasConnected) {
      conversation.disconnected();
      return;
    }
    const nextEpoch = connection.welcome?.store_epoch ?? epoch;
    const joined = epoch === '' || epoch === nextEpoch ? conversation.join() : conversation.startOver();
    epoch = nextEpoch;
    void joined.then(() => outbox.connected());
    void list.refresh();
    if (isNarrow() && document.body.dataset.panel === 'connect') showPanel('chat').focus();
  });
}

function followConversation() {
  conversation.onHappened(announce);
  conversation.onChange(() => {
    storePlace({ isConnected: connection.isActive, options: chosenOptions(), conversationId: conversation.id });
  });
  connection.onEvent(({ name, payload }) => {
    if (name !== 'conversation_changed' && name !== 'conversation') return;
    if (payload.conversation_id !== conversation.id) list.mark(payload.conversation_id, true);
    list.refreshSoon();
  });
}

/** After a reload: the same login, connection and conversation. */
function comeBack() {
  if (!session.tokens) return;
  const place = readPlace();
  void session.identify();
  if (!place) return;
  showOptions(place.options);
  if (place.isConnected) connection.connect(chosenOptions());
  if (place.conversationId !== '') void reopenConversation(place.conversationId);
}
