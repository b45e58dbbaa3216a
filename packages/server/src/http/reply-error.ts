import { randomUUID } from 'node:crypto';
import type { Hook } from '@hono/zod-openapi';
import { ChatError, ERRORS, type restErrorSchema } from '@tertulia/protocol';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { MISSING } from '../wording.ts';
import type { HttpEnv } from './parts.ts';

type Answer = z.infer<typeof restErrorSchema>;
type Problem = Extract<Answer['detail'], unknown[]>[number];

/** Translates whatever a route threw. What was not meant for people becomes `internal_error`; its reference finds it in the log. */
export function replyError(error: unknown, c: Context<HttpEnv>, log: Logger): Response {
  if (error instanceof ChatError) {
    if (error.cause)
      log[ERRORS[error.code].status >= 500 ? 'warn' : 'debug']({ err: error, code: error.code }, 'refused a request');
    return replyChatError(error, c);
  }
  if (error instanceof HTTPException && error.status < 500) return replyFrameworkError(error, c);
  const reference = randomUUID();
  log.error({ err: error, reference, method: c.req.method, path: c.req.path }, 'a request failed');
  return replyChatError(new ChatError('internal_error', { reference }), c);
}

function replyChatError({ code, details, message }: ChatError, c: Context<HttpEnv>): Response {
  const { message: _, ...rest } = details;
  const { status } = ERRORS[code];
  if (status === 401) c.header('WWW-Authenticate', 'Bearer');
  if (details.retry_after_ms !== undefined) c.header('Retry-After', String(Math.ceil(details.retry_after_ms / 1_000)));
  return c.json({ detail: message, error: code, ...rest }, status as ContentfulStatusCode);
}

/** What Hono's own readers throw: a body of another type, or one that is not what its type says. */
function replyFrameworkError(error: HTTPException, c: Context<HttpEnv>): Response {
  if (error.status === 415) {
    const isNamed = c.req.header('content-type') !== undefined;
    return refuseContentType(c, isNamed ? 'This content type is not taken here' : 'The body has no content type');
  }
  const json = error.message.includes('JSON');
  return replyInvalid(c, [
    { loc: ['body'], msg: json ? 'JSON decode error' : error.message, type: json ? 'json_invalid' : 'form_invalid' },
  ]);
}

function refuseContentType(c: Context<HttpEnv>, why: string): Response {
  const form = c.req.path.endsWith('/auth/token') && 'application/x-www-form-urlencoded';
  const msg = `${why}: send ${form || 'application/json'}`;
  return replyInvalid(c, [{ loc: ['header', 'content-type'], msg, type: 'content_type' }]);
}

/** Answers 422 with what is wrong and where, in the form that FastAPI clients know. */
export function replyInvalid(c: Context<HttpEnv>, detail: Problem[]): Response {
  const answer: Answer = { detail, error: 'invalid_payload' };
  return c.json(answer, 422);
}

const PLACES: Readonly<Record<string, string>> = { json: 'body', form: 'body', param: 'path' };

/** What a route answers where body, query or path fail their schema. */
export const refuseInvalid: Hook<unknown, HttpEnv, string, Response | undefined> = (result, c) => {
  if (result.success) return undefined;
  const place = PLACES[result.target] ?? result.target;
  return replyInvalid(
    c,
    result.error.issues.map((issue): Problem => {
      const missing = issue.code === 'invalid_type' && issue.message === MISSING;
      return {
        loc: [place, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))],
        msg: missing ? 'Field required' : issue.message,
        type: missing ? 'missing' : issue.code,
      };
    }),
  );
};
