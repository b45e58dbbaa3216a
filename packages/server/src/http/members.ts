import { createRoute } from '@hono/zod-openapi';
import { addMemberSchema, idSchema, memberListSchema, memberSchema } from '@tertulia/protocol';
import { z } from 'zod';
import { addMember, readMembers, removeMember } from '../events/members.ts';
import { answer, body, refusals } from './openapi.ts';
import type { HttpApp, HttpParts } from './parts.ts';
import { signedIn } from './signed-in.ts';

const params = z.object({ conversation_id: idSchema });

/** Adds who belongs to a conversation. */
export function memberRoutes(app: HttpApp, parts: HttpParts): void {
  const common = { path: '/conversations/{conversation_id}/members', ...signedIn(parts, 'members') };
  app.openapi(
    createRoute({
      method: 'get',
      ...common,
      summary: 'The members of a conversation',
      request: { params },
      responses: {
        200: answer(memberListSchema, 'All of them, in the order in which they joined.'),
        ...refusals('unauthorized', 'not_found', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => {
      const { conversation_id } = c.req.valid('param');
      return c.json({ members: await readMembers(parts.context(), c.var.login.user.id, conversation_id) }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      ...common,
      summary: 'Add somebody by username, as the owner',
      request: { params, ...body(addMemberSchema) },
      responses: {
        201: answer(memberSchema, 'The new member.'),
        ...refusals('unauthorized', 'forbidden', 'not_found', 'already_member', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => {
      const { conversation_id } = c.req.valid('param');
      const { username } = c.req.valid('json');
      return c.json(await addMember(parts.context(), c.var.login.user, conversation_id, username), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      ...common,
      path: `${common.path}/{username}`,
      summary: 'Remove a member, as the owner, or leave',
      request: { params: params.extend(addMemberSchema.shape) },
      responses: {
        204: { description: 'No longer a member.' },
        ...refusals('unauthorized', 'forbidden', 'not_found', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => {
      const { conversation_id, username } = c.req.valid('param');
      await removeMember(parts.context(), c.var.login.user, conversation_id, username);
      return c.body(null, 204);
    },
  );
}
