import { readConfig } from '../config.ts';
import { withAccounts } from './console/accounts.ts';
import { EXIT, required, runAsProcess, WrongUsage, type Command } from './console/command.ts';

/** Shuts an account out, or lets it in again. */
export const setActive: Command = {
  name: 'set-active',
  about: 'Deactivates an account, which ends its logins, or activates it again. It may be run while the server runs.',
  options: {
    username: { value: 'NAME', about: 'Whose account it is.' },
    active: { value: 'yes|no', about: 'Whether the account may sign in.' },
  },
  async run(options, console) {
    const config = readConfig(console.variables);
    const username = required(options, 'username');
    const active = required(options, 'active');
    if (active !== 'yes' && active !== 'no') throw new WrongUsage('--active takes yes or no.');
    await withAccounts(config, (accounts) => accounts.setActive(username, active === 'yes'));
    const outcome = active === 'yes' ? 'may sign in again' : 'is shut out; live connections end within 15 seconds';
    console.print(`${username} ${outcome}.`);
    return EXIT.done;
  },
};

if (import.meta.main) await runAsProcess(setActive);
