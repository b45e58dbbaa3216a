import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SECRET = 'benchmarks sign with this 0123456789 abcdef';
const CLOCK_TICKS = 100;

/** A server under measurement, alone on one core. */
export interface MeasuredServer {
  readonly port: number;
  readonly process: ChildProcess;
  /** Milliseconds from its start to being ready. */
  readonly startMs: number;
  /** CPU that all its threads have used, in microseconds; the kernel counts in steps of 10 ms. */
  cpu(): number;
  /** Resident memory in bytes. */
  memory(): number;
  stop(): Promise<void>;
}

/** The core for servers and the core for the load. With one core they share it. */
export const SERVER_CORE = 0;
export const LOAD_CORE = Math.min(1, availableParallelism() - 1);

/** Starts the bare Socket.IO echo. */
export function startBare(): Promise<MeasuredServer> {
  return start('./bare-server.ts', {}, (text) => text.includes('listening'));
}

/** Starts Tertulia as `npm start` does, with limits out of the way and its log thrown away. */
export function startTertulia(directory: string, settings: Record<string, string> = {}): Promise<MeasuredServer> {
  const environment = {
    DATA_DIR: directory,
    JWT_SECRET: SECRET,
    ASSISTANT: 'echo',
    ACCESS_TOKEN_MINUTES: '600',
    CHAT_RATE: '1000000',
    CHAT_BURST: '1000000',
    EVENT_RATE: '1000000',
    EVENT_BURST: '1000000',
    HANDSHAKES_PER_10S: '1000000',
    SOCKETS_PER_USER: '1000000',
    ...settings,
  };
  return start('../packages/server/src/main.ts', environment, (text) => text.includes('http://'));
}

/** The secret that benchmark servers sign with. */
export const BENCH_SECRET = SECRET;

/** A data folder that is removed afterwards. */
export async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'tertulia-bench-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function start(
  entry: string,
  environment: Record<string, string>,
  isReady: (text: string) => boolean,
): Promise<MeasuredServer> {
  const port = await freePort();
  const started = performance.now();
  const path = fileURLToPath(new URL(entry, import.meta.url));
  const child = spawn('taskset', ['-c', String(SERVER_CORE), process.execPath, path], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...environment,
      PORT: String(port),
      NODE_OPTIONS: process.env.BENCH_NODE_OPTIONS,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await readiness(child, isReady);
  const startMs = performance.now() - started;
  return {
    port,
    process: child,
    startMs,
    cpu: () => cpuOf(child.pid ?? 0),
    memory: () => memoryOf(child.pid ?? 0),
    async stop() {
      if (child.exitCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

function readiness(child: ChildProcess, isReady: (text: string) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    child.stdout?.on('data', (data: Buffer) => {
      if (isReady(data.toString())) resolve();
    });
  });
}

/** CPU that a process has used, in microseconds. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS) * 1_000_000;
}

function memoryOf(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1_024;
}

/** A pause between measurements. */
export function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** A TCP port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
