import {
  ChatError,
  type ConversationEvent,
  type LogEventData,
  type LogEventType,
  type Member,
  type User,
} from '@tertulia/protocol';
import type { Appended } from '../store/conversation-log.ts';
import type { ConversationView } from '../store/store.ts';
import { authorOf, type Context } from './context.ts';

/** What is to be appended: an event's type and data, and what the unique indexes need. */
export type Change = {
  [T in LogEventType]: { readonly type: T; readonly data: LogEventData<T> };
}[LogEventType] & { readonly client_msg_id?: string | undefined; readonly ends_task?: string | undefined };

/** Decides on a change as the member that asks. It may run several times, so it only looks and builds. */
export type MemberDecision = (view: ConversationView, member: Member, seq: number) => Change;

/**
 * Appends what a member decides on the newest view of a conversation.
 * @throws {ChatError} `not_found` for a missing or foreign conversation, what `decide` throws, or `unavailable`.
 */
export function appendAsMember(
  context: Context,
  user: Pick<User, 'id' | 'username'>,
  conversationId: string,
  decide: MemberDecision,
): Promise<Appended> {
  const envelope = {
    conversation_id: conversationId,
    actor: authorOf(user),
    created_at: new Date().toISOString(),
  };
  return context.conversations.append(conversationId, (view, seq) => {
    const member = view?.members.get(user.id);
    if (!view || !member) throw new ChatError('not_found');
    const { client_msg_id = null, ends_task = null, type, data } = decide(view, member, seq);
    const event = { ...envelope, seq, type, data } as ConversationEvent;
    return { event, sender: user.id, client_msg_id, ends_task, claim: null };
  });
}

/** @throws {ChatError} `forbidden`, where only the owner may. */
export function refuseUnlessOwner(member: Pick<Member, 'role'>, message: string): void {
  if (member.role !== 'owner') throw new ChatError('forbidden', { message });
}
