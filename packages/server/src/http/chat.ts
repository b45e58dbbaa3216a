import { createRoute } from '@hono/zod-openapi';
import { chatAnswerSchema, chatWaitSchema, continueChatSchema, idSchema, sendChatSchema } from '@tertulia/protocol';
import type { Context } from 'hono';
import { z } from 'zod';
import type { ChatRequest } from '../events/chat.ts';
import { chatAndWait } from '../events/chat-and-wait.ts';
import { answer, body, refusals } from './openapi.ts';
import type { HttpApp, HttpEnv, HttpParts } from './parts.ts';
import { signedIn } from './signed-in.ts';

const sent = chatAnswerSchema.meta({ id: 'ChatAnswer' });

/** Adds sending messages: the socket's `chat` for whoever has no socket. */
export function chatRoutes(app: HttpApp, parts: HttpParts): void {
  const common = {
    method: 'post',
    ...signedIn(parts, 'chat', 'takeChat'),
    responses: {
      201: answer(sent, 'The message is stored and its task begun; with `wait`, the answers there are by then.'),
      ...refusals(
        'unauthorized',
        'not_found',
        'invalid_payload',
        'too_large',
        'idempotency_conflict',
        'rate_limited',
        'too_many_tasks',
      ),
    },
  } as const;
  const send = (c: Context<HttpEnv>, request: ChatRequest, seconds: number) =>
    chatAndWait(parts.context(), c.var.login.user, request, { seconds, signal: c.req.raw.signal });

  app.openapi(
    createRoute({
      ...common,
      path: '/chat',
      summary: 'Send a message, to a conversation or to open a new one',
      request: { query: chatWaitSchema, ...body(sendChatSchema) },
    }),
    async (c) => c.json(await send(c, c.req.valid('json'), c.req.valid('query').wait), 201),
  );
  app.openapi(
    createRoute({
      ...common,
      path: '/chat/{conversation_id}/continue',
      summary: 'Send a message to a conversation',
      request: { params: z.object({ conversation_id: idSchema }), query: chatWaitSchema, ...body(continueChatSchema) },
    }),
    async (c) => {
      const request = { ...c.req.valid('json'), ...c.req.valid('param') };
      return c.json(await send(c, request, c.req.valid('query').wait), 201);
    },
  );
}
