import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { guardChild } from './guard-child.ts';

const run = promisify(execFile);

/** How a test's Redis is started. */
export interface RedisOptions {
  /** Words of redis-server's command line, such as `--requirepass secret`. */
  readonly words?: readonly string[];
  /** It also listens for TLS, at `tlsPort`. */
  readonly tls?: boolean;
  /** It is a sentinel, which as yet watches nothing. */
  readonly isSentinel?: boolean;
}

/** A Redis of a test's own, on loopback, that keeps nothing on disk: whoever starts it again finds it empty. */
export class RedisServer {
  readonly port: number;
  readonly tlsPort: number;
  readonly #folder: string;
  readonly #options: RedisOptions;
  #child: ChildProcess | null = null;

  private constructor([port, tlsPort]: readonly [number, number], folder: string, options: RedisOptions) {
    this.port = port;
    this.tlsPort = tlsPort;
    this.#folder = folder;
    this.#options = options;
  }

  static async start(options: RedisOptions = {}): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'tertulia-redis-'));
    const server = new RedisServer([await freePort(), await freePort()], folder, options);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, again at its port where it was ended. */
  async start(): Promise<void> {
    const child = spawn('redis-server', await this.#words());
    guardChild(child);
    this.#child = child;
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (/Ready to accept connections|Sentinel ID is/.test(line)) break;
    }
    child.stdout.resume();
    if (child.exitCode !== null) throw new Error(`redis-server did not start:\n${lines.join('\n')}`);
  }

  async #words(): Promise<string[]> {
    const { words = [], tls, isSentinel } = this.#options;
    const where = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder];
    const alsoTls = tls ? ['--tls-port', String(this.tlsPort)] : [];
    if (!isSentinel) return [...where, ...alsoTls, '--save', '', '--appendonly', 'no', ...words];
    const file = join(this.#folder, 'sentinel.conf'); // it keeps there what it learns
    await writeFile(file, '');
    return [file, '--sentinel', ...where, ...words];
  }

  /** Runs a command by redis-cli; answers what it prints. */
  async cli(...words: string[]): Promise<string> {
    const { stdout } = await run('redis-cli', ['-p', String(this.port), ...words]);
    return stdout.trim();
  }

  /** Publishes a text of any length. */
  async publish(channel: string, text: string): Promise<void> {
    const publishing = run('redis-cli', ['-p', String(this.port), '-x', 'PUBLISH', channel]);
    publishing.child.stdin?.end(text);
    await publishing;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A port that nobody listened at a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
