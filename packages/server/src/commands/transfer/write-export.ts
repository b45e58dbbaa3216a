import { createHash, randomUUID } from 'node:crypto';
import manifest from '../../../package.json' with { type: 'json' };
import type { TransferRecord, TransferSource } from '../../store/transfer.ts';
import { FORMAT_VERSION, PART_BYTES, PART_RECORDS, type ExportHeader } from './format.ts';

/** What an export is made with. */
export interface ExportParts {
  readonly source: TransferSource;
  /** With the logins and for the epoch to go on; the source gets another one before the last line is written. */
  readonly isMove: boolean;
  /** Told after each part how many records are written, and how many there were at the beginning. */
  readonly onProgress: (written: number, expected: number) => void;
}

/** An export as text, a part at a time; the next part is read when it is asked for. */
export async function* exportText({ source, isMove, onProgress }: ExportParts): AsyncGenerator<string> {
  const counts = { account: 0, login: 0, event: 0, attempt: 0 };
  const header = await headerOf(source, isMove);
  const expected = Object.values(header.counts).reduce((sum, count) => sum + count);
  const hash = createHash('sha256');
  const seal = (text: string) => {
    hash.update(text);
    return text;
  };
  yield seal(lineOf(header));
  let parts = 0;
  for await (const lines of inParts(moving(source, isMove, counts))) {
    const records = seal(lines.join(''));
    parts += 1;
    const sha256 = hash.copy().digest('hex');
    yield records + seal(lineOf({ kind: 'part', number: parts, records: lines.length, sha256 }));
    onProgress(counts.account + counts.login + counts.event + counts.attempt, expected);
  }
  if (isMove) await source.giveUpEpoch();
  yield lineOf({ kind: 'end', parts, counts, sha256: hash.digest('hex') });
}

async function headerOf(source: TransferSource, isMove: boolean): Promise<ExportHeader> {
  const counts = await source.counts();
  return {
    kind: 'header',
    format: 'tertulia-export',
    version: FORMAT_VERSION,
    id: randomUUID(),
    created_at: new Date().toISOString(),
    purpose: isMove ? 'move' : 'copy',
    source: { store: source.store, tertulia: manifest.version },
    epoch: source.epoch,
    counts: isMove ? counts : { ...counts, login: 0 },
  };
}

/** A login that was ended after the copy was made must not live again, so a copy has none. */
async function* moving(
  source: TransferSource,
  isMove: boolean,
  counts: Record<TransferRecord['kind'], number>,
): AsyncGenerator<TransferRecord> {
  for await (const record of source.records()) {
    if (record.kind === 'login' && !isMove) continue;
    counts[record.kind] += 1;
    yield record;
  }
}

async function* inParts(records: AsyncIterable<TransferRecord>): AsyncGenerator<string[]> {
  let lines: string[] = [];
  let bytes = 0;
  for await (const record of records) {
    const line = lineOf(record);
    lines.push(line);
    bytes += Buffer.byteLength(line);
    if (lines.length < PART_RECORDS && bytes < PART_BYTES) continue;
    yield lines;
    lines = [];
    bytes = 0;
  }
  if (lines.length > 0) yield lines;
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
