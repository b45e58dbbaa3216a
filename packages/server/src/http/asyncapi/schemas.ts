import * as protocol from '@tertulia/protocol';
import { z } from 'zod';

/** A JSON Schema, as documents carry it. */
export type JsonSchema = Record<string, unknown>;

/** Schemas that stand once under a name of their own; others refer to them. */
const SHARED: Readonly<Record<string, z.ZodType>> = {
  Author: protocol.authorSchema,
  ErrorDetails: protocol.errorDetailsSchema,
  EndedTask: protocol.endedTaskSchema,
  Limits: protocol.limitsSchema,
  Member: protocol.memberSchema,
  Message: protocol.messageSchema,
  Refusal: protocol.refusalSchema,
  RunningAnswer: protocol.runningAnswerSchema,
  StartedTask: protocol.startedTaskSchema,
  User: protocol.userSchema,
  ConversationEvent: protocol.conversationEventSchema,
};

/** Collects schemas under names, to write them out together, each once. */
export class SchemaCollection {
  readonly #input = new Map<z.ZodType, string>();
  readonly #output = new Map<z.ZodType, string>();

  constructor() {
    for (const [name, schema] of Object.entries(SHARED)) this.#output.set(schema, name);
  }

  /** What a client sends: what may be left out may be left out. */
  sent(name: string, schema: z.ZodType): JsonSchema {
    return reference(this.#input, name, schema);
  }

  /** What the server sends. */
  received(name: string, schema: z.ZodType): JsonSchema {
    return reference(this.#output, name, schema);
  }

  /** All of them, by name. */
  write(): Record<string, JsonSchema> {
    return { ...written(this.#output, 'output'), ...written(this.#input, 'input') };
  }
}

function reference(named: Map<z.ZodType, string>, name: string, schema: z.ZodType): JsonSchema {
  if (!named.has(schema)) named.set(schema, name);
  return { $ref: address(named.get(schema) ?? name) };
}

function address(name: string): string {
  return `#/components/schemas/${name}`;
}

function written(named: ReadonlyMap<z.ZodType, string>, io: 'input' | 'output'): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of named) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io,
    target: 'draft-7',
    unrepresentable: 'any',
    uri: address,
    override: ({ jsonSchema }) => {
      // A client ignores what it does not know.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern; // says the same, in 300 characters
    },
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema: _, $id: __, ...rest } = schema as JsonSchema;
      return [name, rest];
    }),
  );
}
