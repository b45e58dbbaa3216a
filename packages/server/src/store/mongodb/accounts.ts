import type { Db } from 'mongodb';
import type { AccountStore, UserChanges } from '../account-store.ts';
import { AccountRevisions, REVISION_INDEXES, toAccount, type AccountContent } from './account-revisions.ts';
import type { DatabaseClock } from './clock.ts';
import type { IndexWanted } from './collections.ts';
import { SESSION_INDEXES, Sessions } from './sessions.ts';

/** By collection. None of these is sharded: the unique names could not be kept, and an account takes some kilobytes. */
export const ACCOUNT_INDEXES: Readonly<Record<string, readonly IndexWanted[]>> = {
  accounts: REVISION_INDEXES,
  ...SESSION_INDEXES,
};

/** Accounts and login sessions in MongoDB. Every decision is one insert, so that nothing is ever half made. */
export function mongoAccounts(db: Db, clock: DatabaseClock): AccountStore {
  const revisions = new AccountRevisions(db);
  const sessions = new Sessions(db, revisions, clock);
  return {
    createUser: (user) => revisions.create(user),
    async findUser(userId) {
      const newest = await revisions.newest(userId);
      return newest && toAccount(newest);
    },
    async findUserByName(usernameKey) {
      const newest = await revisions.named('username_key', usernameKey);
      return newest && toAccount(newest);
    },
    async findCredentials(key) {
      const newest = await revisions.named(key.includes('@') ? 'email_key' : 'username_key', key);
      if (!newest) return null;
      const { password_hash, password_generation } = newest.content;
      return { account: toAccount(newest), password_hash, password_generation };
    },
    async updateUser(userId, changes) {
      const changed = await revisions.change(userId, (content) => renamed(content, changes));
      if (changed?.status !== 'stored') return changed ?? { status: 'missing' };
      return { status: 'stored', account: toAccount(changed.after) };
    },
    async setActive(userId, active) {
      const changed = await revisions.change(userId, (content) => activated(content, active));
      if (changed?.status !== 'stored') return null;
      if (active) return [];
      const { content } = changed.after;
      return sessions.liveUnder(userId, { ...content, is_active: true, deactivations: content.deactivations - 1 });
    },
    async changePassword({ user_id, generation, password_hash, kept_session_id }) {
      const next = { password_hash, password_generation: generation, kept_session_id };
      const changed = await revisions.change(user_id, (content) =>
        content.password_generation === generation - 1 ? { ...content, ...next } : null,
      );
      if (changed?.status !== 'stored') return null;
      const live = await sessions.liveUnder(user_id, changed.before.content);
      return live.filter((id) => id !== kept_session_id);
    },
    createSession: (session) => sessions.create(session),
    rotate: (presentedHash, successorHash, graceMs) => sessions.rotate(presentedHash, successorHash, graceMs),
    findLogin: async (sessionId) => (await sessions.findLogin(sessionId))?.account ?? null,
    liveSessions: (sessionIds) => sessions.liveIds(sessionIds),
    listSessions: (userId) => sessions.list(userId),
    async endSession(userId, sessionId) {
      const login = await sessions.findLogin(sessionId);
      if (login?.account.id !== userId) return false;
      return (await sessions.end([login.session])).length === 1;
    },
    async endSessions(userId, keptSessionId) {
      const live = await sessions.ofUser(userId);
      return sessions.end(live.filter(({ _id }) => _id !== keptSessionId));
    },
  };
}

/** The usernames of these users, as they are now, by user id. */
export async function usernames(db: Db, userIds: readonly string[]): Promise<Map<string, string>> {
  return new AccountRevisions(db).usernames(userIds);
}

function renamed(content: AccountContent, { username, email, full_name }: UserChanges): AccountContent {
  return {
    ...content,
    ...(username && { username: username.name, username_key: username.key }),
    ...(email && { email: email.address, email_key: email.key }),
    ...(full_name !== undefined && { full_name }),
  };
}

function activated(content: AccountContent, active: boolean): AccountContent {
  if (content.is_active === active) return content;
  return { ...content, is_active: active, deactivations: content.deactivations + (active ? 0 : 1) };
}
