import { ChatError, type Account, type updateMeSchema } from '@tertulia/protocol';
import type { z } from 'zod';
import { emailKey, loginKey, usernameKey } from './names.ts';
import type { AccountParts, Login } from './parts.ts';
import { stored } from './register.ts';

/** What people may change of their account; absent fields stay. */
export type MeChanges = z.infer<typeof updateMeSchema>;

/** Changes names. @throws {ChatError} `email_taken`, `username_taken`, `invalid_payload` */
export async function updateMe(
  { store }: AccountParts,
  { user }: Login,
  { username, email, full_name }: MeChanges,
): Promise<Account> {
  const result = await store.updateUser(user.id, {
    ...(username !== undefined && { username: { name: username, key: usernameKey(username) } }),
    ...(email !== undefined && { email: { address: email, key: emailKey(email) } }),
    ...(full_name !== undefined && { full_name }),
  });
  if (result.status === 'missing') throw new ChatError('unauthorized');
  return stored(result);
}

/**
 * Sets a new password, which ends every other session.
 * @throws {ChatError} `bad_credentials` for a wrong current one, also where another change came first; `weak_password`, `rate_limited`
 */
export async function changePassword(
  { store, limits, passwords, checkPassword, onRevoked }: AccountParts,
  { user, session_id }: Login,
  current: string,
  next: string,
): Promise<void> {
  await limits.accounts.take(user.id);
  checkPassword(next);
  const found = await store.findCredentials(loginKey(user.username));
  const matches = await passwords.matches(current, found?.password_hash ?? null);
  const ended =
    found && matches && found.account.id === user.id
      ? await store.changePassword({
          user_id: user.id,
          generation: found.password_generation + 1,
          password_hash: await passwords.hash(next),
          kept_session_id: session_id,
        })
      : null;
  if (!ended) throw new ChatError('bad_credentials', { message: 'The current password is not right.' });
  onRevoked(ended);
}

/**
 * Sets a password for whoever runs the server: without the current one, and ending every session.
 * @throws {ChatError} `not_found`, `weak_password`, `unavailable` where another change came first
 */
export async function setPassword(
  { store, passwords, checkPassword, onRevoked }: AccountParts,
  username: string,
  next: string,
): Promise<void> {
  checkPassword(next);
  const found = await store.findCredentials(usernameKey(username));
  if (!found) throw new ChatError('not_found', { message: `There is no account named ${username}.` });
  const ended = await store.changePassword({
    user_id: found.account.id,
    generation: found.password_generation + 1,
    password_hash: await passwords.hash(next),
    kept_session_id: null,
  });
  if (!ended) throw new ChatError('unavailable');
  onRevoked(ended);
}
