import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { exportText } from '../../src/commands/transfer/write-export.ts';
import { openDatabase } from '../../src/store/sqlite/database.ts';
import { sqliteSource } from '../../src/store/sqlite/transfer-source.ts';
import { eventsIn, importInto, makeExport, type Exported } from '../support/exported.ts';
import { testDirectory } from '../support/test-directory.ts';

// Programs of their own take their time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

let exported: Exported;

beforeAll(async () => {
  exported = await makeExport();
});
afterAll(() => rmSync(exported.directory, { recursive: true }));

describe('a damaged export is refused, saying where, and nothing of the damaged part is stored', () => {
  const at = (line: number, change: (text: string) => string) => () =>
    exported.lines.map((text, index) => (index + 1 === line ? change(text) : text)).join('');
  const compressed = (change: (bytes: Buffer) => Buffer) => () => change(gzipSync(exported.whole));

  test.each<[what: string, make: () => string | Buffer, says: RegExp, stored: number | null]>([
    [
      'another character',
      at(1500, (line) => line.replace('message', 'massage')),
      /^Part 2 \(lines 1003 to 2002\) is damaged: its checksum/,
      1000,
    ],
    [
      'a line that is cut',
      at(1500, (line) => `${line.slice(0, 40)}\n`),
      /^Line 1500, in part 2, is damaged: it is no record/,
      1000,
    ],
    ['a line that is missing', at(1500, () => ''), /^Part 2 .* is damaged/, 1000],
    ['a line twice', at(2100, (line) => line + line), /^Part 3 .* is damaged/, 2000],
    ['another epoch', at(1, (line) => line.replace(/"epoch":"\w/, '"epoch":"x')), /^Part 1 .* is damaged/, 0],
    ['another checksum', at(1002, (line) => line.replace(/"sha256":"../, '"sha256":"zz')), /^Part 1 .* is damaged/, 0],
    [
      'another number of a part',
      at(1002, (line) => line.replace('"number":1', '"number":9')),
      /^Part 1 .* is damaged/,
      0,
    ],
    [
      'a part that is missing',
      () => [...exported.lines.slice(0, 1002), ...exported.lines.slice(2003)].join(''),
      /^Part 2 \(lines 1003 to 1502\) is damaged/,
      1000,
    ],
    [
      'another number at the end',
      at(2505, (line) => line.replace('"event":2500', '"event":2501')),
      /^The last line \(2505\) is damaged/,
      2500,
    ],
    ['something after the end', () => `${exported.whole}{}\n`, /^Line 2506 comes after the end/, 2500],
    ['no end', () => exported.lines.slice(0, -1).join(''), /^The export is cut off after line 2504, in part 4/, 2500],
    [
      'an end between two parts',
      () => exported.lines.slice(0, 1002).join(''),
      /^The export is cut off after line 1002, in part 2/,
      1000,
    ],
    [
      'an end within a line',
      () => exported.whole.slice(0, exported.whole.length / 2),
      /^The export is cut off after line \d+, in part 2/,
      1000,
    ],
    [
      'an end within what is compressed',
      compressed((bytes) => bytes.subarray(0, bytes.length - 200)),
      /^The compressed data is damaged or cut off after line \d+/,
      2000,
    ],
    [
      'damage within what is compressed',
      compressed((bytes) => bytes.fill(0xff, 12, 40)),
      /^The compressed data is damaged or cut off after line 0/,
      null,
    ],
    ['nothing', () => '', /^This is no export/, null],
    ['another file', () => '{"a":1}\n', /^This is no export/, null],
    [
      "npm's own lines before it",
      () => `\n> tertulia@0.1.0 export\n${exported.whole}`,
      /npm run --silent export/,
      null,
    ],
    [
      'a newer format',
      at(1, (line) => line.replace('"version":1', '"version":2')),
      /has format 2, and this version knows 1: update this one/,
      null,
    ],
  ])('%s', async (_what, make, says, stored) => {
    const directory = testDirectory();
    const refused = await importInto(directory, make());
    expect(refused).toMatchObject({ code: 1, output: '', errors: expect.stringMatching(says) });
    expect(eventsIn(directory)).toBe(stored);
  });
});

test('an export with a hole in a conversation is refused, although its checksums are right', async () => {
  const db = openDatabase(join(exported.directory, 'tertulia.sqlite'), { readOnly: true });
  const complete = sqliteSource(db);
  async function* withoutOne() {
    for await (const record of complete.records()) if (record.kind !== 'event' || record.event.seq !== 7) yield record;
  }
  let text = '';
  const holey = { ...complete, records: withoutOne };
  for await (const part of exportText({ source: holey, isMove: false, onProgress: () => undefined })) text += part;
  await complete.close();
  const refused = await importInto(testDirectory(), text, []);
  expect(refused.errors).toMatch(
    /^Part 1 \(lines 2 to 1001\) cannot be stored: event 8 of conversation \w+ comes after event 6\.$/,
  );
});
