import { ERRORS, restErrorSchema, type ErrorCode } from '@tertulia/protocol';
import type { z } from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import type { HttpApp } from './parts.ts';

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

/** The OpenAPI document of all routes. */
export function describeRoutes(app: HttpApp) {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The `access_token` that signing in answers.',
  });
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Tertulia',
      version: manifest.version,
      description: manifest.description,
      license: { name: manifest.license },
    },
    servers: [{ url: '/' }],
  });
}
