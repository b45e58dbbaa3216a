import { ChatError, jsonFault } from '@tertulia/protocol';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { HttpEnv } from './parts.ts';
import { replyInvalid } from './reply-error.ts';

/** The most bytes that a request's body may have, as a packet's on the sockets. */
const MAX_BODY_BYTES = 262_144;

/** So much is read and thrown away before a refusal: a balancer that is still sending may lose an answer that comes before. */
const MAX_DISCARDED_BYTES = 4 * MAX_BODY_BYTES;

const countChunks = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseLarge });

function refuseLarge(): never {
  throw new ChatError('too_large', { limit: `${MAX_BODY_BYTES} bytes` });
}

/** Reads a body to its end. One that breaks off is refused all the same: nobody hears it. */
async function discard(body: ReadableStream | null): Promise<void> {
  await body?.pipeTo(new WritableStream()).catch(() => undefined);
}

/** Refuses bodies over the limit; those that say their length without keeping them, and far larger ones unread. */
export const limitBody: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if (c.req.header('transfer-encoding') !== undefined) return countChunks(c, next);
  const length = Number(c.req.header('content-length') ?? 0);
  if (length <= MAX_BODY_BYTES) return next();
  if (length <= MAX_DISCARDED_BYTES) await discard(c.req.raw.body);
  refuseLarge();
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
