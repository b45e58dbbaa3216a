import { sentence } from './sentences.js';

/**
 * @typedef {import('@tertulia/protocol').Message} Message
 * @typedef {import('./conversation.js').OpenConversation} OpenConversation
 */

/** What each event of the server's means for the open conversation. @type {Record<string, (open: OpenConversation, payload: any) => Message[] | void>} */
const handlers = {
  conversation_event: takeLogEvent,
  response_start: ({ transcript }, { task_id, attempt, assistant }) =>
    transcript.answer(task_id)?.start(attempt, assistant),
  response_delta: ({ transcript }, { task_id, attempt, index, text }) =>
    transcript.answer(task_id)?.delta(attempt, index, text),
  response_end: ({ transcript }, { task_id, attempt, status }) => {
    if (status === 'interrupted') transcript.answer(task_id)?.interrupt(attempt);
  },
  conversation: ({ transcript }, { task_id, user_message, assistant_responses }) => {
    const messages = [user_message, ...assistant_responses];
    const arrived = messages.filter((message) => !transcript.entries.has(message.seq));
    transcript.addMessages(messages);
    transcript.endAnswer(task_id);
    return arrived;
  },
};

/**
 * Takes an event of the server's into the open conversation and answers the messages that were new.
 *
 * @param {OpenConversation} open
 * @param {import('./connection.js').Incoming} event
 * @returns {Message[]}
 */
export function receive(open, { name, payload }) {
  if (name === 'heartbeat') noteLastSeq(open, payload);
  if (name === 'error') showError(open, payload);
  if (open.id === '' || payload?.conversation_id !== open.id || !Object.hasOwn(handlers, name)) return [];
  return handlers[name]?.(open, payload) ?? [];
}

/**
 * @param {OpenConversation} open
 * @param {import('@tertulia/protocol').ConversationEvent} event
 */
function takeLogEvent(open, event) {
  const applied = open.transcript.take(event);
  for (const { type, data } of applied) {
    if (type === 'member_joined') open.members.joined(data.member);
    if (type === 'member_left') open.members.left(data.user_id);
    if (type === 'member_left' && data.user_id === open.userId) open.expelled();
    if (type === 'conversation_updated' && open.details) Object.assign(open.details, data);
  }
  return applied.flatMap((one) => (one.type === 'message_created' ? [one.data.message] : []));
}

/**
 * A heartbeat beyond what is known tells that an event was lost on its way.
 *
 * @param {OpenConversation} open
 * @param {any} payload
 */
function noteLastSeq(open, payload) {
  const last = payload?.conversations?.[open.id];
  if (typeof last === 'number' && last > open.transcript.lastSeq) void open.sync();
}

/**
 * @param {OpenConversation} open
 * @param {any} error
 */
function showError(open, error) {
  const message = typeof error?.message === 'string' ? error.message : 'The server reported an error.';
  if (error?.task_id && open.transcript.answers.has(error.task_id)) {
    open.transcript.failAnswer(error.task_id, sentence`${message}`);
  } else {
    open.problem = message;
  }
}
