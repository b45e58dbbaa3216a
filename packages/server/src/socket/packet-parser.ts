import { MAX_DEPTH } from '@tertulia/protocol';
import { Decoder, PacketType } from 'socket.io-parser';
import { InboundMeter } from './inbound-meter.ts';

export { Encoder } from 'socket.io-parser';

const CONNECT: number = PacketType.CONNECT;
/** `metadata` may use all its levels; around it are an event's arguments, its payload, and the innermost values. */
const DEEPEST = MAX_DEPTH + 3;
/** Stands for a payload that was nested too deep: what looks at it finds that it is, and need not go far. */
const TOO_DEEP = nested(DEEPEST);
/** Stands for every binary attachment: none is ever wanted, so none is kept while others are waited for. */
const NO_BYTES = Buffer.alloc(0);

/**
 * Names that Socket.IO's own decoder takes for a broken protocol, closing the connection. A client that sends one has
 * made a mistake like any other unknown event: it passes under a name that nothing listens to.
 */
const RESERVED = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];
const disarmed = new Map(RESERVED.map((name) => [name, `(${name})`]));
const given = new Map(RESERVED.map((name) => [`(${name})`, name]));

/** The event's name as the client sent it. */
export function eventNameAsSent(name: string): string {
  return given.get(name) ?? name;
}

/**
 * Socket.IO's decoder with limits that hold before anything else touches what came in. JSON nested too deep is never
 * parsed: 125,000 brackets cost as much to parse as 50 honest messages, and end whatever stringifies them. No binary
 * data is kept. A transport connects once, so that one body full of CONNECT packets makes one socket. Of a flood nothing
 * more is read. Where `add` throws, Socket.IO closes the connection.
 */
export class BoundedDecoder extends Decoder {
  /** Replaced by the user's own once there is a login. */
  meter = new InboundMeter();
  #hasConnected = false;

  constructor() {
    super();
    Object.assign(this, { tryParse: parsePayload }); // private there; without it event-names.test.ts fails
  }

  override add(packet: unknown): void {
    if (this.meter.isFlooded(typeof packet === 'string' ? packet.length : 0)) return;
    if (typeof packet !== 'string') return super.add(NO_BYTES);
    if (Number(packet.charAt(0)) === CONNECT) {
      if (this.#hasConnected) throw new Error('a transport connects once');
      this.#hasConnected = true;
    }
    super.add(packet);
  }
}

/** A packet's JSON; false, as in the original, where it is none. */
function parsePayload(json: string): unknown {
  if (isDeeperThan(json, DEEPEST)) return withoutPayload(json);
  try {
    const payload: unknown = JSON.parse(json);
    if (Array.isArray(payload)) payload[0] = disarmed.get(payload[0]) ?? payload[0];
    return payload;
  } catch {
    return false;
  }
}

/** Keeps an event's name for the refusal; the `auth` of a CONNECT becomes one without a token. */
function withoutPayload(json: string): unknown {
  if (!json.startsWith('[')) return {};
  return [/^\["(\w{1,50})"/.exec(json)?.[1] ?? '', TOO_DEEP];
}

/** Looks at brackets outside of strings only, and no further than to the first that is too deep. */
function isDeeperThan(json: string, levels: number): boolean {
  let depth = 0;
  for (let index = 0; index < json.length; index += 1) {
    const character = json[index];
    if (character === '"') index = endOfString(json, index);
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > levels) return true;
  }
  return false;
}

/** Where the string that begins at `start` ends: at the next quote that is not escaped. */
function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (end >= 0 && isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end < 0 ? json.length : end;
}

function isEscaped(json: string, index: number): boolean {
  let backslashes = 0;
  while (json[index - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function nested(levels: number): unknown[] {
  return levels === 0 ? [] : [nested(levels - 1)];
}
