import { ChatError, type Conversation, type ConversationEvent, type LogEventData, type User } from '@tertulia/protocol';
import { newConversationId } from '../ids.ts';
import { appendAsMember, refuseUnlessOwner } from './append.ts';
import { authorOf, type Context } from './context.ts';

/** What of a conversation its owner sets; absent fields stay as they are. */
export type ConversationFields = LogEventData<'conversation_updated'>;

/** A conversation as the user sees it. @throws {ChatError} `not_found` */
export async function readConversation(context: Context, userId: string, id: string): Promise<Conversation> {
  const conversation = await context.store.conversations.get(userId, id);
  if (!conversation) throw new ChatError('not_found');
  return conversation;
}

/** Opens a conversation without a message; the user owns it. */
export async function createConversation(
  context: Context,
  user: User,
  fields: Pick<LogEventData<'conversation_created'>, 'title' | 'description' | 'metadata' | 'is_active'>,
): Promise<Conversation> {
  const id = newConversationId();
  const created_at = new Date().toISOString();
  const owner = { user_id: user.id, username: user.username, role: 'owner', joined_at: created_at } as const;
  const event: ConversationEvent = {
    conversation_id: id,
    seq: 1,
    type: 'conversation_created',
    actor: authorOf(user),
    created_at,
    data: { ...fields, owner },
  };
  await context.conversations.append(id, () => ({
    event,
    sender: user.id,
    client_msg_id: null,
    ends_task: null,
    claim: null,
  }));
  return readConversation(context, user.id, id);
}

/**
 * Changes title, description, metadata or state: the owner alone may, since it changes for all.
 * @throws {ChatError} `not_found`, `forbidden`
 */
export async function updateConversation(
  context: Context,
  user: User,
  id: string,
  fields: ConversationFields,
): Promise<Conversation> {
  if (Object.keys(fields).length > 0) {
    await appendAsMember(context, user, id, (_view, member) => {
      refuseUnlessOwner(member, 'Only the owner of a conversation may change it.');
      return { type: 'conversation_updated', data: fields };
    });
  }
  return readConversation(context, user.id, id);
}
