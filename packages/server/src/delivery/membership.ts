import type { ConversationEvent } from '@tertulia/protocol';

/** Whether a user is no longer a member after this event. */
export function endsMembership(event: ConversationEvent, userId: string): boolean {
  return event.type === 'conversation_deleted' || (event.type === 'member_left' && event.data.user_id === userId);
}
