import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { guardChild } from './guard-child.ts';

/** How a program ended, and all that it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

/** What a program is started with. */
export interface ProgramOptions {
  /** Its working folder, and the data folder unless the variables say otherwise. */
  readonly directory: string;
  readonly words?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** A line that does not come within this time will not come. */
const PATIENCE_MS = 45_000;

/** The server (`main`) or a command (`commands/backup`) as a process of its own. */
export class Program {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #output: string[] = [];
  readonly #errors: string[] = [];
  #wake: () => void = () => undefined;

  constructor(name: string, { directory, words = [], variables = {}, input }: ProgramOptions) {
    const path = fileURLToPath(new URL(`../../src/${name}.ts`, import.meta.url));
    this.#child = spawn(process.execPath, [path, ...words], {
      cwd: directory, // so that no .env file of the developer's is read
      env: { PATH: process.env['PATH'], DATA_DIR: directory, PORT: '0', ASSISTANT: 'echo', ...variables },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    guardChild(this.#child);
    this.#child.stdin?.end(input);
    createInterface(this.#child.stdout!).on('line', (line) => this.#keep(this.#output, line));
    createInterface(this.#child.stderr!).on('line', (line) => this.#keep(this.#errors, line));
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#wake();
      return { code, signal, output: this.output, errors: this.errors };
    });
  }

  /** Runs a command to its end. */
  static run(name: string, options: ProgramOptions): Promise<Ended> {
    return new Program(name, options).ended;
  }

  #keep(lines: string[], line: string): void {
    lines.push(line);
    this.#wake();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get output(): string {
    return this.#output.join('\n');
  }

  get errors(): string {
    return this.#errors.join('\n');
  }

  /** The first line of its output that holds this, and for which `isIt` holds. @throws with all that it said where none comes. */
  async line(wanted: string, isIt: (line: string) => boolean = () => true): Promise<string> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = this.#output.find((line) => line.includes(wanted) && isIt(line));
      if (found !== undefined) return found;
      if (deadline.aborted || this.#child.exitCode !== null) {
        throw new Error(`no line with ${wanted}:\n${this.output}\n${this.errors}`);
      }
      await Promise.race([
        new Promise<void>((resolve) => (this.#wake = resolve)),
        once(deadline, 'abort').catch(() => undefined),
      ]);
    }
  }

  /** Waits until the server listens; answers its address. */
  async listening(): Promise<string> {
    const { url } = JSON.parse(await this.line('"msg":"listening"')) as { url: string };
    return url;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to stop. */
  stop(): Promise<Ended> {
    this.signal('SIGTERM');
    return this.ended;
  }
}
