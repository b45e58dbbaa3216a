import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable, type Readable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { Refusal } from '../../failure.ts';
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
  return isTerminal(console.stdin) ? typed(console) : firstLine(console.stdin);
}

function isTerminal(stdin: Readable): boolean {
  return (stdin as Partial<ReadStream>).isTTY === true;
}

/** The first line, without waiting for the input's end: whoever writes into a pipe may keep it open. */
async function firstLine(stdin: Readable): Promise<string> {
  const read: Buffer[] = [];
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    read.push(chunk);
    if (chunk.includes('\n')) break;
  }
  return Buffer.concat(read).toString().split(/\r?\n/, 1)[0] ?? '';
}

/** What a person types, up to Enter, without showing it. @throws {Refusal} where they give it up */
async function typed(console: Console): Promise<string> {
  console.complain('Type the password, which is not shown, and press Enter:');
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: console.stdin, output: nowhere, terminal: true });
  try {
    const given = once(lines, 'line').then(([line]) => line as string);
    const line = await Promise.race([given, once(lines, 'close').then(() => null)]);
    if (line === null) throw new Refusal('No password was typed, and nothing was changed.');
    return line;
  } finally {
    lines.close();
  }
}
