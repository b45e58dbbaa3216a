import { ChatError } from '@tertulia/protocol';
import type { Context } from 'hono';
import type { HttpApp, HttpEnv } from './parts.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Every method that some address may take. */
export const KNOWN_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Refuses what no route took: 405 with `Allow` where the address takes other methods or nobody takes this one, else 404. */
export function refuseUnrouted(app: HttpApp, c: Context<HttpEnv>): never {
  const here = METHODS.filter((method) => takes(app, method, c.req.path));
  const allowed = here.length > 0 ? [...here, ...(here.includes('GET') ? ['HEAD'] : []), 'OPTIONS'] : KNOWN_METHODS;
  if (here.length === 0 && allowed.includes(c.req.method)) throw new ChatError('not_found');
  c.header('Allow', allowed.join(', '));
  throw new ChatError('method_not_allowed');
}

/** Whether there is a route, not only middleware, which Hono keeps under the method ALL. */
function takes(app: HttpApp, method: string, path: string): boolean {
  return app.router.match(method, path)[0].some(([[, route]]) => route.method !== 'ALL');
}
