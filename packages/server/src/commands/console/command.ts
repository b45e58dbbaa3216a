import type { Readable, Writable } from 'node:stream';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { loadEnvFile } from '../../env-file.ts';
import { explainFailure, Refusal } from '../../failure.ts';

/** How a command ends: done; refused or failed; called in a wrong way. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** What a command has of the world, so that tests can give it another one. */
export interface Console {
  readonly variables: Readonly<Record<string, string | undefined>>;
  print(line: string): void;
  complain(line: string): void;
  readonly stdin: Readable;
  readonly stdout: Writable;
}

/** What the options of a command came to. */
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

/** One option: with `value`, the word that stands for its value in the help, it takes one. */
export interface Option {
  readonly value?: string;
  readonly about: string;
}

/** A command of `npm run`: its name, what it is for, its options, and what it does; answers its exit code. */
export interface Command {
  readonly name: string;
  readonly about: string;
  readonly options: Readonly<Record<string, Option>>;
  run(options: OptionValues, console: Console): Promise<number>;
}

/** The command was called in a way that it does not take. */
export class WrongUsage extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WrongUsage';
  }
}

/** The value of an option that must be given. @throws {WrongUsage} */
export function required(options: OptionValues, name: string): string {
  const value = options[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new WrongUsage(`--${name} is missing.`);
}

/** Runs a command; whatever goes wrong becomes one sentence and an exit code. */
export async function runCommand(command: Command, words: readonly string[], console: Console): Promise<number> {
  try {
    const options = parse(command, words);
    if (options['help'] !== true) return await command.run(options, console);
    console.print(helpOf(command));
    return EXIT.done;
  } catch (error) {
    return complain(command, error, console);
  }
}

/** Runs a command as this process. */
export async function runAsProcess(command: Command): Promise<void> {
  try {
    loadEnvFile();
  } catch (error) {
    process.stderr.write(`${(error as Refusal).message}\n`);
    process.exitCode = EXIT.failed;
    return;
  }
  process.exitCode = await runCommand(command, process.argv.slice(2), {
    variables: process.env,
    print: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
    stdin: process.stdin,
    stdout: process.stdout,
  });
}

function parse({ options }: Command, words: readonly string[]): OptionValues {
  const known: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { value }] of Object.entries(options)) known[name] = { type: value ? 'string' : 'boolean' };
  try {
    return parseArgs({ args: [...words], options: known, strict: true }).values as OptionValues;
  } catch (error) {
    throw new WrongUsage((error as Error).message.split('. ', 1)[0]?.replace(/\.?$/, '.') ?? '');
  }
}

function complain({ name }: Command, error: unknown, console: Console): number {
  if (error instanceof WrongUsage) {
    console.complain(`${error.message} See: npm run ${name} -- --help`);
    return EXIT.usage;
  }
  const dataDir = console.variables['DATA_DIR'] ?? './data';
  console.complain(explainFailure(error, dataDir) ?? `npm run ${name} failed: ${String(error)}`);
  return EXIT.failed;
}

function helpOf({ name, about, options }: Command): string {
  const help: Option = { about: 'Says this.' };
  const rows = Object.entries({ ...options, help }).map(([option, { value, about }]): [string, string] => [
    `--${option}${value ? ` ${value}` : ''}`,
    about,
  ]);
  const width = Math.max(...rows.map(([option]) => option.length));
  const lines = rows.map(([option, about]) => `  ${option.padEnd(width)}  ${about}`);
  return `npm run ${name} -- [options]\n\n${about}\n\n${lines.join('\n')}`;
}
