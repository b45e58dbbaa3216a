import { OpenAPIHono } from '@hono/zod-openapi';
import { authRoutes } from './auth.ts';
import { chatRoutes } from './chat.ts';
import { closeWhenStopping } from './closing.ts';
import { conversationRoutes } from './conversations.ts';
import { checkJson, limitBody } from './body-guard.ts';
import { countRequests } from './count-requests.ts';
import { documentRoutes } from './documents.ts';
import { allowOrigins, securityHeaders } from './headers.ts';
import { healthRoutes, probeRoutes } from './health.ts';
import { infoRoutes } from './info.ts';
import { memberRoutes } from './members.ts';
import { refuseUnrouted } from './not-found.ts';
import type { HttpApp, HttpEnv, HttpParts } from './parts.ts';
import { refuseInvalid, replyError } from './reply-error.ts';
import { staticRoutes } from './static.ts';
import { taskRoutes } from './tasks.ts';

/** Makes everything that is answered over plain HTTP. Not strict: each path is also taken with a slash at its end. */
export function createHttp(parts: HttpParts): HttpApp {
  const app: HttpApp = new OpenAPIHono<HttpEnv>({ strict: false, defaultHook: refuseInvalid });
  app.onError((error, c) => replyError(error, c, parts.log));
  app.notFound((c) => refuseUnrouted(app, c));
  app.use(countRequests(parts.metrics), securityHeaders, closeWhenStopping(parts));
  app.use(allowOrigins(parts.config), limitBody, checkJson);
  const api: HttpApp = new OpenAPIHono<HttpEnv>({ strict: false, defaultHook: refuseInvalid });
  authRoutes(api, parts);
  chatRoutes(api, parts);
  conversationRoutes(api, parts);
  memberRoutes(api, parts);
  taskRoutes(api, parts);
  healthRoutes(api, parts);
  app.route('/api/v1', api);
  probeRoutes(app, parts);
  infoRoutes(app, parts);
  staticRoutes(app, parts.config);
  documentRoutes(app);
  return app;
}
