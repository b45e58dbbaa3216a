import {
  conversationEventSchema,
  extendedServerEvents,
  idSchema,
  jsonFault,
  seqSchema,
  userSchema,
  type ConversationEvent,
} from '@tertulia/protocol';
import { z } from 'zod';
import type { BusMessage } from './bus.ts';

/** An event whose JSON has more UTF-16 units than this goes without itself: each node that wants it reads the log. */
const MOST_EVENT_UNITS = 8_192;
/** Nothing that a node publishes is longer, in UTF-16 units: it is an answer's piece or the ends of a user's sessions. */
const MOST_UNITS = 262_144;
/** An event's metadata, which may use all of JSON's levels, lies this far down in a packet. */
const LEVELS_ABOVE_METADATA = 4;

const { response_start, response_delta, response_end } = extendedServerEvents;
const stream = { kind: z.literal('stream'), conversation_id: idSchema };

const packetSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('event'),
    conversation_id: idSchema,
    seq: seqSchema,
    event: z.unknown(),
    asker: idSchema.nullable(),
  }),
  z.object({ kind: z.literal('changed'), user_id: idSchema, conversation_id: idSchema, seq: seqSchema }),
  z.discriminatedUnion('name', [
    z.object({ ...stream, name: z.literal('response_start'), payload: response_start }),
    z.object({ ...stream, name: z.literal('response_delta'), payload: response_delta }),
    z.object({ ...stream, name: z.literal('response_end'), payload: response_end }),
  ]),
  z.object({ kind: z.literal('revoked'), session_ids: z.array(idSchema) }),
  z.object({ kind: z.literal('due') }),
  z.object({ kind: z.literal('node'), node_id: idSchema, secret_mark: idSchema }),
  z.object({ kind: z.literal('renamed'), user: userSchema }),
]);

/** A message as one node sends it to others that it need not trust. */
export function writePacket(message: BusMessage): string {
  const text = JSON.stringify(message);
  if (message.kind !== 'event' || text.length <= MOST_EVENT_UNITS) return text;
  return JSON.stringify({ ...message, event: null } satisfies BusMessage);
}

/**
 * Reads what another node sent, or whoever else can publish; null where it is no message. An event that is not of a
 * known form, as a newer node's may be, is read from the log instead.
 */
export function readPacket(text: string): BusMessage | null {
  if (text.length > MOST_UNITS) return null;
  const given = parse(text);
  if (jsonFault(given, -LEVELS_ABOVE_METADATA) !== null) return null;
  const { success, data } = packetSchema.safeParse(given);
  if (!success) return null;
  if (data.kind === 'event') return { ...data, event: isEventOf(data, data.event) ? data.event : null };
  if (data.kind === 'stream' && data.payload.conversation_id !== data.conversation_id) return null;
  return data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // fails the schema, like anything else that is no packet
  }
}

function isEventOf(packet: { conversation_id: string; seq: number }, event: unknown): event is ConversationEvent {
  const { success, data } = conversationEventSchema.safeParse(event);
  return success && data.conversation_id === packet.conversation_id && data.seq === packet.seq;
}
