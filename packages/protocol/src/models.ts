import { z } from 'zod';
import { metadataSchema } from './json.ts';
import { ERROR_CODES } from './errors.ts';
import { idSchema, line, wellFormedText } from './text.ts';

/** Position in a conversation's log: 1, 2, 3… without holes. */
export const seqSchema = z.int().min(1).describe("Position in the conversation's log: 1, 2, 3… without holes.");

/** A time as ISO 8601 in UTC, as REST and log events carry it. */
export const timeSchema = z.iso.datetime().describe('ISO 8601, UTC.');

/** A user as its owner sees it. */
export const userSchema = z.object({
  id: idSchema,
  username: z.string(),
  email: z.string(),
  full_name: z.string().nullable(),
});
export type User = z.infer<typeof userSchema>;

/** An account as REST shows it to its owner. */
export const accountSchema = userSchema.extend({
  is_active: z.boolean(),
  is_superuser: z.boolean(),
  created_at: timeSchema,
});
export type Account = z.infer<typeof accountSchema>;

/** Who wrote a message or caused an event. `id` is a user's id, an assistant's name or `system`. */
export const authorSchema = z.object({
  kind: z.enum(['user', 'assistant', 'system']),
  id: z.string(),
  name: z.string(),
});
export type Author = z.infer<typeof authorSchema>;

/** A message as clients get it: the base layer's fields and ours. */
export const messageSchema = z.object({
  id: idSchema,
  role: z.enum(['user', 'assistant', 'system']),
  content: wellFormedText,
  metadata: metadataSchema,
  timestamp: z.number().describe('Unix time in seconds, with fractions.'),
  seq: seqSchema,
  conversation_id: idSchema,
  task_id: idSchema.nullable(),
  author: authorSchema,
});
export type Message = z.infer<typeof messageSchema>;

/** A conversation as its members see it. */
export const conversationSchema = z.object({
  id: idSchema,
  user_id: idSchema.describe("The owner's id."),
  title: line(200),
  description: wellFormedText.nullable(),
  metadata: metadataSchema,
  is_active: z.boolean(),
  task_ids: z.array(idSchema),
  last_seq: seqSchema,
  created_at: timeSchema,
  updated_at: timeSchema,
});
export type Conversation = z.infer<typeof conversationSchema>;

/** A member of a conversation. */
export const memberSchema = z.object({
  user_id: idSchema,
  username: z.string(),
  role: z.enum(['owner', 'member']),
  joined_at: timeSchema,
});
export type Member = z.infer<typeof memberSchema>;

export const taskStatusSchema = z.enum(['pending', 'in_progress', 'completed', 'failed', 'cancelled']);
export type TaskStatus = z.infer<typeof taskStatusSchema>;

export const prioritySchema = z.enum(['low', 'medium', 'high', 'urgent']);

/** Why a task failed, for people and programs. */
export const taskErrorSchema = z.object({ code: z.enum(ERROR_CODES), message: z.string() });
export type TaskError = z.infer<typeof taskErrorSchema>;

/** The fields of a task that its author may set and change. */
export const taskFieldsSchema = z.object({
  title: line(200).nullable(),
  description: wellFormedText.nullable(),
  priority: prioritySchema,
  category: line(100).nullable(),
  tags: z.array(line(50)).max(20),
  completion_percentage: z.number().min(0).max(100),
  estimated_duration: z.number().min(0).nullable().describe('Seconds.'),
  metadata: metadataSchema,
});
export type TaskFields = z.infer<typeof taskFieldsSchema>;

/** One user message and its answers. */
export const taskSchema = taskFieldsSchema.extend({
  id: idSchema,
  conversation_id: idSchema,
  user_id: idSchema,
  status: taskStatusSchema,
  attempt: z.int().min(0),
  error: taskErrorSchema.nullable(),
  user_message: messageSchema,
  assistant_responses: z.array(messageSchema),
  actual_duration: z.number().nullable().describe('Seconds from its creation to its end.'),
  created_at: timeSchema,
  updated_at: timeSchema,
  ended_at: timeSchema.nullable(),
});
export type Task = z.infer<typeof taskSchema>;
