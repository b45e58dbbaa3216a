import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { exportAll } from '../../src/commands/export.ts';
import { exportText } from '../../src/commands/transfer/write-export.ts';
import type { TransferRecord } from '../../src/store/transfer.ts';
import { LogBuilder } from '../store/log-builder.ts';
import { EVENTS, makeExport, recordsOf, type Exported } from '../support/exported.ts';
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

test('an export says what it is, and each of its checksums is that of everything before it', () => {
  expect(JSON.parse(exported.lines[0]!)).toMatchObject({
    kind: 'header',
    format: 'tertulia-export',
    version: 1,
    purpose: 'move',
    source: { store: 'SQLite' },
    counts: { account: 0, login: 0, event: EVENTS, attempt: 0 },
  });
  const sealed = exported.lines.map((line) => JSON.parse(line)).entries();
  let parts = 0;
  for (const [index, { kind, sha256 }] of sealed) {
    if (kind !== 'part' && kind !== 'end') continue;
    expect(sha256).toBe(createHash('sha256').update(exported.lines.slice(0, index).join('')).digest('hex'));
    parts += 1;
  }
  expect(parts).toBe(4);
  expect(JSON.parse(exported.lines.at(-1)!)).toMatchObject({ kind: 'end', parts: 3, counts: { event: EVENTS } });
});

test('an export goes to a dated file of its own, writes over nothing, and leaves nothing where it fails', async () => {
  const made = await run(exportAll, [], { DATA_DIR: exported.directory });
  const [name] = readdirSync(join(exported.directory, 'exports'));
  expect(name).toMatch(/^tertulia-\d{4}-\d\d-\d\dT[\d.-]+\.ndjson\.gz$/);
  expect(made).toMatchObject({ code: 0, output: expect.stringContaining(name!) });
  const path = join(exported.directory, 'exports', name!);
  expect(recordsOf(gunzipSync(readFileSync(path)).toString())).toEqual(recordsOf(exported.whole));

  writeFileSync(path, 'mine');
  const refused = await run(exportAll, ['--to', path], { DATA_DIR: exported.directory });
  expect(refused).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/is there already, and an export writes over nothing/),
  });
  expect(readFileSync(path, 'utf8')).toBe('mine');

  const mistyped = join(testDirectory(), 'mistyped');
  const failed = await run(exportAll, [], { DATA_DIR: mistyped });
  expect(failed).toMatchObject({ code: 1, errors: expect.stringMatching(/there is no such file/) });
  expect(existsSync(mistyped)).toBe(false);
});

test('an export that nobody reads to its end says so', async () => {
  const path = fileURLToPath(new URL('../../src/commands/export.ts', import.meta.url));
  const child = spawn(process.execPath, [path, '--to', '-'], {
    cwd: exported.directory,
    env: { DATA_DIR: exported.directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => void (errors += chunk));
  child.stdout.destroy();
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(errors).toBe('Whoever read the export stopped reading; it is not whole.\n');
});

test('what is far larger than the memory of the command is imported and exported', async () => {
  const log = new LogBuilder();
  async function* records(): AsyncGenerator<TransferRecord> {
    yield { kind: 'event', ...log.created() };
    for (let seq = 2; seq <= 300; seq += 1) {
      log.seq = seq - 1;
      yield { kind: 'event', ...log.event('message_created', { message: log.message('x'.repeat(200_000)) }) };
    }
  }
  const directory = testDirectory();
  const large = join(directory, 'large.ndjson');
  const counts = () => Promise.resolve({ account: 0, login: 0, event: 300, attempt: 0 });
  const done = () => Promise.resolve();
  const fake = { store: 'SQLite', epoch: 'any', records, counts, giveUpEpoch: done, close: done } as const;
  const text = exportText({ source: fake, isMove: false, onProgress: () => undefined });
  await pipeline(text, createWriteStream(large));
  const variables = { NODE_OPTIONS: '--max-old-space-size=64' };
  const imported = await Program.run('commands/import', { directory, words: ['--from', large], variables });
  expect(imported).toMatchObject({ code: 0 });
  const words = ['--to', join(directory, 'again.ndjson')];
  const exported = await Program.run('commands/export', { directory, words, variables });
  expect(exported).toMatchObject({ code: 0 });
});
