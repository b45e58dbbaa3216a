import { randomUUID } from 'node:crypto';
import { createAccessTokens } from '../packages/server/src/accounts/access-tokens.ts';
import type { Store } from '../packages/server/src/store/store.ts';
import { SqliteStore } from '../packages/server/src/store/sqlite/sqlite-store.ts';
import { BENCH_SECRET } from './servers.ts';

/** Somebody with an account and a login. */
export interface SeededUser {
  readonly id: string;
  readonly username: string;
  readonly token: string;
}

/** Makes users with a login session each, past the password hash, and answers their access tokens. */
export async function seedUsers(directory: string, count: number): Promise<SeededUser[]> {
  const onFatal = (error: Error) => {
    throw error;
  };
  const store = await SqliteStore.open({ directory, exclusive: true, onFatal });
  const seeded = await seedUsersIn(store, count);
  await store.close();
  return seeded;
}

/** The same in a database that is open. */
export function seedUsersIn(store: Store, count: number): Promise<SeededUser[]> {
  const tokens = createAccessTokens({ secret: BENCH_SECRET, minutes: 600 });
  return Promise.all(Array.from({ length: count }, (_, index) => seedUser(store, tokens, `user${index}`)));
}

async function seedUser(store: Store, tokens: ReturnType<typeof createAccessTokens>, username: string) {
  const id = randomUUID();
  const email = `${username}@example.com`;
  await store.accounts.createUser({
    id,
    username,
    username_key: username,
    email,
    email_key: email,
    full_name: null,
    password_hash: 'no password',
    is_superuser: false,
    created_at: new Date().toISOString(),
  });
  const session = randomUUID();
  await store.accounts.createSession({
    id: session,
    user_id: id,
    password_generation: 1,
    token_hash: randomUUID(),
    lifetime_ms: 86_400_000,
    address: null,
    user_agent: null,
  });
  const { token } = await tokens.issue(id, session);
  return { id, username, token };
}
