import { ERRORS, restErrorSchema, type ErrorCode } from '@tertulia/protocol';
import type { Handler } from 'hono';
import type { z } from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import type { HttpApp, HttpEnv } from './parts.ts';

const errorSchema = restErrorSchema.meta({ id: 'Error' });

/** An answer of JSON in a route's list of answers. */
export function answer<S extends z.ZodType>(schema: S, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

/** A body of JSON that a route needs. */
export function body<S extends z.ZodType>(schema: S) {
  return { body: { required: true, content: { 'application/json': { schema } } } };
}

/** The refusals that a route documents, by status; any can also be `internal_error` or `unavailable`. */
export function refusals(...codes: ErrorCode[]) {
  const byStatus = Map.groupBy([...codes, 'unavailable', 'internal_error'] as const, (code) => ERRORS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, some]) => [
      status,
      answer(errorSchema, some.map((code) => `\`${code}\`: ${ERRORS[code].message}`).join('\n\n')),
    ]),
  );
}

/** Marks a route that needs an access token. */
export const SIGNED_IN = { security: [{ bearer: [] }] };

/** Serves the OpenAPI document of all routes, made when it is first asked for. */
export function serveOpenApi(app: HttpApp): Handler<HttpEnv> {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The `access_token` that signing in answers.',
  });
  let document: string | undefined;
  return (c) => {
    document ??= JSON.stringify(
      app.getOpenAPI31Document({
        openapi: '3.1.0',
        info: { title: 'Tertulia', version: manifest.version, description: manifest.description },
      }),
    );
    return c.body(document, 200, { 'Content-Type': 'application/json' });
  };
}
