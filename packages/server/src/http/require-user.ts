import { ChatError } from '@tertulia/protocol';
import type { MiddlewareHandler } from 'hono';
import type { Accounts } from '../accounts/accounts.ts';
import type { HttpEnv } from './parts.ts';

/** Lets only requests through that carry a valid access token in the `Authorization` header; no other place is looked at. */
export function requireUser(accounts: Accounts): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const token = /^Bearer +([^\s]+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (!token) throw new ChatError('unauthorized');
    c.set('login', await accounts.authenticate(token));
    await next();
  };
}
