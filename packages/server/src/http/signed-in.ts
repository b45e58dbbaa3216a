import type { MiddlewareHandler } from 'hono';
import { SIGNED_IN } from './openapi.ts';
import type { HttpEnv, HttpParts } from './parts.ts';
import { requireUser } from './require-user.ts';

type Limit = 'takeChat' | 'takeRequest';

/** Counts a request against the limits of the user who asks. */
function limitUser({ context }: HttpParts, limit: Limit): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    await context().limits[limit](c.var.login.user.id);
    await next();
  };
}

/** What every route has in common that people use once they are signed in. Messages have a limit of their own. */
export function signedIn(parts: HttpParts, tag: string, limit: Limit = 'takeRequest') {
  const middleware: MiddlewareHandler<HttpEnv>[] = [requireUser(parts.accounts), limitUser(parts, limit)];
  return { tags: [tag], ...SIGNED_IN, middleware };
}
