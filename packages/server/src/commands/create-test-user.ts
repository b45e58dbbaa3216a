import { createPasswords } from '../accounts/passwords.ts';
import { readConfig } from '../config.ts';
import { Refusal } from '../failure.ts';
import type { AccountStore } from '../store/account-store.ts';
import { namedDatabase, withAccounts } from './console/accounts.ts';
import { EXIT, runAsProcess, type Command } from './console/command.ts';
import { TEST_USER } from './console/test-user.ts';

/** Makes the account that the documentation and the test page use. */
export const createTestUser: Command = {
  name: 'create-test-user',
  about: `Makes the account ${TEST_USER.username} with the password ${TEST_USER.password}, for development only.`,
  options: {},
  async run(_options, console) {
    const config = readConfig(console.variables);
    if (config.ENVIRONMENT === 'production') {
      throw new Refusal(
        'The test user is never made in production: everybody knows its password. Use npm run create-user.',
      );
    }
    const isNew = await withAccounts(config, async (accounts, store) => {
      if (await isThere(store)) return false;
      await accounts.createUser(TEST_USER);
      return true;
    });
    const what = isNew ? 'The test user was made' : 'The test user is there already';
    console.print(`${what}: sign in as ${TEST_USER.username} with the password ${TEST_USER.password}.`);
    console.print(namedDatabase(config));
    return EXIT.done;
  },
};

/** @throws {Refusal} where somebody else has the name. */
async function isThere(store: AccountStore): Promise<boolean> {
  const found = await store.findCredentials(TEST_USER.username);
  if (!found) return false;
  const { account, password_hash } = found;
  if (account.is_active && (await createPasswords().matches(TEST_USER.password, password_hash))) return true;
  const why = account.is_active ? 'has another password' : 'is deactivated';
  throw new Refusal(`There is an account ${TEST_USER.username} already, and it ${why}. Nothing was changed.`);
}

if (import.meta.main) await runAsProcess(createTestUser);
