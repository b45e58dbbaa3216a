import { ChatError, type Account, type Member, type User } from '@tertulia/protocol';
import { usernameKey } from '../accounts/names.ts';
import { appendAsMember, refuseUnlessOwner } from './append.ts';
import type { Context } from './context.ts';

const OWNER_ADDS = 'Only the owner of a conversation may add people.';
const OWNER_REMOVES = 'Only the owner of a conversation may remove others.';

/** The members of a conversation. @throws {ChatError} `not_found` */
export async function readMembers(context: Context, userId: string, conversationId: string): Promise<Member[]> {
  const members = await context.store.conversations.members(userId, conversationId);
  if (!members) throw new ChatError('not_found');
  return members;
}

/**
 * The owner adds somebody by username.
 * @throws {ChatError} `not_found`, `forbidden`, `already_member`
 */
export async function addMember(
  context: Context,
  user: User,
  conversationId: string,
  username: string,
): Promise<Member> {
  refuseUnlessOwner(await ownMembership(context, user.id, conversationId), OWNER_ADDS);
  const account = await findAccount(context, username);
  if (!account?.is_active) throw new ChatError('not_found', { message: 'There is nobody with this username.' });
  const joined_at = new Date().toISOString();
  const member: Member = { user_id: account.id, username: account.username, role: 'member', joined_at };
  await appendAsMember(context, user, conversationId, (view, asking) => {
    refuseUnlessOwner(asking, OWNER_ADDS);
    if (view.members.has(account.id)) throw new ChatError('already_member');
    return { type: 'member_joined', data: { member } };
  });
  return member;
}

/**
 * The owner removes a member, or a member leaves. The owner stays: a conversation has one as long as it is there.
 * @throws {ChatError} `not_found`, `forbidden`
 */
export async function removeMember(
  context: Context,
  user: User,
  conversationId: string,
  username: string,
): Promise<void> {
  const own = await ownMembership(context, user.id, conversationId);
  const account = await findAccount(context, username);
  if (account?.id !== user.id) refuseUnlessOwner(own, OWNER_REMOVES);
  await appendAsMember(context, user, conversationId, (view, asking) => {
    if (account?.id !== user.id) refuseUnlessOwner(asking, OWNER_REMOVES);
    const leaving = account && view.members.get(account.id);
    if (!leaving) throw new ChatError('not_found', { message: 'Nobody with this username is a member.' });
    if (leaving.role === 'owner') {
      throw new ChatError('forbidden', { message: 'The owner cannot leave. Delete the conversation instead.' });
    }
    return { type: 'member_left', data: { user_id: account.id, username: account.username } };
  });
}

/** Asked first, so that only members learn whether a username is taken. */
async function ownMembership(context: Context, userId: string, conversationId: string): Promise<Member> {
  const members = await readMembers(context, userId, conversationId);
  const own = members.find((member) => member.user_id === userId);
  if (!own) throw new ChatError('not_found');
  return own;
}

function findAccount({ store }: Context, username: string): Promise<Account | null> {
  const key = keyOf(username);
  return key === null ? Promise.resolve(null) : store.accounts.findUserByName(key);
}

/** What cannot be a username is nobody's. */
function keyOf(username: string): string | null {
  try {
    return usernameKey(username);
  } catch (error) {
    if (error instanceof ChatError) return null;
    throw error;
  }
}
