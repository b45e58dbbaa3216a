import { z } from 'zod';
import { metadataSchema } from './json.ts';
import {
  authorSchema,
  memberSchema,
  messageSchema,
  seqSchema,
  taskErrorSchema,
  taskFieldsSchema,
  timeSchema,
} from './models.ts';
import { idSchema, line, wellFormedText } from './text.ts';

/** A task as the event that starts it carries it. */
export const startedTaskSchema = taskFieldsSchema.extend({
  id: idSchema,
  user_id: idSchema,
  assistant: z.string().describe('Who is to answer: the name of an assistant, or `external`.'),
});
export type StartedTask = z.infer<typeof startedTaskSchema>;

/** How a task ended. */
export const endedTaskSchema = z.object({
  id: idSchema,
  attempt: z.int().min(0),
  status: z.enum(['completed', 'failed', 'cancelled']),
  error: taskErrorSchema.nullable(),
  /** What was streamed before a task failed or was cancelled: people saw it, so it is kept. */
  partial_text: wellFormedText.optional(),
});
export type EndedTask = z.infer<typeof endedTaskSchema>;

/** Lets every device of the sender tell its own message, also before the acknowledgement. */
const clientMsgId = idSchema.optional().describe("The sender's id of the message, where it gave one.");

const conversationFields = {
  title: line(200),
  description: wellFormedText.nullable(),
  metadata: metadataSchema,
  is_active: z.boolean(),
};

/** The data of each type of log event. Later versions add types; a client ignores one that it does not know and still counts its seq. */
export const logEventData = {
  conversation_created: z.object({
    ...conversationFields,
    owner: memberSchema,
    message: messageSchema.optional(),
    client_msg_id: clientMsgId,
    task: startedTaskSchema.optional(),
    ends_task: endedTaskSchema.optional(),
  }),
  conversation_updated: z.object(conversationFields).partial(),
  message_created: z.object({
    message: messageSchema,
    client_msg_id: clientMsgId,
    task: startedTaskSchema.optional().describe('The task that this message starts.'),
    ends_task: endedTaskSchema.optional().describe('The task that this message is the last answer of.'),
  }),
  task_ended: z.object({ task: endedTaskSchema }),
  task_updated: z.object({
    task_id: idSchema,
    fields: taskFieldsSchema.partial().extend({ status: z.literal('in_progress').optional() }),
  }),
  task_deleted: z.object({ task_id: idSchema }),
  member_joined: z.object({ member: memberSchema }),
  member_left: z.object({ user_id: idSchema, username: z.string() }),
  conversation_deleted: z.object({}),
} as const;

/** The name of a log event's type. */
export type LogEventType = keyof typeof logEventData;

/** The data that a log event of type `T` carries. */
export type LogEventData<T extends LogEventType = LogEventType> = z.infer<(typeof logEventData)[T]>;

const envelope = {
  conversation_id: idSchema,
  seq: seqSchema,
  actor: authorSchema,
  created_at: timeSchema,
};

function logEvent<T extends LogEventType>(type: T) {
  return z.object({ ...envelope, type: z.literal(type), data: logEventData[type] });
}

/** One event of a conversation's log, as stored and as extended clients get it in `conversation_event`. */
export const conversationEventSchema = z.discriminatedUnion('type', [
  logEvent('conversation_created'),
  logEvent('conversation_updated'),
  logEvent('message_created'),
  logEvent('task_ended'),
  logEvent('task_updated'),
  logEvent('task_deleted'),
  logEvent('member_joined'),
  logEvent('member_left'),
  logEvent('conversation_deleted'),
]);
export type ConversationEvent = z.infer<typeof conversationEventSchema>;
