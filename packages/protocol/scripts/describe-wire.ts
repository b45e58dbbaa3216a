import { z } from 'zod';
import * as protocol from '../src/index.ts';

type JsonSchema = Record<string, unknown>;

/**
 * Everything that clients and server exchange, as JSON Schema: what `wire/<version>.json` keeps of each version.
 * A schema stands once, under the first name it has; other places refer to it.
 */
export function describeWire() {
  const named = new Map<z.ZodType, string>();
  for (const [name, schema] of namedSchemas()) if (!named.has(schema)) named.set(schema, name);
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of named) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    // What a sender may write. Sentences may change without a new version, so descriptions stay out.
    io: 'input',
    unrepresentable: 'any',
    uri: (id) => id,
    override: ({ jsonSchema }) => delete jsonSchema.description,
  });
  return {
    protocol: protocol.PROTOCOL_VERSION,
    errors: Object.fromEntries(
      Object.entries(protocol.ERRORS).map(([code, { status, retryable }]) => [code, { status, retryable }]),
    ),
    names: Object.fromEntries(namedSchemas().map(([name, schema]) => [name, named.get(schema)])),
    schemas: Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutUris(schema)])),
  };
}

type Named = [name: string, schema: z.ZodType];

/** Every schema on the wire: the exported `…Schema`s, and each event by its table's name. */
function namedSchemas(): Named[] {
  const { clientEvents, logEventData, baseServerEvents, extendedServerEvents, ...others } = protocol;
  const exported = Object.entries(others).flatMap(([name, value]): Named[] =>
    name.endsWith('Schema') && value instanceof z.ZodType ? [[name, value]] : [],
  );
  const client = Object.entries(clientEvents).flatMap(([event, { payload, ack }]): Named[] => [
    [`clientEvents.${event}.payload`, payload],
    [`clientEvents.${event}.ack`, ack],
  ]);
  const server = Object.entries({ logEventData, baseServerEvents, extendedServerEvents }).flatMap(([table, events]) =>
    Object.entries(events).map(([event, schema]): Named => [`${table}.${event}`, schema]),
  );
  return [...exported, ...client, ...server];
}

function withoutUris(schema: JsonSchema): JsonSchema {
  const copy = { ...schema };
  delete copy['$schema'];
  delete copy['$id'];
  return copy;
}
