// Runs before `npm start` and `npm test`, on whatever Node started npm: installs what the lockfile names and
// node_modules lacks. Where nothing is missing it costs two file reads.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 20;
// Without a network npm would try for over a minute before it says so.
const impatient = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pinnedNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

refuseOldNode();
if (!isComplete()) install();

function refuseOldNode() {
  if (Number(process.versions.node.split('.')[0]) >= OLDEST_NODE) return;
  stop(
    `Tertulia needs Node ${OLDEST_NODE} or newer to install itself; this is ${process.version}. See https://nodejs.org`,
  );
}

/** Compares the lockfile with npm's own record of what it has installed, which an interrupted install does not leave. */
function isComplete() {
  if (!existsSync(pinnedNode)) return false;
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const found = installed[path];
    // Another platform's optional packages are in the lockfile, but not here.
    return found ? found.version === entry.version : entry.optional === true;
  });
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
  } catch {
    // Absent or cut off while being written: as if nothing were installed.
    return {};
  }
}

function install() {
  console.error('Installing what is missing (about half a minute on the first run)…');
  // npm's own Node and script: `npm ci` removes the pinned Node that may be running this file.
  const npm = process.env.npm_execpath;
  const command = npm?.endsWith('.js') ? [process.env.npm_node_execpath ?? process.execPath, npm] : ['npm'];
  const [program, ...before] = command;
  const result = spawnSync(program, [...before, 'ci', '--loglevel=error', '--no-audit', '--no-fund', ...impatient], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: before.length === 0 && process.platform === 'win32',
  });
  if (result.status !== 0) {
    stop(
      'The packages could not be installed: see the lines above. The first run needs the network, or a filled npm cache.',
    );
  }
  if (!existsSync(pinnedNode)) {
    stop(
      `Node is still missing at ${pinnedNode}: allow install scripts (npm config get ignore-scripts), then run npm ci.`,
    );
  }
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}
