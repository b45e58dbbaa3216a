import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../crash/server-process.ts';
import { until } from '../crash/until.ts';
import { guardChild } from '../support/guard-child.ts';
import { findProgram } from '../support/requirements.ts';

const DEPLOY = fileURLToPath(new URL('../../../../deploy/', import.meta.url));
const START_MS = 10_000;

/** The programs that the repository has configurations for. */
export const BALANCERS = ['nginx', 'haproxy'] as const;
export type BalancerName = (typeof BALANCERS)[number];

/** How requests find their node: the configurations of `deploy/nginx` and `deploy/haproxy`. */
export type Variant = 'by-sid' | 'by-cookie' | 'by-address' | 'websocket-only';

/** A real load balancer before nodes of this machine, set up by the repository's own files. */
export class Balancer {
  readonly url: string;
  readonly #name: BalancerName;
  readonly #words: readonly string[];
  readonly #directory: string;
  #child: ChildProcess | null = null;
  #output = '';

  private constructor(url: string, directory: string, name: BalancerName, words: readonly string[]) {
    this.url = url;
    this.#directory = directory;
    this.#name = name;
    this.#words = words;
  }

  /** Starts it before node-1 to node-3, which listen at `ports`. @throws with what it said where it does not start. */
  static async start(name: BalancerName, variant: Variant, ports: readonly number[]): Promise<Balancer> {
    const directory = await mkdtemp(join(tmpdir(), `tertulia-${name}-`));
    const port = await freePort();
    const adapt = (file: string) => adapted(join(DEPLOY, name, file), directory, port, ports);
    const words =
      name === 'nginx' ? prepareNginx(directory, variant, adapt) : prepareHaproxy(directory, variant, adapt);
    const balancer = new Balancer(`http://127.0.0.1:${port}`, directory, name, words);
    await balancer.start();
    return balancer;
  }

  /** Starts it, again at its address where it was ended. */
  async start(): Promise<void> {
    const child = spawn(findProgram([this.#name])!, this.#words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => void (this.#output += text));
    guardChild(child);
    await until(
      () => this.#answers(),
      START_MS,
      () => `${this.#name} is ready: ${this.log()}`,
    );
  }

  async #answers(): Promise<boolean> {
    if (this.#child?.exitCode !== null) throw new Error(`it has ended: ${this.log()}`);
    const answer = await fetch(`${this.url}/readyz`).catch(() => null);
    return answer?.status === 200;
  }

  /** All that it has written. */
  log(): string {
    const files = readdirSync(this.#directory).filter((file) => file.endsWith('.log'));
    return [this.#output, ...files.map((file) => readFileSync(join(this.#directory, file), 'utf8'))].join('\n');
  }

  /** Ends it as a crash does. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  async close(): Promise<void> {
    await this.#end('SIGTERM');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A file as an operator would write it for these addresses. */
function adapted(path: string, directory: string, port: number, ports: readonly number[]): string {
  return readFileSync(path, 'utf8')
    .replaceAll(/node-([123]):8000/g, (_, number) => `127.0.0.1:${ports[Number(number) - 1]}`)
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replace('bind :80', `bind 127.0.0.1:${port}`)
    .replaceAll('/var/log/nginx', directory);
}

function prepareNginx(directory: string, variant: Variant, adapt: (file: string) => string): string[] {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => {
    mkdirSync(join(directory, kind));
    return `${kind}_temp_path ${join(directory, kind)};`;
  });
  const http = ['access_log off;', ...temporary, `include ${variant}.conf;`];
  // One process, so that none is left behind where a test run is killed.
  const main = ['daemon off;', 'master_process off;', 'pid nginx.pid;', 'error_log stderr;', 'events {}'];
  writeFileSync(join(directory, 'nginx.conf'), [...main, 'http {', ...http, '}'].join('\n'));
  for (const file of ['tertulia-proxy.conf', `${variant}.conf`]) writeFileSync(join(directory, file), adapt(file));
  return ['-p', directory, '-e', 'stderr', '-c', 'nginx.conf'];
}

function prepareHaproxy(directory: string, variant: Variant, adapt: (file: string) => string): string[] {
  const files = ['defaults.cfg', `${variant}.cfg`];
  for (const file of files) writeFileSync(join(directory, file), adapt(file));
  return ['-db', ...files.flatMap((file) => ['-f', join(directory, file)])];
}
