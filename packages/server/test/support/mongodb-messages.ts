import { randomFillSync } from 'node:crypto';
import type { Readable } from 'node:stream';
import { BSON } from 'mongodb';

const HEADER_BYTES = 16;
const OP_MSG = 2_013;

/** A message of MongoDB's wire protocol, whole. */
export interface WireMessage {
  readonly bytes: Buffer;
  readonly requestId: number;
  /** The request that it answers. */
  readonly responseTo: number;
}

/** What a request asks for: the command's name and, for most, its collection. */
export interface Command {
  readonly name: string;
  readonly collection: string;
}

/** The messages that a stream carries, however it was cut into pieces. */
export async function* messagesOf(stream: Readable): AsyncGenerator<WireMessage> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of stream) {
    rest = Buffer.concat([rest, piece as Buffer]);
    while (rest.length >= HEADER_BYTES && rest.length >= rest.readInt32LE(0)) {
      const bytes = rest.subarray(0, rest.readInt32LE(0));
      rest = rest.subarray(bytes.length);
      yield { bytes, requestId: bytes.readInt32LE(4), responseTo: bytes.readInt32LE(8) };
    }
  }
}

/** The command of an OP_MSG, which is in its section of kind 0; null for what else there is (a driver's first greeting). */
export function commandOf({ bytes }: WireMessage): Command | null {
  if (bytes.readInt32LE(12) !== OP_MSG) return null;
  let offset = HEADER_BYTES + 4;
  while (bytes[offset] === 1) offset += 1 + bytes.readInt32LE(offset + 1);
  const body = BSON.deserialize(bytes.subarray(offset + 1, offset + 1 + bytes.readInt32LE(offset + 1)));
  const [name = '', collection] = Object.entries(body)[0] ?? [];
  return { name, collection: String(collection) };
}

/** An OP_MSG with one document that answers a request. */
export function replyTo(requestId: number, document: BSON.Document): Buffer {
  const body = BSON.serialize(document);
  const head = Buffer.alloc(HEADER_BYTES + 5); // no flags, and a section of kind 0
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(requestId, 8);
  head.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([head, body]);
}

/** How an `_id` that is an ObjectId begins: its type and its name. */
const OBJECT_ID = Buffer.from('\u0007_id\u0000');
const OBJECT_ID_BYTES = 12;

/** Gives the first document of an insert another `_id`, if it is an ObjectId. */
export function changeId({ bytes }: WireMessage): void {
  const at = bytes.indexOf(OBJECT_ID);
  if (at >= 0) randomFillSync(bytes, at + OBJECT_ID.length, OBJECT_ID_BYTES);
}
