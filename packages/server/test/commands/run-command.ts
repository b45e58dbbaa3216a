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
  input = '',
): Promise<Answer> {
  const output: string[] = [];
  const errors: string[] = [];
  const code = await runCommand(command, words, {
    variables,
    print: (line) => void output.push(line),
    complain: (line) => void errors.push(line),
    readInput: () => Promise.resolve(input),
  });
  return { code, output: output.join('\n'), errors: errors.join('\n') };
}
