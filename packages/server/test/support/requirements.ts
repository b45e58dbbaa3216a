import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a machine may lack that has only git, Node and npm: the tests that need it are left out there, and say so. */
export const HOW_TO_GET = {
  chromium: 'Install Chromium or Chrome, on Debian: apt install chromium',
  curl: 'Install curl, on Debian: apt install curl',
  ferretdb:
    'Build the test database, with Go 1.24 or newer: npm run build:ferretdb; or name a server: TEST_MONGODB_URL',
  'kubernetes-validate': 'Make the venv as for python: kubernetes-validate is among the requirements',
  promtool: 'Install Prometheus, on Debian: apt install prometheus',
  haproxy: 'Install haproxy, on Debian: apt install haproxy',
  nginx: 'Install nginx, on Debian: apt install nginx',
  python:
    'Make a venv in .venv: python3 -m venv .venv && .venv/bin/pip install -r packages/server/test/support/requirements.txt',
  'redis-server': 'Install Redis, on Debian: apt install redis-server',
} as const;

/** The name of something that only some tests need. */
export type Requirement = keyof typeof HOW_TO_GET;

/** The path of Chromium or Chrome, or null where there is none. */
export function findChromium(): string | null {
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
  const applications = ['Chromium.app/Contents/MacOS/Chromium', 'Google Chrome.app/Contents/MacOS/Google Chrome'];
  return findProgram(names) ?? applications.map((path) => join('/Applications', path)).find(isExecutable) ?? null;
}

/** The path of a Python that has what the examples and their tests import, or null where there is none. */
export function findPython(): string | null {
  const venv = fileURLToPath(new URL('../../../../.venv/bin/python', import.meta.url));
  const candidates = [venv, findProgram(['python3'])].filter((path) => path !== null);
  return candidates.find(hasPackages) ?? null;
}

/** The path of FerretDB as `npm run build:ferretdb` builds it, or null where it has not. */
export function findFerretdb(): string | null {
  const path = fileURLToPath(new URL('../../../../.cache/ferretdb', import.meta.url));
  return isExecutable(path) ? path : null;
}

/** The path of the program that checks manifests for Kubernetes, or null where there is none. */
export function findKubernetesValidate(): string | null {
  const venv = fileURLToPath(new URL('../../../../.venv/bin/kubernetes-validate', import.meta.url));
  return isExecutable(venv) ? venv : findProgram(['kubernetes-validate']);
}

/** The path of Prometheus' own checker, or null where there is none. */
export function findPromtool(): string | null {
  return findProgram(['promtool']);
}

const finders = {
  chromium: findChromium,
  curl: () => findProgram(['curl']),
  ferretdb: () => process.env['TEST_MONGODB_URL'] ?? findFerretdb(),
  'kubernetes-validate': findKubernetesValidate,
  promtool: findPromtool,
  haproxy: () => findProgram(['haproxy']),
  nginx: () => findProgram(['nginx']),
  python: findPython,
  'redis-server': () => findProgram(['redis-server']),
};

/** Whether this machine has it. */
export function has(requirement: Requirement): boolean {
  return finders[requirement]() !== null;
}

/** The path of the first of these programs that is there. Debian has servers in folders that not every PATH names. */
export function findProgram(names: string[]): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), '/usr/sbin', '/usr/local/sbin'];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there or not for us: the same to whoever asks.
    return false;
  }
}

function hasPackages(python: string): boolean {
  const imports = 'import socketio, aiohttp, pytest, pytest_asyncio, requests';
  return isExecutable(python) && spawnSync(python, ['-c', imports], { stdio: 'ignore' }).status === 0;
}
