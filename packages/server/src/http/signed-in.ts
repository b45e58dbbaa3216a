import { ChatError } from '@tertulia/protocol';
import type { MiddlewareHandler } from 'hono';
import { SIGNED_IN } from './openapi.ts';
import type { HttpEnv, HttpParts } from './parts.ts';

type Limit = 'takeChat' | 'takeRequest';

/** Lets only requests through that carry a valid access token in the `Authorization` header; no other place is looked at. */
function requireUser({ accounts }: HttpParts): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const token = /^Bearer +([^\s]+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (!token) throw new ChatError('unauthorized');
    c.set('login', await accounts.authenticate(token));
    await next();
  };
}

/** Counts a request against the limits of the user who asks. */
function limitUser({ limits }: HttpParts, limit: Limit): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    await limits[limit](c.var.login.user.id);
    await next();
  };
}

/** What every route has in common that people use once they are signed in. Messages have a limit of their own. */
export function signedIn(parts: HttpParts, tag: string, limit: Limit = 'takeRequest') {
  const middleware = [requireUser(parts), limitUser(parts, limit)];
  return { tags: [tag], ...SIGNED_IN, middleware };
}
