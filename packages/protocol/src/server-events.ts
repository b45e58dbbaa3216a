import { z } from 'zod';
import { errorDetailsSchema } from './client-events.ts';
import { ERROR_CODES } from './errors.ts';
import { conversationEventSchema } from './log-events.ts';
import { messageSchema, seqSchema, userSchema } from './models.ts';
import { idSchema } from './text.ts';

/** The limits a client should know, sent in `connected`. */
export const limitsSchema = z.object({
  message_code_points: z.int(),
  packet_bytes: z.int(),
  metadata_bytes: z.int(),
  joined_conversations: z.int(),
  page_events: z.int(),
  page_bytes: z.int(),
});
export type Limits = z.infer<typeof limitsSchema>;

const stream = { conversation_id: idSchema, task_id: idSchema, attempt: z.int().min(1) };

/** Events of the base layer, as the base specification lists them. */
export const baseServerEvents = {
  connected: z.object({ message: z.string(), user: userSchema }),
  conversation: z.object({
    task_id: idSchema,
    conversation_id: idSchema,
    user_message: messageSchema,
    assistant_responses: z.array(messageSchema),
  }),
  error: errorDetailsSchema.extend({ error: z.enum(ERROR_CODES) }),
  joined_conversation: z.object({ conversation_id: idSchema, message: z.string() }),
  left_conversation: z.object({ conversation_id: idSchema, message: z.string() }),
} as const;

/** Events that only sockets of protocol 1 get. */
export const extendedServerEvents = {
  connected: baseServerEvents.connected.extend({
    protocol: z.int(),
    store_epoch: z.string().describe('Changes when the database was restored: drop what you have of every log.'),
    heartbeat_ms: z.int(),
    expires_at: z.number().describe('Unix time in seconds at which the access token ends; refresh before.'),
    limits: limitsSchema,
  }),
  error: baseServerEvents.error,
  conversation_event: conversationEventSchema,
  response_start: z.object({ ...stream, assistant: z.string() }),
  response_delta: z.object({
    ...stream,
    index: z.int().min(0).describe('Offset of `text` in the answer, in UTF-16 units.'),
    text: z.string(),
  }),
  response_end: z.object({ ...stream, status: z.enum(['completed', 'failed', 'cancelled', 'interrupted']) }),
  heartbeat: z.object({
    conversations: z
      .record(z.string(), seqSchema)
      .describe('The last seq of those joined conversations that changed since the last heartbeat.'),
  }),
  conversation_changed: z.object({ conversation_id: idSchema, seq: seqSchema }),
  session_expired: z.object({ reason: z.enum(['expired', 'revoked']) }),
  server_shutdown: z.object({ reconnect_after_ms: z.int().min(0) }),
} as const;

export type BaseServerEventName = keyof typeof baseServerEvents;
export type ExtendedServerEventName = keyof typeof extendedServerEvents;
export type BaseServerPayload<E extends BaseServerEventName> = z.infer<(typeof baseServerEvents)[E]>;
export type ExtendedServerPayload<E extends ExtendedServerEventName> = z.infer<(typeof extendedServerEvents)[E]>;
