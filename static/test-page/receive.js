import { noticeOf } from './notices.js';
import { plainText, sentence } from './sentences.js';

/**
 * @typedef {import('@tertulia/protocol').Message} Message
 * @typedef {import('./conversation.js').OpenConversation} OpenConversation
 */

/** How much of a message is read out: whoever wants the rest goes to it. */
const READ_OUT = 400;

/**
 * What each event of the server's means for the open conversation, and what of it is read out.
 *
 * @type {Record<string, (open: OpenConversation, payload: any) => string[] | void>}
 */
const handlers = {
  conversation_event: takeLogEvent,
  response_start: ({ transcript }, { task_id, attempt, assistant }) =>
    transcript.answer(task_id)?.start(attempt, assistant),
  response_delta: ({ transcript }, { task_id, attempt, index, text }) =>
    transcript.answer(task_id)?.delta(attempt, index, text),
  response_end: ({ transcript }, { task_id, attempt, status }) => {
    if (status === 'interrupted') transcript.answer(task_id)?.interrupt(attempt);
  },
  conversation: (open, { task_id, user_message, assistant_responses }) => {
    /** @type {Message[]} */
    const messages = [user_message, ...assistant_responses];
    const arrived = messages.filter((message) => !open.transcript.entries.has(message.seq));
    open.transcript.addMessages(messages);
    open.transcript.endAnswer(task_id);
    return arrived.flatMap((message) => spoken(open, message));
  },
};

/**
 * Takes an event of the server's into the open conversation and answers what is to be read out: finished messages and
 * what happened between them.
 *
 * @param {OpenConversation} open
 * @param {import('./connection.js').Incoming} event
 * @returns {string[]}
 */
export function receive(open, { name, payload }) {
  if (name === 'heartbeat') noteLastSeq(open, payload);
  if (name === 'error') return showError(open, payload);
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
  return applied.flatMap((one) => {
    const notice = noticeOf(one);
    if (notice) return [plainText(notice.text)];
    return one.type === 'message_created' ? spoken(open, one.data.message) : [];
  });
}

/**
 * @param {OpenConversation} open
 * @param {Message} message
 */
function spoken({ userId }, { author, content }) {
  return author.id === userId ? [] : [`${author.name}: ${content.slice(0, READ_OUT)}`];
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
    return [message];
  }
  // Shown as an alert, which is read out by itself.
  open.problem = message;
  return [];
}
