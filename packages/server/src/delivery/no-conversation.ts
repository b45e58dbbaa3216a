import { ChatError } from '@tertulia/protocol';

/** Refuses in the same words whether a conversation is missing or somebody else's (G8). */
export function noConversation(advice = ''): ChatError {
  const message = `There is no conversation with this id, or you are not a member.${advice && ` ${advice}`}`;
  return new ChatError('not_found', { message });
}

/** What to do where a message named the conversation. */
export const BEGIN_ONE = 'Leave conversation_id out to begin one.';
