import { ChatError, jsonFault } from '@tertulia/protocol';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { HttpEnv } from './parts.ts';
import { replyInvalid } from './reply-error.ts';

/** The most bytes that a request's body may have, as a packet's on the sockets. */
const MAX_BODY_BYTES = 262_144;

const countChunks = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseLarge });

function refuseLarge(): never {
  throw new ChatError('too_large', { limit: `${MAX_BODY_BYTES} bytes` });
}

/** Refuses bodies over the limit; those that say their length without reading them. */
export const limitBody: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if (c.req.header('transfer-encoding') !== undefined) return countChunks(c, next);
  if (Number(c.req.header('content-length') ?? 0) > MAX_BODY_BYTES) refuseLarge();
  return next();
};

/**
 * Refuses JSON that cannot be kept exactly, before any schema looks at it: nested too deep, half a surrogate pair,
 * a number that JSON would change. The body counts as level -1, so that `metadata` in it may use all its levels.
 */
export const checkJson: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if (/^application\/([\w.-]+\+)?json/i.test(c.req.header('content-type') ?? '')) {
    const body: unknown = await c.req.json().catch(() => undefined); // not JSON: the route's own reader says so
    const fault = body === undefined ? null : jsonFault(body, -1);
    if (fault) return replyInvalid(c, [{ loc: ['body'], msg: `The body holds ${fault}`, type: 'json_inexact' }]);
  }
  return next();
};
