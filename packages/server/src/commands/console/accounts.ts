import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { createAccounts, type Accounts } from '../../accounts/accounts.ts';
import { loadSecret } from '../../accounts/secret.ts';
import type { Config } from '../../config.ts';
import { openDataFolder } from '../../data-folder.ts';
import type { AccountStore } from '../../store/account-store.ts';
import { DATABASE_FILE, SqliteStore } from '../../store/sqlite/sqlite-store.ts';

/** Says which database a command wrote to: DATA_DIR may be another than the server's. */
export function namedDatabase({ DATA_DIR }: Config): string {
  return `The database is ${join(resolve(DATA_DIR), DATABASE_FILE)}.`;
}

/** Does something with the accounts in the data folder, beside a server that may be running on it. */
export async function withAccounts<T>(
  config: Config,
  work: (accounts: Accounts, store: AccountStore) => Promise<T>,
): Promise<T> {
  const directory = await openDataFolder(config);
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
