// Where no Docker daemon runs: performs the Dockerfile's own steps in an empty folder, starts the result with the
// image's settings as an unprivileged user, waits for its health check, and has one conversation with it.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { checkImage } from './docker/check-image.ts';
import { parseDockerfile, parseDockerignore } from './docker/parse-dockerfile.ts';
import { performDockerfile, type Stage } from './docker/perform-dockerfile.ts';

/** `nobody`: stands in for the image's user `node` where this process may change owners. */
const NOBODY = 65_534;
const START_MS = 60_000;
const STOP_MS = 10_000;

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const isRoot = process.getuid?.() === 0;
const folder = mkdtempSync(join(tmpdir(), 'tertulia-image-'));
try {
  // The unprivileged user has to reach what is below.
  chmodSync(folder, 0o755);
  const path = provideNode(join(folder, 'bin'));
  const stage = performDockerfile(readInstructions(), join(folder, 'stages'), {
    folder: project,
    ignores: parseDockerignore(readFileSync(join(project, '.dockerignore'), 'utf8')),
    env: { ...process.env, PATH: path },
    nodeUid: isRoot ? NOBODY : null,
  });
  await tryOut(stage, path);
  console.log('The Dockerfile’s steps make a server that works.');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function readInstructions() {
  return parseDockerfile(readFileSync(join(project, 'Dockerfile'), 'utf8'));
}

/** The base image brings Node 24: here a copy of the pinned one, first on the PATH, where any user may run it. */
function provideNode(bin: string): string {
  mkdirSync(bin);
  copyFileSync(process.execPath, join(bin, 'node'));
  chmodSync(join(bin, 'node'), 0o755);
  const others = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'));
  return [bin, ...others].join(delimiter);
}

async function tryOut(stage: Stage, path: string): Promise<void> {
  if (stage.user !== 'node') throw new Error(`the image runs as ${stage.user}, not as node`);
  for (const name of ['node', 'typescript', 'vitest', 'playwright-core']) {
    if (existsSync(join(stage.root, 'app/node_modules', name))) throw new Error(`the image holds ${name}`);
  }
  const port = await freePort();
  const env = { ...stage.env, PATH: path, PORT: String(port), JWT_SECRET: randomBytes(48).toString('base64') };
  const options = {
    cwd: join(stage.root, stage.workdir),
    env,
    stdio: ['ignore', 'inherit', 'inherit'] as const,
    ...(isRoot && { uid: NOBODY, gid: NOBODY }),
  };
  const [program = '', ...values] = stage.command;
  const server = spawn(program, values, { ...options, stdio: [...options.stdio] });
  try {
    await becomeHealthy(
      server,
      () => spawnSync(stage.healthcheck[0] ?? '', stage.healthcheck.slice(1), { env }).status,
    );
    await checkImage(`http://127.0.0.1:${port}`);
  } finally {
    await stop(server);
  }
  if (server.exitCode !== 0) throw new Error(`after SIGTERM the server ended with ${server.exitCode}, not with 0`);
}

async function becomeHealthy(server: ChildProcess, check: () => number | null): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (check() !== 0) {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode} while starting`);
    if (Date.now() > deadline) throw new Error(`not healthy after ${START_MS / 1_000} s`);
    await delay(100);
  }
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  server.kill('SIGTERM');
  const timer = setTimeout(() => server.kill('SIGKILL'), STOP_MS);
  await once(server, 'exit');
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
