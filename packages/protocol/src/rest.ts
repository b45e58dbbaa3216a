import { z } from 'zod';
import { metadataSchema } from './json.ts';
import {
  conversationSchema,
  memberSchema,
  messageSchema,
  prioritySchema,
  taskErrorSchema,
  taskFieldsSchema,
  taskSchema,
  taskStatusSchema,
} from './models.ts';
import { baseServerEvents } from './server-events.ts';
import { ERROR_CODES } from './errors.ts';
import { idSchema, line, messageText, wellFormedText } from './text.ts';

const inAddress = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);
/** A number in an address, described by hand: whatever is made of text, the documents' generator calls nullable. */
const whole = (minimum: number, maximum: number, byDefault: number) =>
  inAddress(minimum, maximum).default(byDefault).meta({ type: 'integer', minimum, maximum, default: byDefault });
const skip = whole(0, 1_000_000, 0).describe('How many to leave out.');
const limit = (most: number, byDefault: number) => whole(1, most, byDefault).describe('How many to answer at most.');

/** 3 to 50 letters, digits, `.`, `_` or `-` of any script; compared in lower-case NFKC. */
export const usernameSchema = z
  .string()
  .refine((name) => /^[\p{L}\p{N}\p{M}._-]{3,50}$/u.test(name), '3 to 50 letters, digits, dots, dashes or underscores');

const PASSWORD_LENGTH = 'must have 8 to 1,000 characters';
/** 8 to 1,000 characters; compared in NFC. */
export const passwordSchema = wellFormedText.min(8, PASSWORD_LENGTH).max(1_000, PASSWORD_LENGTH);

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

/** The answer to a chat on REST: the base layer's `conversation` event, and after a wait how the task stands. */
export const chatAnswerSchema = baseServerEvents.conversation.extend({
  task_status: taskStatusSchema.optional().describe('With `wait`: how the task stands.'),
  task_error: taskErrorSchema.nullish().describe('With `wait`: why there is no answer, where the task failed.'),
});

/** How long a chat on REST waits for the end of its task. */
export const chatWaitSchema = z.object({
  wait: whole(0, 60, 0).describe(
    'Seconds to wait for the answer, 60 at most. Without it the answer comes at once and has none yet.',
  ),
});

export const createConversationSchema = z.object({
  title: line(200),
  description: wellFormedText.max(2_000).nullish(),
  metadata: metadataSchema.nullish(),
  is_active: z.boolean().default(true),
});

export const updateConversationSchema = z.object({
  title: line(200).optional(),
  description: wellFormedText.max(2_000).nullish(),
  metadata: metadataSchema.optional(),
  is_active: z.boolean().optional(),
});

export const listConversationsSchema = z.object({
  skip,
  limit: limit(100, 20),
  sort_by: z.enum(['created_at', 'updated_at', 'title']).default('updated_at'),
  sort_order: z
    .enum(['1', '-1'])
    .default('-1')
    .transform((text): 1 | -1 => (text === '1' ? 1 : -1))
    .describe('1 ascending, -1 descending.'),
});

export const conversationListSchema = z.object({
  conversations: z.array(conversationSchema),
  total: z.int(),
  skip: z.int(),
  limit: z.int(),
});

export const addMemberSchema = z.object({ username: z.string().max(254) });
export const memberListSchema = z.object({ members: z.array(memberSchema) });

export const readMessagesSchema = z.object({
  before_seq: inAddress(1, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Messages below this seq; the newest without it.'),
  limit: limit(100, 50),
});

export const messagePageSchema = z.object({
  messages: z.array(messageSchema),
  next_before_seq: z.int().nullable().describe('Pass as `before_seq` for the page before; null at the start.'),
});

export const readEventsSchema = z.object({
  after_seq: whole(0, Number.MAX_SAFE_INTEGER, 0).describe('The last seq that you have.'),
  limit: limit(100, 100),
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

/** The question of a task and its answers so far, oldest first. */
export const taskMessagesSchema = z.object({ messages: z.array(messageSchema) });

export const taskFilterSchema = z.object({
  skip,
  limit: limit(100, 20),
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
