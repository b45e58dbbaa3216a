import { ChatError, type Account } from '@tertulia/protocol';
import { limitersInMemory, type RateLimiters } from '../rate-limiters.ts';
import { createRefusals } from '../refusals.ts';
import { createAccessTokens } from './access-tokens.ts';
import { createTryLimit } from './limits.ts';
import { logIn, refresh, type Tokens } from './log-in.ts';
import { createPasswordRules } from './password-rules.ts';
import { createPasswords } from './passwords.ts';
import type { AccountParts, Login, Peer } from './parts.ts';
import { createRefreshTokens } from './refresh-tokens.ts';
import { createUser, register, type Registration } from './register.ts';
import { endSession, listSessions, logOut, logOutEverywhere, setActive, type ListedSession } from './sessions.ts';
import { changePassword, setPassword, updateMe, type MeChanges } from './update-me.ts';

/** A minute, of all who share an address: more than ten thousand people ask for, and little for the database. */
const REFRESHES_PER_ADDRESS = 3_000;

/** What accounts are made of: the store, the settings, and who is told of ended sessions. */
export interface AccountsSettings extends Pick<AccountParts, 'store' | 'config' | 'log' | 'onRevoked'> {
  /** Signs access tokens and the chain of refresh tokens; see `loadSecret`. */
  readonly secret: string;
  /** Told of an account that changed its names, whose sockets may be open. */
  readonly onRenamed?: (account: Account) => void;
  /** Count the tries; in this process by default. */
  readonly limiters?: RateLimiters;
  /** Unix milliseconds, for access tokens. */
  readonly clock?: () => number;
}

/** People's accounts and login sessions. Everything that can be refused throws a ChatError. */
export interface Accounts {
  /** How many passwords wait to be hashed or checked. */
  readonly passwordQueueDepth: number;
  register(registration: Registration, peer: Peer): Promise<Account>;
  /** By username or email. */
  logIn(name: string, password: string, peer: Peer): Promise<Tokens>;
  refresh(refreshToken: string, peer: Peer): Promise<Tokens>;
  /** Who holds this access token, where token, session and account are all in order. @throws {ChatError} `unauthorized` */
  authenticate(token: string): Promise<Login>;
  /** Which of these sessions are still live. */
  liveSessions(sessionIds: readonly string[]): Promise<Set<string>>;
  updateMe(login: Login, changes: MeChanges): Promise<Account>;
  /** Ends every other session. */
  changePassword(login: Login, current: string, next: string): Promise<void>;
  logOut(login: Login): Promise<void>;
  logOutEverywhere(login: Login): Promise<void>;
  sessions(login: Login): Promise<ListedSession[]>;
  endSession(login: Login, sessionId: string): Promise<void>;
  endOtherSessions(login: Login): Promise<void>;
  /** For commands: makes an account without the limits of `register`. */
  createUser(registration: Registration, rights?: { is_superuser: boolean }): Promise<Account>;
  /** For commands: sets a password without the current one, which ends every session. By username. */
  setPassword(username: string, password: string): Promise<void>;
  /** For commands: deactivates an account, which ends its sessions, or activates it again. By username. */
  setActive(username: string, active: boolean): Promise<void>;
}

/** Makes the accounts of a server or a command. */
export function createAccounts({ secret, clock, onRenamed, limiters, ...settings }: AccountsSettings): Accounts {
  const { config, store } = settings;
  const tryLimit = (name: string, perMinute: number) => createTryLimit(limiters ?? limitersInMemory, name, perMinute);
  const passwords = createPasswords();
  const parts: AccountParts = {
    ...settings,
    passwords,
    checkPassword: createPasswordRules(config.ENVIRONMENT),
    accessTokens: createAccessTokens({ secret, minutes: config.ACCESS_TOKEN_MINUTES, ...(clock && { clock }) }),
    refreshTokens: createRefreshTokens(secret),
    limits: {
      logins: tryLimit('sign-ins', config.LOGINS_PER_ADDRESS),
      accounts: tryLimit('account-sign-ins', config.LOGINS_PER_ACCOUNT),
      registrations: tryLimit('registrations', config.LOGINS_PER_ADDRESS),
      refreshes: tryLimit('refreshes', REFRESHES_PER_ADDRESS),
    },
    refusedSignIns: createRefusals(settings.log, 'sign-in refused'),
  };
  return {
    get passwordQueueDepth() {
      return passwords.queueDepth;
    },
    register: (registration, peer) => register(parts, registration, peer),
    logIn: (name, password, peer) => logIn(parts, name, password, peer),
    refresh: (refreshToken, peer) => refresh(parts, refreshToken, peer),
    authenticate: (token) => authenticate(parts, token),
    liveSessions: async (sessionIds) => new Set(await store.liveSessions(sessionIds)),
    async updateMe(login, changes) {
      const account = await updateMe(parts, login, changes);
      onRenamed?.(account);
      return account;
    },
    changePassword: (login, current, next) => changePassword(parts, login, current, next),
    logOut: (login) => logOut(parts, login),
    logOutEverywhere: (login) => logOutEverywhere(parts, login, null),
    sessions: (login) => listSessions(parts, login),
    endSession: (login, sessionId) => endSession(parts, login, sessionId),
    endOtherSessions: (login) => logOutEverywhere(parts, login, login.session_id),
    createUser: (registration, rights) => createUser(parts, registration, rights),
    setPassword: (username, password) => setPassword(parts, username, password),
    setActive: (username, active) => setActive(parts, username, active),
  };
}

async function authenticate({ accessTokens, store }: AccountParts, token: string): Promise<Login> {
  const { user_id, session_id, expires_at } = await accessTokens.verify(token);
  const user = await store.findLogin(session_id);
  if (user?.id !== user_id) throw new ChatError('unauthorized');
  return { user, session_id, expires_at };
}
