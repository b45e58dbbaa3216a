import { createRoute } from '@hono/zod-openapi';
import {
  ChatError,
  conversationListSchema,
  conversationSchema,
  createConversationSchema,
  eventPageSchema,
  idSchema,
  listConversationsSchema,
  messagePageSchema,
  readEventsSchema,
  readMessagesSchema,
  updateConversationSchema,
} from '@tertulia/protocol';
import { z } from 'zod';
import { createConversation, readConversation, updateConversation } from '../events/conversations.ts';
import { deleteOrLeaveConversation } from '../events/delete-conversation.ts';
import { MESSAGE_PAGE_TEXT } from '../store/paging.ts';
import { answer, body, refusals } from './openapi.ts';
import type { HttpApp, HttpParts } from './parts.ts';
import { signedIn } from './signed-in.ts';

const conversation = conversationSchema.meta({ id: 'Conversation' });
const params = z.object({ conversation_id: idSchema });

/** Adds conversations, their messages and their log of events. */
export function conversationRoutes(app: HttpApp, parts: HttpParts): void {
  listRoutes(app, parts);
  conversationRoute(app, parts);
  historyRoutes(app, parts);
}

function listRoutes(app: HttpApp, parts: HttpParts): void {
  const common = { path: '/conversations', ...signedIn(parts, 'conversations') };
  app.openapi(
    createRoute({
      method: 'get',
      ...common,
      summary: 'The conversations that one is a member of',
      request: { query: listConversationsSchema },
      responses: {
        200: answer(conversationListSchema, 'A page of them, and how many there are.'),
        ...refusals('unauthorized', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const { conversations, total } = await parts.context().store.conversations.list(c.var.login.user.id, query);
      return c.json({ conversations, total, skip: query.skip, limit: query.limit }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      ...common,
      summary: 'Open a conversation without a message',
      request: body(createConversationSchema),
      responses: {
        201: answer(conversation, 'The conversation.'),
        ...refusals('unauthorized', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => {
      const { description = null, metadata, ...rest } = c.req.valid('json');
      const fields = { ...rest, description, metadata: metadata ?? {} };
      return c.json(await createConversation(parts.context(), c.var.login.user, fields), 201);
    },
  );
}

function conversationRoute(app: HttpApp, parts: HttpParts): void {
  const common = { path: '/conversations/{conversation_id}', ...signedIn(parts, 'conversations') };
  app.openapi(
    createRoute({
      method: 'get',
      ...common,
      summary: 'One conversation',
      request: { params },
      responses: {
        200: answer(conversation, 'The conversation.'),
        ...refusals('unauthorized', 'not_found', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => {
      const { conversation_id } = c.req.valid('param');
      return c.json(await readConversation(parts.context(), c.var.login.user.id, conversation_id), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      ...common,
      summary: 'Change a conversation, which its owner may; absent fields stay',
      request: { params, ...body(updateConversationSchema) },
      responses: {
        200: answer(conversation, 'The conversation as it is now.'),
        ...refusals('unauthorized', 'forbidden', 'not_found', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => {
      const { conversation_id } = c.req.valid('param');
      const changes = c.req.valid('json');
      return c.json(await updateConversation(parts.context(), c.var.login.user, conversation_id, changes), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      ...common,
      summary: 'Delete a conversation for all, as its owner; anyone else leaves it',
      request: { params },
      responses: {
        204: { description: 'Deleted, or left.' },
        ...refusals('unauthorized', 'not_found', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => {
      await deleteOrLeaveConversation(parts.context(), c.var.login.user, c.req.valid('param').conversation_id);
      return c.body(null, 204);
    },
  );
}

function historyRoutes(app: HttpApp, parts: HttpParts): void {
  const common = { method: 'get', ...signedIn(parts, 'conversations') } as const;
  const refused = refusals('unauthorized', 'not_found', 'invalid_payload', 'rate_limited');
  app.openapi(
    createRoute({
      ...common,
      path: '/conversations/{conversation_id}/messages',
      summary: 'The messages of a conversation, oldest first, from its end backwards',
      request: { params, query: readMessagesSchema },
      responses: { 200: answer(messagePageSchema, 'A page of messages.'), ...refused },
    }),
    async (c) => {
      const { before_seq = Number.MAX_SAFE_INTEGER, limit } = c.req.valid('query');
      const { conversation_id } = c.req.valid('param');
      const { conversations } = parts.context().store;
      const found = await conversations.messages(c.var.login.user.id, conversation_id, before_seq, limit + 1);
      if (!found) throw new ChatError('not_found');
      const messages = found.slice(-limit);
      const text = found.reduce((sum, { content }) => sum + content.length, 0);
      const hasMore = found.length > limit || text >= MESSAGE_PAGE_TEXT;
      const next_before_seq = hasMore ? (messages[0]?.seq ?? null) : null;
      return c.json({ messages, next_before_seq }, 200);
    },
  );
  app.openapi(
    createRoute({
      ...common,
      path: '/conversations/{conversation_id}/events',
      summary: "A page of the conversation's log, as `sync` gives it on a socket",
      request: { params, query: readEventsSchema },
      responses: { 200: answer(eventPageSchema, 'A page of events, 128 KiB or a single one at most.'), ...refused },
    }),
    async (c) => {
      const { after_seq, limit } = c.req.valid('query');
      const { conversation_id } = c.req.valid('param');
      const { delivery } = parts.context();
      return c.json(await delivery.page(c.var.login.user.id, conversation_id, after_seq, limit), 200);
    },
  );
}
