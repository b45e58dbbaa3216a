import { registerSchema } from '@tertulia/protocol';
import type { Registration } from '../accounts/register.ts';
import { readConfig } from '../config.ts';
import { Refusal } from '../failure.ts';
import { namedDatabase, withAccounts } from './console/accounts.ts';
import { EXIT, required, runAsProcess, type Command } from './console/command.ts';
import { PASSWORD_OPTIONS, passwordOf } from './console/password.ts';

/** Makes an account without the web. */
export const createUser: Command = {
  name: 'create-user',
  about: 'Makes an account. It may be run while the server runs.',
  options: {
    username: { value: 'NAME', about: '3 to 50 letters, digits, dots, dashes or underscores.' },
    email: { value: 'ADDRESS', about: 'The email address, which is also good for signing in.' },
    ...PASSWORD_OPTIONS,
    'full-name': { value: 'NAME', about: 'The name that is shown.' },
    superuser: { about: 'Marks the account as superuser; nothing in this version asks for it.' },
  },
  async run(options, console) {
    const config = readConfig(console.variables);
    const registration = checked({
      username: required(options, 'username'),
      email: required(options, 'email'),
      password: await passwordOf(options, console),
      full_name: options['full-name'] as string | undefined,
    });
    const is_superuser = options['superuser'] === true;
    const account = await withAccounts(config, (accounts) => accounts.createUser(registration, { is_superuser }));
    console.print(
      `The account ${account.username} <${account.email}> was made${is_superuser ? ', as superuser' : ''}.`,
    );
    console.print(namedDatabase(config));
    return EXIT.done;
  },
};

/** The form that registering over REST asks for as well. */
function checked(registration: Registration): Registration {
  const result = registerSchema.safeParse(registration);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${optionOf(path[0])}: ${message}`);
  throw new Refusal(`The account was not made. ${problems.join('. ')}.`);
}

function optionOf(field: PropertyKey | undefined): string {
  return `--${String(field).replace('_', '-')}`;
}

if (import.meta.main) await runAsProcess(createUser);
