import { randomUUID } from 'node:crypto';
import { ChatError, type Account } from '@tertulia/protocol';
import type { NamingResult } from '../store/account-store.ts';
import { addressKey } from './limits.ts';
import { emailKey, usernameKey } from './names.ts';
import type { AccountParts, Peer } from './parts.ts';

/** An account to be made. */
export interface Registration {
  readonly username: string;
  readonly email: string;
  readonly password: string;
  readonly full_name?: string | null | undefined;
}

/** Makes an account for somebody at `peer`. */
export async function register(parts: AccountParts, registration: Registration, peer: Peer): Promise<Account> {
  await parts.limits.registrations.take(addressKey(peer.address));
  return createUser(parts, registration);
}

/**
 * Makes an account.
 * @throws {ChatError} `email_taken`, `username_taken`, `weak_password`, `invalid_payload`
 */
export async function createUser(
  { store, passwords, checkPassword }: AccountParts,
  { username, email, password, full_name }: Registration,
  { is_superuser }: { is_superuser: boolean } = { is_superuser: false },
): Promise<Account> {
  const keys = { username_key: usernameKey(username), email_key: emailKey(email) };
  checkPassword(password);
  // A look before the costly hash; the unique indexes decide.
  if (await store.findCredentials(keys.email_key)) throw new ChatError('email_taken');
  if (await store.findUserByName(keys.username_key)) throw new ChatError('username_taken');
  return stored(
    await store.createUser({
      id: randomUUID(),
      username,
      email: email.trim(),
      ...keys,
      full_name: full_name ?? null,
      password_hash: await passwords.hash(password),
      is_superuser,
      created_at: new Date().toISOString(),
    }),
  );
}

/** The account, or the refusal as an error. */
export function stored(result: NamingResult): Account {
  if (result.status === 'stored') return result.account;
  throw new ChatError(result.status);
}
