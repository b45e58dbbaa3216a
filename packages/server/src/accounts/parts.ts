import type { Account } from '@tertulia/protocol';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Refusals } from '../refusals.ts';
import type { AccountStore } from '../store/account-store.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { TryLimit } from './limits.ts';
import type { PasswordRules } from './password-rules.ts';
import type { Passwords } from './passwords.ts';
import type { RefreshTokens } from './refresh-tokens.ts';

/** What the verbs of accounts work with. */
export interface AccountParts {
  readonly store: AccountStore;
  readonly config: Config;
  readonly log: Logger;
  readonly passwords: Passwords;
  readonly checkPassword: PasswordRules;
  readonly accessTokens: AccessTokens;
  readonly refreshTokens: RefreshTokens;
  readonly limits: Readonly<Record<'logins' | 'accounts' | 'registrations' | 'refreshes', TryLimit>>;
  readonly refusedSignIns: Refusals;
  /** Told of login sessions that have just been ended: their sockets are to be closed. */
  readonly onRevoked: (sessionIds: readonly string[]) => void;
}

/** Who asks, as far as the connection and trusted proxies tell. */
export interface Peer {
  readonly address: string;
  readonly user_agent: string | null;
}

/** Somebody who is signed in. */
export interface Login {
  readonly user: Account;
  readonly session_id: string;
  /** When the access token ends, in Unix seconds. */
  readonly expires_at: number;
}
