import { sentence } from './sentences.js';

/**
 * @typedef {import('@tertulia/protocol').ConversationEvent} ConversationEvent
 * @typedef {import('./transcript.js').NoticeEntry} NoticeEntry
 * @typedef {{text: import('./sentences.js').Sentence, isBad?: boolean, partialText?: string}} Notice
 */

/**
 * The line that an event leaves between the messages, or null for one that leaves none.
 *
 * @param {ConversationEvent} event
 * @returns {NoticeEntry | null}
 */
export function noticeOf(event) {
  const notice = describe(event);
  if (!notice) return null;
  return { key: `n${event.seq}`, seq: event.seq, kind: 'notice', isBad: false, partialText: '', ...notice };
}

/**
 * @param {ConversationEvent} event
 * @returns {Notice | null}
 */
function describe(event) {
  const { name } = event.actor;
  switch (event.type) {
    case 'member_joined':
      return { text: sentence`${name} added ${event.data.member.username}` };
    case 'member_left':
      return { text: sentence`${event.data.username} is no longer a member` };
    case 'conversation_updated':
      if (event.data.title === undefined) return null;
      return { text: sentence`${name} renamed the conversation to “${event.data.title}”` };
    case 'conversation_deleted':
      return { text: sentence`${name} deleted this conversation`, isBad: true };
    case 'task_ended':
      return describeEnd(event.data.task);
    default:
      return null;
  }
}

/**
 * @param {import('@tertulia/protocol').EndedTask} task
 * @returns {Notice | null}
 */
function describeEnd(task) {
  const partialText = task.partial_text ?? '';
  switch (task.status) {
    case 'failed':
      return { text: sentence`${task.error?.message ?? 'The assistant could not answer.'}`, isBad: true, partialText };
    case 'cancelled':
      return { text: sentence`The answer was cancelled`, partialText };
    default:
      return null;
  }
}
