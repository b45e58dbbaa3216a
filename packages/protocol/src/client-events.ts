import { z } from 'zod';
import { ERROR_CODES } from './errors.ts';
import { metadataSchema } from './json.ts';
import { conversationEventSchema } from './log-events.ts';
import { messageSchema, seqSchema } from './models.ts';
import { idSchema, messageText } from './text.ts';

const conversationId = idSchema.describe('The conversation.');
const afterSeq = z.int().min(0).describe('The last seq the client has; events above it are wanted.');

const NO_PROTOCOL = 'must be a whole number such as 1';
/** Also as text, since some clients can send nothing else there; JSON's null in place of what is optional is as good as nothing. */
const protocolSchema = z
  .union([z.int(), z.string().regex(/^\d{1,9}$/, NO_PROTOCOL)], NO_PROTOCOL)
  .nullish()
  .transform((given) => (given === null || given === undefined ? undefined : Number(given)));

/** What a client may put into the handshake's `auth`. */
export const handshakeAuthSchema = z.object({
  token: z.string().min(1).max(8_192),
  protocol: protocolSchema.optional().describe('Absent for the base layer.'),
  language: z
    .string('must be text')
    .max(35, 'must have at most 35 characters')
    .nullish()
    .describe('BCP 47 tag of the language for sentences.'),
  device_id: idSchema.nullish(),
});
export type HandshakeAuth = z.infer<typeof handshakeAuthSchema>;

/** An answer that is being written: everything needed to join its stream of deltas. */
export const runningAnswerSchema = z.object({
  task_id: idSchema,
  assistant: z.string().describe('Who is to answer.'),
  attempt: z.int().min(0).describe('0 while the task waits for its turn.'),
  text: z.string().describe('The text so far, as last checkpointed.'),
});
export type RunningAnswer = z.infer<typeof runningAnswerSchema>;

/** A page of a conversation's log. */
export const eventPageSchema = z.object({
  events: z.array(conversationEventSchema),
  last_seq: z.int().min(0).describe("The log's last seq when the page was read."),
  complete: z.boolean().describe('Whether the page reaches `last_seq`. While false, ask again from the last event.'),
  reset: z
    .literal(true)
    .optional()
    .describe('`after_seq` lies beyond the log, as after a restored backup: drop what you have and start from 0.'),
  running: z.array(runningAnswerSchema).describe('The first 100 tasks that have not ended, with their text so far.'),
});
export type EventPage = z.infer<typeof eventPageSchema>;

/** Payload and success acknowledgement of every event a client may send. */
export const clientEvents = {
  chat: {
    payload: z.object({
      message: messageText,
      conversation_id: idSchema.nullish(),
      metadata: metadataSchema.nullish(),
      client_msg_id: idSchema
        .nullish()
        .describe('Made once by the client before its first try; a repeat is recognised by it.'),
    }),
    ack: z.object({
      task_id: idSchema,
      conversation_id: idSchema,
      user_message: messageSchema,
      seq: seqSchema,
    }),
  },
  join_conversation: {
    payload: z.object({ conversation_id: conversationId, after_seq: afterSeq.nullish() }),
    ack: eventPageSchema.extend({
      conversation_id: conversationId,
      message: z.string(),
      joined: z.boolean().describe('False while more pages are to be read: join again from the last event.'),
    }),
  },
  leave_conversation: {
    payload: z.object({ conversation_id: conversationId }),
    ack: z.object({ conversation_id: conversationId, message: z.string() }),
  },
  sync: {
    payload: z.object({ conversation_id: conversationId, after_seq: afterSeq }),
    ack: eventPageSchema.extend({ conversation_id: conversationId }),
  },
  auth_refresh: {
    payload: z.object({ token: z.string().min(1).max(8_192) }),
    ack: z.object({ expires_at: z.number().describe('Unix time in seconds at which the login of this socket ends.') }),
  },
} as const;

/** The name of an event a client may send. */
export type ClientEventName = keyof typeof clientEvents;
export type ClientPayload<E extends ClientEventName> = z.infer<(typeof clientEvents)[E]['payload']>;
export type ClientAck<E extends ClientEventName> = z.infer<(typeof clientEvents)[E]['ack']>;

/** What every error carries, wherever it appears. */
export const errorDetailsSchema = z.object({
  message: z.string().describe('A sentence for people.'),
  event: z.string().optional(),
  client_msg_id: z.string().optional(),
  task_id: z.string().optional(),
  limit: z.string().optional(),
  retry_after_ms: z.int().min(0).optional(),
  reference: z.string().optional(),
  spoken: z.array(z.int()).optional(),
});

/** The refusal in an acknowledgement: `{ok: false, error}`. */
export const refusalSchema = z.object({
  ok: z.literal(false),
  error: errorDetailsSchema.extend({ code: z.enum(ERROR_CODES) }),
});
export type Refusal = z.infer<typeof refusalSchema>;

/** What a client's ack callback gets: `{ok: true, …}` or `{ok: false, error: {code, message, …}}`. */
export type AckAnswer<E extends ClientEventName> = ({ ok: true } & ClientAck<E>) | Refusal;
