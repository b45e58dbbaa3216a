import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createRoute } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { z } from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import { refuseAddress } from './not-found.ts';
import { answer, refusals } from './openapi.ts';
import type { HttpApp, HttpEnv, HttpParts } from './parts.ts';

/** A database that takes longer than this to answer cannot be waited for. */
const CHECK_MS = 2_000;

const tags = ['health'];
const alive = z.object({ status: z.literal('ok'), version: z.string(), uptime_seconds: z.number() });
const ready = z.object({ status: z.literal('ready') });
const notReady = z.object({ status: z.literal('not_ready'), reasons: z.array(z.string()) });

/** Adds what load balancers, containers and Prometheus ask, at the addresses that they expect. */
export function probeRoutes(app: HttpApp, parts: HttpParts): void {
  livenessRoute(app, '/livez');
  readinessRoute(app, '/readyz', parts);
  metricsRoute(app, parts);
}

/** Adds the same beside the rest of the API. */
export function healthRoutes(app: HttpApp, parts: HttpParts): void {
  livenessRoute(app, '/health');
  readinessRoute(app, '/health/ready', parts);
}

function livenessRoute(app: HttpApp, path: string): void {
  const summary = 'Whether the process answers';
  const responses = { 200: answer(alive, 'It does.') };
  app.openapi(createRoute({ method: 'get', path, tags, summary, responses }), (c) => {
    c.header('Cache-Control', 'no-store');
    const uptime_seconds = Math.round(process.uptime());
    return c.json({ status: 'ok', version: manifest.version, uptime_seconds } as const, 200);
  });
}

function readinessRoute(app: HttpApp, path: string, parts: HttpParts): void {
  const summary = 'Whether the server takes requests and can store what it is given';
  const responses = { 200: answer(ready, 'It does.'), 503: answer(notReady, 'Not now, and why.') };
  app.openapi(createRoute({ method: 'get', path, tags, summary, responses }), async (c) => {
    c.header('Cache-Control', 'no-store');
    const reasons = await whatIsMissing(parts);
    if (reasons.length === 0) return c.json({ status: 'ready' } as const, 200);
    return c.json({ status: 'not_ready', reasons } as const, 503);
  });
}

/** Why the server does not take requests or cannot store what it is given, if so. */
export async function whatIsMissing({ state, context }: Pick<HttpParts, 'state' | 'context'>): Promise<string[]> {
  if (!state.isReady) return ['The server is starting or stopping.'];
  const late = new AbortController();
  const check = context().store.check();
  const missing = await Promise.race([
    check.then(
      () => [],
      () => ['The database does not take anything.'],
    ),
    delay(CHECK_MS, ['The database does not answer.'], { signal: late.signal }).catch(() => []),
  ]);
  late.abort();
  return missing;
}

function metricsRoute(app: HttpApp, parts: HttpParts): void {
  const route = createRoute({
    method: 'get',
    path: '/metrics',
    tags,
    summary: "What the server counts, for Prometheus; in production only with METRICS_TOKEN's token",
    middleware: guardMetrics(parts),
    responses: {
      200: { description: 'The metrics.', content: { 'text/plain': { schema: z.string() } } },
      ...refusals('not_found'),
    },
  });
  app.openapi(route, async (c) => {
    c.header('Cache-Control', 'no-store');
    const registry = await parts.metrics.shown();
    return c.text(await registry.metrics(), 200, { 'Content-Type': registry.contentType });
  });
}

/** Nobody else learns that there is anything. */
function guardMetrics(parts: HttpParts): MiddlewareHandler<HttpEnv> {
  return async (c, next) => (mayReadMetrics(c, parts) ? next() : refuseAddress(c));
}

/** With a token set only who has it; without one only in development. */
function mayReadMetrics(c: Context<HttpEnv>, { config }: HttpParts): boolean {
  if (config.METRICS_TOKEN === undefined) return config.ENVIRONMENT === 'development';
  const given = /^Bearer +([^\s]+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
  return given !== undefined && timingSafeEqual(sha256(given), sha256(config.METRICS_TOKEN));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
