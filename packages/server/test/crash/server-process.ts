import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SettingName } from '../../src/config.ts';
import { guardChild } from '../support/guard-child.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const KEPT_LINES = 40;
const KEPT_UNITS = 500;
const START_MS = 60_000;

/** How the server's process is started. */
export interface ProcessOptions {
  /** What is run; the product by default. */
  readonly main?: string | undefined;
  readonly directory: string;
  readonly port: number;
  readonly settings?: Partial<Record<SettingName, string>>;
  /** Modules that are loaded before the server. */
  readonly preload?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Below the ports that systems give to outgoing connections: one of those takes a port, once in a while, just when a
 * server that listened on it is started again.
 */
const PORTS = { first: 12_000, count: 20_000 };

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** The real server in a process of its own, ready to serve. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  /** Resolves when nothing more comes from it. */
  readonly #silent: Promise<unknown>;
  /** Resolves when the process has gone, however it went. */
  readonly gone: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  private constructor(options: ProcessOptions) {
    const preload = (options.preload ?? []).flatMap((module) => ['--import', module]);
    this.#child = spawn(process.execPath, [...preload, options.main ?? MAIN], {
      cwd: options.directory, // so that no .env file of the developer's is read
      env: {
        PATH: process.env['PATH'],
        DATA_DIR: options.directory,
        PORT: String(options.port),
        NODE_ID: 'crash',
        LOG_LEVEL: 'info',
        ...options.settings,
        ...options.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    guardChild(this.#child);
    this.#silent = once(this.#child, 'close');
    this.gone = once(this.#child, 'exit').then(([code, signal]) => ({ code, signal }));
  }

  /** Starts it and waits until it says that it listens, or was killed first. @throws with its last lines where it does neither. */
  static async start(options: ProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    for (const stream of [server.#child.stdout!, server.#child.stderr!]) {
      createInterface(stream).on('line', (line) => {
        server.#keep(line);
        if (/listening/i.test(line)) resolve(true);
      });
    }
    const late = setTimeout(() => resolve(false), START_MS);
    void server.gone.then(({ signal }) => resolve(signal === 'SIGKILL'));
    const hasLived = await promise;
    clearTimeout(late);
    if (hasLived) return server;
    await server.kill();
    await server.#silent; // its last words come after its end
    throw new Error(`the server did not start:\n${server.lastLines}`);
  }

  #keep(line: string): void {
    if (line.includes('Chat message processed')) return;
    this.#lines.push(line.slice(0, KEPT_UNITS));
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }

  /** The last lines that it wrote, but for those about single messages. */
  get lastLines(): string {
    return this.#lines.join('\n');
  }

  get isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.gone;
  }

  /** Stops its clock, as it were: it does nothing until resumed, and keeps its connections. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** Asks it to stop; answers its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return (await this.gone).code;
  }
}
