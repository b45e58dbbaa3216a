import { ChatError, type sessionSchema } from '@tertulia/protocol';
import type { z } from 'zod';
import { usernameKey } from './names.ts';
import type { AccountParts, Login } from './parts.ts';

/** A login session as its owner sees it, but for its live sockets, which the store does not know. */
export type ListedSession = Omit<z.infer<typeof sessionSchema>, 'live_sockets'>;

/** Ends the session that asks. */
export async function logOut(parts: AccountParts, { user, session_id }: Login): Promise<void> {
  if (await parts.store.endSession(user.id, session_id)) parts.onRevoked([session_id]);
}

/** Ends the user's sessions but the one to keep. */
export async function logOutEverywhere(
  parts: AccountParts,
  { user }: Login,
  keptSessionId: string | null,
): Promise<void> {
  parts.onRevoked(await parts.store.endSessions(user.id, keptSessionId));
}

/** The user's live sessions, newest first. */
export async function listSessions({ store }: AccountParts, { user, session_id }: Login): Promise<ListedSession[]> {
  const found = await store.listSessions(user.id);
  return found.map((session) => ({
    ...session,
    current: session.id === session_id,
    created_at: new Date(session.created_at).toISOString(),
    last_used_at: new Date(session.last_used_at).toISOString(),
    expires_at: new Date(session.expires_at).toISOString(),
  }));
}

/** Ends one of the user's sessions. @throws {ChatError} `not_found`, also for another's */
export async function endSession(parts: AccountParts, { user }: Login, sessionId: string): Promise<void> {
  if (!(await parts.store.endSession(user.id, sessionId))) throw new ChatError('not_found');
  parts.onRevoked([sessionId]);
}

/** Activates or deactivates an account by its username. @throws {ChatError} `not_found` */
export async function setActive(parts: AccountParts, username: string, active: boolean): Promise<void> {
  const user = await parts.store.findUserByName(usernameKey(username));
  const ended = user && (await parts.store.setActive(user.id, active));
  if (!ended) throw new ChatError('not_found', { message: `There is no account named ${username}.` });
  parts.onRevoked(ended);
}
