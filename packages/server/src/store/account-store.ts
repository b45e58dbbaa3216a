import type { Account } from '@tertulia/protocol';

/** An account to be stored. The two keys are the canonical forms under which names are unique. */
export interface NewUser {
  readonly id: string;
  readonly username: string;
  readonly username_key: string;
  readonly email: string;
  readonly email_key: string;
  readonly full_name: string | null;
  readonly password_hash: string;
  readonly is_superuser: boolean;
  readonly created_at: string;
}

/** What of an account may change; absent fields stay. A name comes with its key. */
export interface UserChanges {
  readonly username?: { readonly name: string; readonly key: string };
  readonly email?: { readonly address: string; readonly key: string };
  readonly full_name?: string | null;
}

/** The answer to a new or changed name: the unique indexes decide. */
export type NamingResult =
  | { readonly status: 'stored'; readonly account: Account }
  | { readonly status: 'email_taken' }
  | { readonly status: 'username_taken' };

/** What signing in is checked against. */
export interface Credentials {
  readonly account: Account;
  readonly password_hash: string;
  /** Counts the passwords of the account: 1, 2, 3… */
  readonly password_generation: number;
}

/** A login session to be stored, with its first refresh token. */
export interface NewSession {
  readonly id: string;
  readonly user_id: string;
  /** The generation of the password that was checked: a session of an older one is never live. */
  readonly password_generation: number;
  readonly token_hash: string;
  readonly lifetime_ms: number;
  readonly address: string | null;
  readonly user_agent: string | null;
}

/** A live login session as its owner sees it; times in Unix milliseconds. */
export interface SessionRecord {
  readonly id: string;
  readonly created_at: number;
  readonly last_used_at: number;
  readonly expires_at: number;
  readonly address: string | null;
  readonly user_agent: string | null;
}

/** What became of a refresh token that was presented. */
export type RotationResult =
  /** `rotated`: the successor was stored. `repeated`: it had been, within the grace; the same successor is still the newest. */
  | { readonly status: 'rotated' | 'repeated'; readonly session_id: string; readonly account: Account }
  /** Used before: the session has been ended, with every token of it. */
  | { readonly status: 'reused'; readonly session_id: string; readonly user_id: string }
  /** Unknown, or its session is no longer live. */
  | { readonly status: 'refused' };

/** A new password, stored as the next generation. */
export interface NewPassword {
  readonly user_id: string;
  readonly generation: number;
  readonly password_hash: string;
  /** The one session that stays; all others end with the old password. */
  readonly kept_session_id: string | null;
}

/**
 * Accounts and login sessions. A session is live while it has not been ended or expired, its account is active, and
 * it was made with the current password or made that password. Expiry and grace go by the database's own clock.
 */
export interface AccountStore {
  createUser(user: NewUser): Promise<NamingResult>;
  findUser(userId: string): Promise<Account | null>;
  /** By the canonical form of a username. */
  findUserByName(usernameKey: string): Promise<Account | null>;
  /** By the canonical form of a username or of an email; a username has no `@`, an email has one. */
  findCredentials(key: string): Promise<Credentials | null>;
  updateUser(userId: string, changes: UserChanges): Promise<NamingResult | { readonly status: 'missing' }>;
  /** Deactivating ends every session, for good. Answers the ids of those ended, or null where there is no such account. */
  setActive(userId: string, active: boolean): Promise<string[] | null>;
  /** Stores the next password and ends the other sessions, whose ids it answers; null where another change came first. */
  changePassword(password: NewPassword): Promise<string[] | null>;
  /** Answers when the session expires (Unix ms), or null where it would not be live: deactivated, or another password by now. */
  createSession(session: NewSession): Promise<number | null>;
  /** Exchanges a refresh token, given by hash, for its successor. One direct repeat within `graceMs` is no misuse. */
  rotate(presentedHash: string, successorHash: string, graceMs: number): Promise<RotationResult>;
  /** The account of a live session, or null. */
  findLogin(sessionId: string): Promise<Account | null>;
  /** Those of the sessions that are live. */
  liveSessions(sessionIds: readonly string[]): Promise<string[]>;
  /** The user's live sessions, newest first. */
  listSessions(userId: string): Promise<SessionRecord[]>;
  /** Ends one live session of the user; false where there is none by this id. */
  endSession(userId: string, sessionId: string): Promise<boolean>;
  /** Ends the user's live sessions but the one to keep; answers their ids. */
  endSessions(userId: string, keptSessionId: string | null): Promise<string[]>;
}
