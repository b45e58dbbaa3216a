// Fails when the lockfile would install a version with a known hole, name a registry, or not work on another
// platform than the one that wrote it.
import { readFileSync } from 'node:fs';

interface LockedPackage {
  version?: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

/** The lowest versions that are safe, wherever they stand in the tree. */
const floors = { 'socket.io': '4.8.4', 'engine.io': '6.6.12', 'socket.io-parser': '4.2.7', ws: '8.23.0' };

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, LockedPackage>;
};
const problems = Object.entries(packages).flatMap(([path, entry]) => [
  ...belowFloor(path, entry),
  ...namesRegistry(path, entry),
  ...missingPlatforms(path, entry),
]);
for (const problem of problems) console.error(`package-lock.json: ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;

function belowFloor(path: string, { version = '' }: LockedPackage): string[] {
  const floor = Object.entries(floors).find(([name]) => path.endsWith(`node_modules/${name}`))?.[1];
  return floor && isLower(version, floor) ? [`${path} is ${version}, at least ${floor} is needed`] : [];
}

function isLower(version: string, floor: string): boolean {
  return version.localeCompare(floor, 'en', { numeric: true }) < 0;
}

function namesRegistry(path: string, { resolved = '' }: LockedPackage): string[] {
  return resolved.includes('://') ? [`${path} names a host: remove "resolved" (see .npmrc)`] : [];
}

/** npm leaves out platforms that it could not see when it wrote the file; `npm ci` then fails everywhere. */
function missingPlatforms(path: string, { optionalDependencies = {} }: LockedPackage): string[] {
  return Object.keys(optionalDependencies)
    .filter((name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`])
    .map((name) => `${path} may need ${name}, which is not in the file`);
}
