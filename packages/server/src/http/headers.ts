import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import type { Config } from '../config.ts';
import type { HttpEnv } from './parts.ts';

/** For whoever opens an answer as a page: nothing in it runs. A route that serves a page sets its own policy. */
const POLICY = "default-src 'none'; frame-ancestors 'none'";

/** Sets the headers that keep browsers from guessing types, framing, leaking addresses, and storing what is private. */
export const securityHeaders: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next();
  const { headers } = c.res;
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('Referrer-Policy', 'no-referrer');
  if (!headers.has('Content-Security-Policy')) headers.set('Content-Security-Policy', POLICY);
  if (!headers.has('Cache-Control') && c.req.path.startsWith('/api/')) headers.set('Cache-Control', 'no-store');
};

/** Lets the pages of the allowed origins read answers. Never with credentials: who asks is said by the token alone. */
export function allowOrigins(config: Config): MiddlewareHandler<HttpEnv> {
  const allowed = new Set(config.ALLOWED_ORIGINS);
  return cors({
    origin: (origin) => (allowed.has(origin) || (allowed.has('*') && origin !== '') ? origin : null),
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    allowHeaders: ['Authorization', 'Content-Type'],
    exposeHeaders: ['Allow', 'Retry-After', 'WWW-Authenticate'],
    maxAge: 600,
  });
}
