import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { until } from '../crash/until.ts';

/** Starts two programs, ends one of them, tells the ids of both and goes on for ever. */
const PARENT = `
import { spawn } from 'node:child_process';
import { guardChild } from '${new URL('../support/guard-child.ts', import.meta.url).href}';
const [first, second] = ['100', '101'].map((seconds) => spawn('sleep', [seconds]));
guardChild(first);
guardChild(second);
first.once('exit', () => console.log([first.pid, second.pid].join(' ')));
first.kill();
setInterval(() => {}, 1000);
`;

test('a program that a test started ends with the test, even where that is killed', async () => {
  const parent = spawn(process.execPath, ['--input-type=module', '-e', PARENT], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line]: string[] = (await once(createInterface(parent.stdout), 'line')) as string[];
  const [ended, running] = line!.split(' ').map(Number);
  expect(isRunning(ended!)).toBe(false);
  expect(isRunning(running!)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !isRunning(running!), 5_000, 'the program ended');
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // there is no such process
  }
}
