import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTestUser } from '../../src/commands/create-test-user.ts';
import { doctor } from '../../src/commands/doctor.ts';
import { exportAll } from '../../src/commands/export.ts';
import { EVENTS, eventsIn, importInto, makeExport, recordsOf, type Exported } from '../support/exported.ts';
import { Program } from '../support/program.ts';
import { testDirectory } from '../support/test-directory.ts';
import { run } from './run-command.ts';

// Programs of their own take their time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

let exported: Exported;

beforeAll(async () => {
  exported = await makeExport();
});
afterAll(() => rmSync(exported.directory, { recursive: true }));

test('what was imported is exported as the same again', async () => {
  const directory = testDirectory();
  expect(await importInto(directory, exported.whole)).toMatchObject({ code: 0, errors: '' });
  const again = await run(exportAll, ['--move', '--to', '-'], { DATA_DIR: directory });
  expect(recordsOf(again.output)).toEqual(recordsOf(exported.whole));
});

test('importing twice changes nothing', async () => {
  const directory = testDirectory();
  await importInto(directory, exported.whole);
  const before = readFileSync(join(directory, 'tertulia.sqlite'));
  const again = await importInto(directory, exported.whole);
  expect(again).toMatchObject({
    code: 0,
    output: expect.stringMatching(/holds this export already; nothing was changed/),
  });
  expect(readFileSync(join(directory, 'tertulia.sqlite')).equals(before)).toBe(true);
});

test('after an interruption the same import goes on, and until then the database is not for use', async () => {
  const directory = testDirectory();
  await importInto(directory, exported.lines.slice(0, 1500).join(''));
  expect(eventsIn(directory)).toBe(1000);
  const unfinished = /holds an import that has not come to its end/;
  expect((await Program.run('main', { directory })).errors).toMatch(unfinished);
  expect((await run(createTestUser, [], { DATA_DIR: directory })).errors).toMatch(unfinished);
  expect((await run(exportAll, ['--to', '-'], { DATA_DIR: directory })).errors).toMatch(unfinished);
  const examined = await run(doctor, [], { DATA_DIR: directory, ASSISTANT: 'none', PORT: '0' });
  expect(examined).toMatchObject({ code: 1, output: expect.stringMatching(/holds a part of an import/) });

  expect((await importInto(directory, exported.whole, [])).errors).toMatch(
    /was begun with --move: go on in the same way/,
  );
  const other = await run(exportAll, ['--to', '-'], { DATA_DIR: exported.directory });
  expect((await importInto(directory, other.output, [])).errors).toMatch(/holds the beginning of another export/);

  expect(await importInto(directory, gzipSync(exported.whole))).toMatchObject({ code: 0, errors: '' });
  const again = await run(exportAll, ['--move', '--to', '-'], { DATA_DIR: directory });
  expect(recordsOf(again.output)).toEqual(recordsOf(exported.whole));
});

test('an import that is killed goes on where it was', async () => {
  const directory = testDirectory();
  const path = fileURLToPath(new URL('../../src/commands/import.ts', import.meta.url));
  const child = spawn(process.execPath, [path, '--move', '--from', '-'], {
    cwd: directory,
    env: { DATA_DIR: directory },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.on('error', () => undefined); // who is killed does not take all of it
  child.stdin.write(exported.lines.slice(0, 1500).join('')); // and then nothing: it waits in the second part
  await vi.waitFor(() => expect(eventsIn(directory)).toBe(1000), { timeout: 20_000 });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await importInto(directory, exported.whole)).toMatchObject({ code: 0 });
  expect(eventsIn(directory)).toBe(EVENTS);
});

test('only an empty database is filled', async () => {
  const directory = testDirectory();
  await run(createTestUser, [], { DATA_DIR: directory });
  const refused = await importInto(directory, exported.whole);
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(/has accounts or conversations already/);
  expect(eventsIn(directory)).toBe(0);
  expect((await Program.run('commands/create-test-user', { directory })).code).toBe(0);
});
