import { createHash, type Hash } from 'node:crypto';
import type { TransferRecord } from '../../store/transfer.ts';
import { Refusal } from '../../failure.ts';
import {
  endSchema,
  FORMAT_VERSION,
  headerSchema,
  PART_BYTES_MAX,
  partSchema,
  type ExportEnd,
  type ExportHeader,
} from './format.ts';
import { decompressed, readLines } from './read-lines.ts';

/** Some records of an export whose checksum was found right. */
export interface Part {
  readonly number: number;
  readonly records: readonly TransferRecord[];
  /** Where it stands, for people. */
  readonly lines: string;
}

/** An export whose header was read. The parts come one by one; after the last one the whole is known to be there. */
export interface OpenedExport {
  readonly header: ExportHeader;
  /** @throws {Refusal} saying where it is damaged or cut off */
  readonly parts: AsyncIterable<Part>;
}

/** Reads the header of an export, compressed or not. @throws {Refusal} where it is none, or a newer version's */
export async function openExport(input: AsyncIterable<Buffer>): Promise<OpenedExport> {
  const lines = new CheckedLines(input);
  const line = await lines.next();
  const value = line === null ? null : jsonOf(line);
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version > FORMAT_VERSION) {
    throw new Refusal(
      `The export has format ${version}, and this version knows ${FORMAT_VERSION}: update this one first.`,
    );
  }
  const header = headerSchema.safeParse(value);
  if (!header.success) {
    throw new Refusal(
      'This is no export of Tertulia: it does not begin with its header. Into a pipe it is written by npm run --silent export.',
    );
  }
  return { header: header.data, parts: partsOf(lines) };
}

/** The lines of an export, counted, and the checksum of all those that were taken. */
class CheckedLines {
  readonly #lines: AsyncGenerator<Buffer>;
  readonly #hash: Hash = createHash('sha256');
  #last: Buffer = Buffer.alloc(0);
  number = 0;

  constructor(input: AsyncIterable<Buffer>) {
    this.#lines = readLines(decompressed(input));
  }

  /** The next whole line, or null at the end. */
  async next(): Promise<Buffer | null> {
    this.#hash.update(this.#last);
    const { value, done } = await this.#read();
    if (done || value.at(-1) !== 0x0a) return null;
    this.#last = value;
    this.number += 1;
    return value;
  }

  /** The checksum of every line before the last one taken. */
  get sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  async #read(): Promise<IteratorResult<Buffer, void>> {
    try {
      return await this.#lines.next();
    } catch (error) {
      if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
      throw new Refusal(`The compressed data is damaged or cut off after line ${this.number}.`, { cause: error });
    }
  }
}

function jsonOf(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString());
  } catch {
    return null; // whoever asks says where
  }
}

async function* partsOf(lines: CheckedLines): AsyncGenerator<Part> {
  let number = 1;
  const counts = { account: 0, login: 0, event: 0, attempt: 0 };
  for (;;) {
    const first = lines.number + 1;
    const { records, last } = await readPart(lines, number);
    const where = `lines ${first} to ${lines.number - 1}`;
    if (last.kind === 'end') {
      await refuseUnlessWhole(lines, last, number - 1, counts, records.length);
      return;
    }
    const part = partSchema.safeParse(last);
    if (part.data?.sha256 !== lines.sha256 || part.data.number !== number || part.data.records !== records.length) {
      throw new Refusal(`Part ${number} (${where}) is damaged: its checksum is not the one of what stands there.`);
    }
    for (const { kind } of records) counts[kind] += 1;
    yield { number, records, lines: where };
    number += 1;
  }
}

type Line = TransferRecord | { readonly kind: 'part' } | { readonly kind: 'end' };

/** The records up to the next line that is none. */
async function readPart(lines: CheckedLines, number: number) {
  const records: TransferRecord[] = [];
  let bytes = 0;
  for (;;) {
    const line = await lines.next();
    if (line === null) throw new Refusal(`The export is cut off after line ${lines.number}, in part ${number}.`);
    const value = jsonOf(line) as Line | null;
    switch (value?.kind) {
      case 'account':
      case 'login':
      case 'event':
      case 'attempt':
        records.push(value);
        break;
      case 'part':
      case 'end':
        return { records, last: value };
      default:
        throw new Refusal(`Line ${lines.number}, in part ${number}, is damaged: it is no record.`);
    }
    bytes += line.length;
    if (bytes > PART_BYTES_MAX)
      throw new Refusal(`Part ${number} is damaged: it has no end up to line ${lines.number}.`);
  }
}

async function refuseUnlessWhole(
  lines: CheckedLines,
  line: object,
  parts: number,
  counts: ExportEnd['counts'],
  left: number,
): Promise<void> {
  const end = endSchema.safeParse(line);
  const { number } = lines;
  const isRight =
    left === 0 &&
    end.data?.sha256 === lines.sha256 &&
    end.data.parts === parts &&
    Object.entries(end.data.counts).every(([kind, count]) => counts[kind as keyof typeof counts] === count);
  if (!isRight) throw new Refusal(`The last line (${number}) is damaged: it does not agree with the parts before it.`);
  if ((await lines.next()) !== null) throw new Refusal(`Line ${number + 1} comes after the end of the export.`);
}
