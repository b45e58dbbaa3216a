import { resolve } from 'node:path';
import { pino } from 'pino';
import { createAccounts, type Accounts } from '../../accounts/accounts.ts';
import { loadSecret } from '../../accounts/secret.ts';
import type { Config } from '../../config.ts';
import type { AccountStore } from '../../store/account-store.ts';
import { SqliteStore } from '../../store/sqlite/sqlite-store.ts';

/** Does something with the accounts in the data folder, beside a server that may be running on it. */
export async function withAccounts<T>(
  config: Config,
  work: (accounts: Accounts, store: AccountStore) => Promise<T>,
): Promise<T> {
  const directory = resolve(config.DATA_DIR);
  const secret = await loadSecret(config, directory);
  const { promise: broken, reject } = Promise.withResolvers<never>();
  const store = await SqliteStore.open({ directory, exclusive: false, onFatal: reject });
  const log = pino({ level: 'silent' });
  const accounts = createAccounts({ store: store.accounts, config, log, secret, onRevoked: () => undefined });
  try {
    return await Promise.race([work(accounts, store.accounts), broken]);
  } finally {
    await store.close();
  }
}
