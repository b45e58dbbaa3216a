import { z } from 'zod';

/** JSON nested deeper than this is refused before anything else touches it: 5,000 levels end `JSON.stringify`. */
export const MAX_DEPTH = 16;

/** The most bytes a `metadata` object may have as JSON. */
export const MAX_METADATA_BYTES = 16_384;

/** A value that JSON can carry. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** An object with JSON values, as in `metadata`. */
export type JsonObject = { [key: string]: JsonValue };

/**
 * Says why a value cannot be kept exactly, or null where it can: too deep, not plain JSON (a Buffer, a Date),
 * a lone surrogate, or a number that JSON would change (Infinity, -0, an integer beyond 2^53).
 */
export function jsonFault(value: unknown, depth = 0): string | null {
  if (depth > MAX_DEPTH) return `nested deeper than ${MAX_DEPTH} levels`;
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? null : 'a string with half a surrogate pair';
    case 'number':
      return exactNumber(value) ? null : 'a number that JSON cannot keep exactly';
    case 'boolean':
      return null;
    case 'object':
      return value === null ? null : containerFault(value, depth);
    default:
      return `a value of type ${typeof value}`;
  }
}

function exactNumber(value: number): boolean {
  if (!Number.isFinite(value) || Object.is(value, -0)) return false;
  return !Number.isInteger(value) || Number.isSafeInteger(value);
}

function containerFault(value: object, depth: number): string | null {
  if (Array.isArray(value)) {
    for (const item of value) {
      const fault = jsonFault(item, depth + 1);
      if (fault) return fault;
    }
    return null;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return 'binary data or an object that is not plain JSON';
  for (const key in value) {
    if (!key.isWellFormed()) return 'a key with half a surrogate pair';
    const fault = jsonFault((value as Record<string, unknown>)[key], depth + 1);
    if (fault) return fault;
  }
  return null;
}

const encoder = new TextEncoder();

function metadataFault(value: JsonObject): string | null {
  const fault = jsonFault(value);
  if (fault) return fault;
  return encoder.encode(JSON.stringify(value)).length > MAX_METADATA_BYTES
    ? `larger than ${MAX_METADATA_BYTES} bytes`
    : null;
}

/** The sender's own object, returned as it was sent: plain JSON, at most 16 levels and 16 KiB. */
export const metadataSchema = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    message: 'must be an object',
    abort: true,
  })
  .superRefine((value, context) => {
    const fault = metadataFault(value);
    if (fault) context.addIssue({ code: 'custom', message: `metadata holds ${fault}` });
  })
  .meta({ type: 'object', additionalProperties: true, description: "The sender's own object, returned as sent." });
