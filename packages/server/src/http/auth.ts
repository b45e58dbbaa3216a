import { createRoute } from '@hono/zod-openapi';
import {
  accountSchema,
  idSchema,
  loginSchema,
  refreshSchema,
  registerSchema,
  sessionSchema,
  tokensSchema,
  updateMeSchema,
  changePasswordSchema,
} from '@tertulia/protocol';
import { z } from 'zod';
import type { Login } from '../accounts/parts.ts';
import { answer, body, refusals } from './openapi.ts';
import { peerReader, type HttpApp, type HttpParts } from './parts.ts';
import { signedIn } from './signed-in.ts';

const account = accountSchema.meta({ id: 'Account' });
const tokens = tokensSchema.meta({ id: 'Tokens' });
const sessions = z.object({ sessions: z.array(sessionSchema.meta({ id: 'Session' })) });
const tokenForm = loginSchema.extend({ grant_type: z.literal('password').optional() });
const done = (description: string) => ({ 204: { description } });
const tags = ['auth'];

/** Adds registering, signing in, one's own account and one's login sessions. */
export function authRoutes(app: HttpApp, parts: HttpParts): void {
  registerRoute(app, parts);
  signInRoutes(app, parts);
  meRoutes(app, parts);
  sessionRoutes(app, parts);
}

function registerRoute(app: HttpApp, { accounts, config }: HttpParts): void {
  const peerOf = peerReader(config);
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/register',
      tags,
      summary: 'Make an account',
      request: body(registerSchema),
      responses: {
        201: answer(account, 'The account.'),
        ...refusals('email_taken', 'username_taken', 'weak_password', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => c.json(await accounts.register(c.req.valid('json'), peerOf(c)), 201),
  );
}

function signInRoutes(app: HttpApp, { accounts, config }: HttpParts): void {
  const peerOf = peerReader(config);
  const answers = {
    200: answer(tokens, 'The tokens.'),
    ...refusals('bad_credentials', 'invalid_payload', 'rate_limited'),
  };
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/login',
      tags,
      summary: 'Sign in by username or email',
      request: body(loginSchema),
      responses: answers,
    }),
    async (c) => {
      const { username, password } = c.req.valid('json');
      return c.json(await accounts.logIn(username, password, peerOf(c)), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/token',
      tags,
      summary: 'Sign in by an OAuth 2 password form',
      request: { body: { required: true, content: { 'application/x-www-form-urlencoded': { schema: tokenForm } } } },
      responses: answers,
    }),
    async (c) => {
      const { username, password } = c.req.valid('form');
      return c.json(await accounts.logIn(username, password, peerOf(c)), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/refresh',
      tags,
      summary: 'Exchange a refresh token, once',
      request: body(refreshSchema),
      responses: {
        200: answer(tokens, 'The next tokens.'),
        ...refusals('unauthorized', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => c.json(await accounts.refresh(c.req.valid('json').refresh_token, peerOf(c)), 200),
  );
}

function meRoutes(app: HttpApp, parts: HttpParts): void {
  const { accounts } = parts;
  const auth = signedIn(parts, 'auth');
  app.openapi(
    createRoute({
      method: 'get',
      path: '/auth/me',
      summary: "One's own account",
      ...auth,
      responses: { 200: answer(account, 'The account.'), ...refusals('unauthorized', 'rate_limited') },
    }),
    (c) => c.json(c.var.login.user, 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/auth/me',
      summary: "Change one's names; absent fields stay",
      ...auth,
      request: body(updateMeSchema),
      responses: {
        200: answer(account, 'The account as it is now.'),
        ...refusals('unauthorized', 'email_taken', 'username_taken', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => c.json(await accounts.updateMe(c.var.login, c.req.valid('json')), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/password',
      summary: "Change one's password, which ends all other sessions",
      ...auth,
      request: body(changePasswordSchema),
      responses: {
        ...done('Changed.'),
        ...refusals('unauthorized', 'bad_credentials', 'weak_password', 'invalid_payload', 'rate_limited'),
      },
    }),
    async (c) => {
      const { current_password, new_password } = c.req.valid('json');
      await accounts.changePassword(c.var.login, current_password, new_password);
      return c.body(null, 204);
    },
  );
}

function sessionRoutes(app: HttpApp, parts: HttpParts): void {
  const { accounts, countSockets } = parts;
  const auth = signedIn(parts, 'auth');
  app.openapi(
    createRoute({
      method: 'get',
      path: '/auth/sessions',
      summary: "One's live login sessions, newest first",
      ...auth,
      responses: { 200: answer(sessions, 'The sessions.'), ...refusals('unauthorized', 'rate_limited') },
    }),
    async (c) => {
      const listed = await accounts.sessions(c.var.login);
      return c.json({ sessions: listed.map((one) => ({ ...one, live_sockets: countSockets(one.id) })) }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/auth/sessions/{session_id}',
      summary: 'End one session and close its sockets',
      ...auth,
      request: { params: z.object({ session_id: idSchema }) },
      responses: { ...done('Ended.'), ...refusals('unauthorized', 'not_found', 'invalid_payload', 'rate_limited') },
    }),
    async (c) => {
      await accounts.endSession(c.var.login, c.req.valid('param').session_id);
      return c.body(null, 204);
    },
  );
  const endings = [
    ['delete', '/auth/sessions', 'End every session but this one', (login: Login) => accounts.endOtherSessions(login)],
    ['post', '/auth/logout', 'End this session', (login: Login) => accounts.logOut(login)],
    ['post', '/auth/logout-all', 'End every session', (login: Login) => accounts.logOutEverywhere(login)],
  ] as const;
  for (const [method, path, summary, end] of endings) {
    const responses = { ...done('Ended.'), ...refusals('unauthorized', 'rate_limited') };
    app.openapi(createRoute({ method, path, summary, ...auth, responses }), async (c) => {
      await end(c.var.login);
      return c.body(null, 204);
    });
  }
}
