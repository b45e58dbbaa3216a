import type { MiddlewareHandler } from 'hono';
import type { HttpEnv, HttpParts } from './parts.ts';

/** A server that stops keeps no connection open for another request: it would have to wait for it. */
export function closeWhenStopping({ state }: HttpParts): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    await next();
    if (!state.isReady) c.header('Connection', 'close');
  };
}
