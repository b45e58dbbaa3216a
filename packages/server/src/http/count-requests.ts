import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { Metrics } from '../metrics.ts';
import { KNOWN_METHODS } from './not-found.ts';
import type { HttpEnv } from './parts.ts';

/** Counts requests by the route that took them, never by the address that was asked for, of which there is no end. */
export function countRequests({ httpRequests }: Metrics): MiddlewareHandler<HttpEnv> {
  const methods: ReadonlySet<string> = new Set(KNOWN_METHODS);
  return async (c, next) => {
    await next();
    const path = routePath(c, -1);
    const method = methods.has(c.req.method) ? c.req.method : 'other';
    httpRequests.inc({ method, route: path.includes('*') ? 'none' : path, status: c.res.status });
  };
}
