import { Readable, Writable } from 'node:stream';
import { runCommand, type Command } from '../../src/commands/console/command.ts';

/** What a command answered. */
export interface Answer {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs a command in this process, as `npm run` would in one of its own. */
export async function run(
  command: Command,
  words: readonly string[],
  variables: Readonly<Record<string, string>>,
  input: string | Buffer = '',
): Promise<Answer> {
  const output: string[] = [];
  const errors: string[] = [];
  let written = '';
  const code = await runCommand(command, words, {
    variables,
    print: (line) => void output.push(line),
    complain: (line) => void errors.push(line),
    stdin: Readable.from([Buffer.from(input)]),
    stdout: new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        written += text;
        done();
      },
    }),
  });
  return { code, output: written + output.join('\n'), errors: errors.join('\n') };
}
