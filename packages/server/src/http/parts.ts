import type { HttpBindings } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Accounts } from '../accounts/accounts.ts';
import type { Login, Peer } from '../accounts/parts.ts';
import type { Config } from '../config.ts';
import type { Context as Conversations } from '../events/context.ts';
import type { Metrics } from '../metrics.ts';

/** What routes work with. */
export interface HttpParts {
  readonly config: Config;
  readonly log: Logger;
  readonly accounts: Accounts;
  /** How many sockets are open on this node under a login session. */
  readonly countSockets: (sessionId: string) => number;
  readonly metrics: Metrics;
  /** Whether the server takes requests: not before it has started, not once it stops. */
  readonly state: { readonly isReady: boolean };
  /** What the actions on conversations and tasks work with; there once the server is put together. */
  readonly context: () => Conversations;
}

/** What a request carries: Node's own objects, and after `requireUser` who asks. */
export interface HttpEnv {
  Bindings: HttpBindings;
  Variables: { login: Login };
}

/** The application that routes are added to. */
export type HttpApp = OpenAPIHono<HttpEnv>;

/** Who is at the other end of the connection. Headers that claim another address (X-Forwarded-For) are not believed. */
export function peerOf(c: Context<HttpEnv>): Peer {
  const address = c.env.incoming.socket.remoteAddress ?? 'unknown';
  return { address: address.replace(/^::ffff:(?=\d+\.)/i, ''), user_agent: c.req.header('user-agent') ?? null };
}
