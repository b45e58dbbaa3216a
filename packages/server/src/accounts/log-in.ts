import { randomUUID } from 'node:crypto';
import { ChatError, type tokensSchema } from '@tertulia/protocol';
import type { z } from 'zod';
import { addressKey } from './limits.ts';
import { loginKey } from './names.ts';
import type { Credentials } from '../store/account-store.ts';
import type { AccountParts, Peer } from './parts.ts';

/** How long after its exchange a refresh token is answered once more, with the same successor. */
const REFRESH_GRACE_MS = 10_000;

const DAY_MS = 86_400_000;
const MAX_USER_AGENT = 200;

/** What signing in and refreshing answer. */
export type Tokens = z.infer<typeof tokensSchema>;

/**
 * Signs in by username or email.
 * @throws {ChatError} `bad_credentials`, the same for unknown, wrong and deactivated, and after the same work; `rate_limited`
 */
export async function logIn(parts: AccountParts, name: string, password: string, peer: Peer): Promise<Tokens> {
  const { store, refreshTokens, config } = parts;
  const found = await authenticated(parts, loginKey(name), password, peer);
  const sessionId = randomUUID();
  const refreshToken = refreshTokens.first();
  const expiresAt = await store.createSession({
    id: sessionId,
    user_id: found.account.id,
    password_generation: found.password_generation,
    token_hash: refreshTokens.hash(refreshToken),
    lifetime_ms: config.REFRESH_TOKEN_DAYS * DAY_MS,
    address: peer.address,
    user_agent: printable(peer.user_agent),
  });
  if (expiresAt === null) throw new ChatError('bad_credentials');
  return tokens(parts, found.account.id, sessionId, refreshToken);
}

/**
 * Whose name and password these are. Counted before the costly check, so that a flood is refused without it; only what
 * failed keeps counting, so that nobody who knows the password meets the limit.
 */
async function authenticated(parts: AccountParts, key: string, password: string, peer: Peer): Promise<Credentials> {
  const { store, limits, passwords, log, refusedSignIns } = parts;
  const { address } = peer;
  let user_id: string | undefined;
  try {
    await limits.logins.take(addressKey(address));
    const found = await store.findCredentials(key);
    user_id = found?.account.id;
    await limits.accounts.take(user_id ?? `name ${key}`);
    const matches = await passwords.matches(password, found?.password_hash ?? null);
    if (!found?.account.is_active || !matches) throw new ChatError('bad_credentials');
    await Promise.all([limits.logins.giveBack(addressKey(address)), limits.accounts.giveBack(found.account.id)]);
    return found;
  } catch (error) {
    const code = error instanceof ChatError ? error.code : null;
    if (code === 'bad_credentials') log.info({ user_id: user_id ?? 'unknown', address }, 'sign-in failed');
    if (code === 'rate_limited') refusedSignIns.add(address, code);
    throw error;
  }
}

/**
 * Exchanges a refresh token. One that was exchanged before ends its session, since somebody else has it as well.
 * @throws {ChatError} `unauthorized`, `rate_limited`
 */
export async function refresh(parts: AccountParts, presented: string, { address }: Peer): Promise<Tokens> {
  const { store, refreshTokens, limits, log, onRevoked } = parts;
  await limits.refreshes.take(addressKey(address));
  const successor = refreshTokens.successor(presented);
  const result = await store.rotate(refreshTokens.hash(presented), refreshTokens.hash(successor), REFRESH_GRACE_MS);
  if (result.status === 'reused') {
    log.warn({ user_id: result.user_id }, 'a refresh token was used again: its login session has been ended');
    onRevoked([result.session_id]);
  }
  if (result.status === 'reused' || result.status === 'refused') throw new ChatError('unauthorized');
  return tokens(parts, result.account.id, result.session_id, successor);
}

async function tokens(
  { accessTokens, config }: AccountParts,
  userId: string,
  sessionId: string,
  refreshToken: string,
): Promise<Tokens> {
  const { token } = await accessTokens.issue(userId, sessionId);
  return {
    access_token: token,
    token_type: 'bearer',
    refresh_token: refreshToken,
    expires_in: config.ACCESS_TOKEN_MINUTES * 60,
  };
}

/** A user agent names itself; it is shown to people and so may not hold what a terminal or a page would obey. */
function printable(userAgent: string | null): string | null {
  const plain = userAgent
    ?.replaceAll(/[\p{Cc}\p{Cf}]/gu, '')
    .slice(0, MAX_USER_AGENT)
    .toWellFormed();
  return plain || null;
}
