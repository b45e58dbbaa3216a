import { passwordSchema } from '@tertulia/protocol';
import { readConfig } from '../config.ts';
import { Refusal } from '../failure.ts';
import { withAccounts } from './console/accounts.ts';
import { EXIT, required, runAsProcess, type Command } from './console/command.ts';
import { PASSWORD_OPTIONS, passwordOf } from './console/password.ts';

/** Gives somebody who forgot theirs a new password. */
export const setPassword: Command = {
  name: 'set-password',
  about: 'Sets a new password and ends every login of the account. It may be run while the server runs.',
  options: {
    username: { value: 'NAME', about: 'Whose password it is.' },
    ...PASSWORD_OPTIONS,
  },
  async run(options, console) {
    const config = readConfig(console.variables);
    const username = required(options, 'username');
    const password = passwordSchema.safeParse(await passwordOf(options, console));
    if (!password.success) throw new Refusal('The password was not set. It must have 8 to 1,000 characters.');
    await withAccounts(config, (accounts) => accounts.setPassword(username, password.data));
    console.print(`The password of ${username} was set; live connections end within 15 seconds.`);
    return EXIT.done;
  },
};

if (import.meta.main) await runAsProcess(setPassword);
