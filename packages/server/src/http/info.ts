import { createRoute } from '@hono/zod-openapi';
import {
  baseServerEvents,
  clientEvents,
  extendedServerEvents,
  limitsSchema,
  logEventData,
  SPOKEN_PROTOCOLS,
} from '@tertulia/protocol';
import { accepts } from 'hono/accepts';
import { html } from 'hono/html';
import { z } from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import type { Config } from '../config.ts';
import { limitsOf } from '../events/limits.ts';
import { answer } from './openapi.ts';
import { sendPage } from './page.ts';
import type { HttpApp, HttpParts } from './parts.ts';
import { hasTestPage, TEST_PAGE } from './static.ts';

const names = z.array(z.string());
const socketInfo = z.object({
  name: z.string(),
  version: z.string(),
  socketio: z.object({
    path: z.string(),
    namespace: z.string(),
    transports: names,
    engine_io: z.literal(4),
    auth: z.record(z.string(), z.string()),
  }),
  protocols: z.array(z.int()).describe('What `auth.protocol` may say. Without it a client speaks the base layer.'),
  client_events: names,
  server_events: z.object({ base: names, extended: names }),
  log_event_types: names.describe('The types of `conversation_event`.'),
  limits: limitsSchema,
  links: z.record(z.string(), z.string()),
});
const welcome = z.object({ name: z.string(), version: z.string(), links: z.record(z.string(), z.string()) });

/** Adds what a newcomer asks first: what this is, and how a socket connects to it. */
export function infoRoutes(app: HttpApp, { config }: HttpParts): void {
  const info = describeSockets(config);
  app.openapi(
    createRoute({
      method: 'get',
      path: '/socket-info',
      tags: ['about'],
      summary: 'How to connect by Socket.IO, and what is spoken there',
      responses: { 200: answer(socketInfo, 'Nothing in it is secret.') },
    }),
    (c) => c.json(info, 200),
  );
  const { name, version, links } = info;
  app.openapi(
    createRoute({
      method: 'get',
      path: '/',
      tags: ['about'],
      summary: 'What this is and where to go next: a page for browsers, JSON for anyone else',
      responses: {
        200: {
          description: 'A greeting.',
          content: { 'application/json': { schema: welcome }, 'text/html': { schema: z.string() } },
        },
      },
    }),
    (c) => {
      c.header('Vary', 'Accept', { append: true });
      const supports = ['application/json', 'text/html'];
      const type = accepts(c, { header: 'Accept', supports, default: 'application/json' });
      return type === 'text/html' ? sendPage(c, welcomePage(config)) : c.json({ name, version, links }, 200);
    },
  );
}

function describeSockets(config: Config): z.infer<typeof socketInfo> {
  return {
    name: 'Tertulia',
    version: manifest.version,
    socketio: {
      path: '/socket.io/',
      namespace: '/',
      transports: [...config.TRANSPORTS],
      engine_io: 4,
      auth: {
        token: 'the access_token that POST /api/v1/auth/login answers',
        protocol: `a number of \`protocols\`; absent for the base layer`,
        language: 'optional: BCP 47 tag of the language for sentences',
        device_id: 'optional',
      },
    },
    protocols: [...SPOKEN_PROTOCOLS],
    client_events: Object.keys(clientEvents),
    server_events: { base: Object.keys(baseServerEvents), extended: Object.keys(extendedServerEvents) },
    log_event_types: Object.keys(logEventData),
    limits: limitsOf(config),
    links: linksOf(config),
  };
}

function linksOf(config: Config): Record<string, string> {
  return {
    docs: '/docs',
    openapi: '/openapi.json',
    asyncapi: '/asyncapi.json',
    socket_info: '/socket-info',
    health: '/api/v1/health',
    ...(hasTestPage(config) && { test_page: TEST_PAGE }),
  };
}

function welcomePage(config: Config) {
  const testPage = html`<a class="action" href="${TEST_PAGE}">Open the test page</a>`;
  return {
    title: 'Tertulia',
    body: html`<main class="welcome">
      <h1>Tertulia</h1>
      <p class="lead">A conversation server: people and assistants talk, and answers stream as they are written.</p>
      <p>This one runs version ${manifest.version} and waits for clients.</p>
      <p class="actions">
        ${hasTestPage(config) ? testPage : ''}<a class="action" href="/docs">Read the API documentation</a>
      </p>
      <p class="quiet">
        For programs: <a href="/socket-info">/socket-info</a>, <a href="/openapi.json">/openapi.json</a>,
        <a href="/asyncapi.json">/asyncapi.json</a>
      </p>
    </main>`,
  };
}
