import { createGunzip } from 'node:zlib';
import { pipeline, Readable } from 'node:stream';
import { Refusal } from '../../failure.ts';
import { PART_BYTES_MAX } from './format.ts';

const NEWLINE = 0x0a;
const GZIP = Buffer.from([0x1f, 0x8b]);

/** The lines of a stream, each as its bytes with the newline at its end; the bytes after the last newline come as they are. */
export async function* readLines(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end + 1);
      yield rest.length > 0 ? Buffer.concat([...rest, piece]) : piece;
      [rest, size, start] = [[], 0, end + 1];
    }
    if (start === chunk.length) continue;
    rest.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > PART_BYTES_MAX) throw new Refusal('It is no export, or damaged: a line of it has no end.');
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

/** The stream itself, or where it is compressed by gzip what it holds. */
export async function* decompressed(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = input[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  while (start.length < GZIP.length) {
    const next = await chunks.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  const whole = followed(start, chunks);
  if (!start.subarray(0, GZIP.length).equals(GZIP)) yield* whole;
  else yield* pipeline(Readable.from(whole, { objectMode: false }), createGunzip(), () => undefined); // told to the reader
}

async function* followed(start: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (start.length > 0) yield start;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
}
