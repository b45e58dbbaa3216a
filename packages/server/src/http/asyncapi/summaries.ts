import type { BaseServerEventName, ClientEventName, ExtendedServerEventName, LogEventType } from '@tertulia/protocol';

/** What each event is for, in a sentence. A new event does not compile without its own. */
export const CLIENT_EVENTS: Readonly<Record<ClientEventName, string>> = {
  chat: 'Send a message; without a conversation_id it opens a new conversation. A socket of protocol 1 joins it.',
  join_conversation: 'Join a conversation: what happens in it from `after_seq` on, then live.',
  leave_conversation: 'Leave the room of a conversation; one stays its member.',
  sync: "Read a page of a conversation's log without joining.",
  auth_refresh: 'Go on under a fresh access token, before the old one ends.',
};

/** Events of the base layer. */
export const BASE_EVENTS: Readonly<Record<BaseServerEventName, string>> = {
  connected: 'The login was accepted.',
  conversation:
    'A message and its answers, once the assistant has answered: to the sender and to all who joined the conversation.',
  error: 'Something failed that has no acknowledgement to say so.',
  joined_conversation: 'The conversation is joined.',
  left_conversation: 'The conversation is left.',
};

/** Events that sockets of protocol 1 get. */
export const EXTENDED_EVENTS: Readonly<Record<ExtendedServerEventName, string>> = {
  connected: 'The login was accepted; with what the client needs to know of this server.',
  error: 'Something failed that has no acknowledgement to say so.',
  conversation_event: 'What happened in a joined conversation, in order and without holes: `seq` counts.',
  response_start: 'An assistant begins to answer.',
  response_delta: 'A piece of an answer that is being written.',
  response_end: 'The answer is written, or was broken off; the log has what stands.',
  heartbeat: 'Each 10 s the last seq of joined conversations that changed: whoever has less reads on.',
  conversation_changed: "A hint that one of one's conversations changed, for lists and unread counts.",
  session_expired: 'The login of this socket has ended; it is closed now.',
  server_shutdown: 'The server stops; reconnect after the given time.',
};

/** Types of `conversation_event`. */
export const LOG_EVENTS: Readonly<Record<LogEventType, string>> = {
  conversation_created: 'The conversation was opened, perhaps with its first message and task.',
  conversation_updated: 'Its owner changed title, description, metadata or state.',
  message_created: 'Somebody wrote; the message may start a task, or be the last answer of one.',
  task_ended: 'A task ended without a last answer: it failed or was cancelled.',
  task_updated: 'Fields of a task were changed.',
  task_deleted: 'A task and its messages were removed.',
  member_joined: 'Somebody was added.',
  member_left: 'Somebody left or was removed.',
  conversation_deleted: 'The conversation was deleted; nothing comes after this.',
};
