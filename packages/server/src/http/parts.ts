import type { HttpBindings } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Accounts } from '../accounts/accounts.ts';
import type { Login, Peer } from '../accounts/parts.ts';
import type { Config } from '../config.ts';
import type { Context as Conversations } from '../events/context.ts';
import type { UserLimits } from '../events/limits.ts';
import type { Metrics } from '../metrics.ts';
import { trustProxies } from '../proxies.ts';

/** What routes work with. */
export interface HttpParts {
  readonly config: Config;
  readonly log: Logger;
  readonly accounts: Accounts;
  readonly limits: UserLimits;
  /** How many sockets are open on this node under a login session. */
  readonly countSockets: (sessionId: string) => number;
  readonly metrics: Metrics;
  /** Whether the server takes requests: not before it has started, not once it stops. */
  readonly state: { readonly isReady: boolean };
  /** What the actions on conversations and tasks work with; there once the server is put together. */
  readonly context: () => Conversations;
}

/** What a request carries: Node's own objects, and once signed in who asks. */
export interface HttpEnv {
  Bindings: HttpBindings;
  Variables: { login: Login };
}

/** The application that routes are added to. */
export type HttpApp = OpenAPIHono<HttpEnv>;

/** Makes what tells who asks. */
export function peerReader({ TRUSTED_PROXIES }: Config): (c: Context<HttpEnv>) => Peer {
  const proxies = trustProxies(TRUSTED_PROXIES);
  return (c) => ({ address: proxies.addressOf(c.env.incoming), user_agent: c.req.header('user-agent') ?? null });
}
