import { z } from 'zod';
import { metadataSchema } from './json.ts';
import {
  conversationSchema,
  memberSchema,
  messageSchema,
  prioritySchema,
  taskFieldsSchema,
  taskSchema,
  taskStatusSchema,
} from './models.ts';
import { baseServerEvents } from './server-events.ts';
import { ERROR_CODES } from './errors.ts';
import { idSchema, line, messageText, wellFormedText } from './text.ts';

/** 3 to 50 letters, digits, `.`, `_` or `-` of any script; compared in lower-case NFKC. */
export const usernameSchema = z
  .string()
  .refine((name) => /^[\p{L}\p{N}\p{M}._-]{3,50}$/u.test(name), '3 to 50 letters, digits, dots, dashes or underscores');

/** 8 to 1,000 characters; compared in NFC. */
export const passwordSchema = wellFormedText.min(8).max(1_000);

export const registerSchema = z.object({
  email: z.email().max(254),
  username: usernameSchema,
  password: passwordSchema,
  full_name: line(100).nullish(),
});

export const loginSchema = z.object({ username: z.string().max(254), password: z.string().max(1_000) });

export const tokensSchema = z.object({
  access_token: z.string(),
  token_type: z.literal('bearer'),
  refresh_token: z.string(),
  expires_in: z.int().describe('Seconds until the access token ends.'),
});

export const refreshSchema = z.object({ refresh_token: z.string().max(1_000) });

export const updateMeSchema = z.object({
  email: z.email().max(254).optional(),
  username: usernameSchema.optional(),
  full_name: line(100).nullish(),
});

export const changePasswordSchema = z.object({ current_password: z.string().max(1_000), new_password: passwordSchema });

/** A login session, with the sockets that are open under it on this node. */
export const sessionSchema = z.object({
  id: idSchema,
  current: z.boolean(),
  created_at: z.string(),
  last_used_at: z.string(),
  expires_at: z.string(),
  address: z.string().nullable(),
  user_agent: z.string().nullable(),
  live_sockets: z.int(),
});

export const sendChatSchema = z.object({
  message: messageText,
  conversation_id: idSchema.nullish(),
  metadata: metadataSchema.nullish(),
  client_msg_id: idSchema.nullish(),
});

export const continueChatSchema = sendChatSchema.omit({ conversation_id: true });

/** The answer to a chat on REST: the same as the base layer's `conversation` event. */
export const chatAnswerSchema = baseServerEvents.conversation;

export const createConversationSchema = z.object({
  title: line(200),
  description: wellFormedText.max(2_000).nullish(),
  metadata: metadataSchema.nullish(),
});

export const updateConversationSchema = z.object({
  title: line(200).optional(),
  description: wellFormedText.max(2_000).nullish(),
  metadata: metadataSchema.optional(),
  is_active: z.boolean().optional(),
});

export const conversationListSchema = z.object({
  conversations: z.array(conversationSchema),
  total: z.int(),
  skip: z.int(),
  limit: z.int(),
});

export const addMemberSchema = z.object({ username: z.string().max(254) });
export const memberListSchema = z.object({ members: z.array(memberSchema) });

export const messagePageSchema = z.object({
  messages: z.array(messageSchema),
  next_before_seq: z.int().nullable().describe('Pass as `before_seq` for the page before; null at the start.'),
});

export const createTaskSchema = taskFieldsSchema.partial().extend({
  user_message: messageText,
  conversation_id: idSchema.nullish(),
  client_msg_id: idSchema.nullish(),
});

export const updateTaskSchema = taskFieldsSchema.partial().extend({ status: taskStatusSchema.optional() });

export const addTaskMessageSchema = z.object({
  role: z.enum(['assistant', 'system']).default('assistant'),
  content: messageText,
  metadata: metadataSchema.nullish(),
  client_msg_id: idSchema.nullish(),
  final: z.boolean().default(true).describe('Whether this answer ends the task.'),
});

export const taskListSchema = z.object({ tasks: z.array(taskSchema), total: z.int(), skip: z.int(), limit: z.int() });

export const taskFilterSchema = z.object({
  conversation_id: idSchema.optional(),
  status: taskStatusSchema.optional(),
  priority: prioritySchema.optional(),
  category: z.string().max(100).optional(),
});

/** A REST error. `detail` is a sentence, or for a body that fails its schema a list of problems. */
export const restErrorSchema = z.object({
  detail: z.union([
    z.string(),
    z.array(z.object({ loc: z.array(z.union([z.string(), z.number()])), msg: z.string(), type: z.string() })),
  ]),
  error: z.enum(ERROR_CODES),
  limit: z.string().optional(),
  retry_after_ms: z.int().optional(),
  reference: z.string().optional(),
});
