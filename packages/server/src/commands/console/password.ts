import { text } from 'node:stream/consumers';
import { required, WrongUsage, type Console, type OptionValues } from './command.ts';

/** The options of a command that takes a password. */
export const PASSWORD_OPTIONS = {
  password: {
    value: 'PASSWORD',
    about: 'At least 8 characters. Others on this machine may see it: rather use the next.',
  },
  'password-stdin': { about: 'Reads the password from standard input, up to the end of the first line.' },
} as const;

/** The password that was given, in either way. @throws {WrongUsage} */
export async function passwordOf(options: OptionValues, console: Console): Promise<string> {
  const fromInput = options['password-stdin'] === true;
  if (fromInput && options['password'] !== undefined) {
    throw new WrongUsage('--password and --password-stdin cannot both be given.');
  }
  if (!fromInput) return required(options, 'password');
  return (await text(console.stdin)).split(/\r?\n/, 1)[0] ?? '';
}
