import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { createAccounts, type Accounts } from '../../accounts/accounts.ts';
import { loadSecret } from '../../accounts/secret.ts';
import type { Config } from '../../config.ts';
import { openDataFolder } from '../../data-folder.ts';
import { openStore } from '../../open-store.ts';
import type { AccountStore } from '../../store/account-store.ts';
import { shownUrl } from '../../store/mongodb-url.ts';
import { DATABASE_FILE } from '../../store/sqlite/sqlite-store.ts';

/** Says which database a command wrote to: the settings may be others than the server's. */
export function namedDatabase({ DATA_DIR, MONGODB_URL: url }: Config): string {
  return `The database is ${url === undefined ? join(resolve(DATA_DIR), DATABASE_FILE) : shownUrl(url)}.`;
}

/** Does something with the accounts in the database, beside servers that may be running on it. */
export async function withAccounts<T>(
  config: Config,
  work: (accounts: Accounts, store: AccountStore) => Promise<T>,
): Promise<T> {
  const directory = await openDataFolder(config);
  const secret = await loadSecret(config, directory);
  const { promise: broken, reject } = Promise.withResolvers<never>();
  const log = pino({ level: 'silent' });
  const store = await openStore(config, { directory, exclusive: false, onFatal: reject, log });
  const accounts = createAccounts({ store: store.accounts, config, log, secret, onRevoked: () => undefined });
  try {
    return await Promise.race([work(accounts, store.accounts), broken]);
  } finally {
    await store.close();
  }
}
