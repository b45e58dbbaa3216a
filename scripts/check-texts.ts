// Fails when a committed file names a package registry's host or a path that exists on one machine only: both
// work for whoever wrote them and break for the next.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';

// Written so that the pattern does not match itself.
const registries =
  /registry\.npmjs|npm[m]irror|registry\.yarnpkg|pypi\.org|python[h]osted|proxy\.golang|deb\.debian|static\.crates|repo1?\.maven/;
const homes = /\/home\/[a-z][\w-]*\/|\/Users\/[A-Za-z][\w-]*\/|[A-Z]:\\\\?Users\\/;
const here = [process.cwd(), dirname(process.cwd()), homedir()]
  .filter((path) => path.length > 1)
  .map((path) => `${path}/`);

const problems = trackedFiles().flatMap(problemsOf);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function trackedFiles(): string[] {
  return execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(Boolean);
}

function problemsOf(file: string): string[] {
  return readText(file)
    .split('\n')
    .flatMap((line, index) => {
      const what = faultOf(line);
      return what ? [`${file}:${index + 1}: names ${what}`] : [];
    });
}

function faultOf(line: string): string | null {
  if (registries.test(line)) return "a package registry's host";
  if (homes.test(line) || here.some((path) => startsPath(line, path))) return 'a path of one machine';
  return null;
}

/** Whether `path` stands in the line as an absolute path, not as the middle of another one. */
function startsPath(line: string, path: string): boolean {
  const at = line.indexOf(path);
  return at === 0 || (at > 0 && !/[\w.~)}\]-]/.test(line.charAt(at - 1)));
}

function readText(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    return text.includes('\0') ? '' : text;
  } catch {
    // Deleted in the work tree and not yet in the index.
    return '';
  }
}
