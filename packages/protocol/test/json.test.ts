import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonFault, MAX_DEPTH, MAX_METADATA_BYTES, metadataSchema } from '../src/index.ts';

/** An object whose innermost value stands `depth` levels below it. */
function nested(depth: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < depth; level += 1) value = level % 2 ? [value] : { a: value };
  return value;
}

function accepts(metadata: unknown): boolean {
  return metadataSchema.safeParse(metadata).success;
}

describe('depth', () => {
  test(`${MAX_DEPTH} levels are kept, one more is refused`, () => {
    expect(jsonFault(nested(MAX_DEPTH))).toBeNull();
    expect(jsonFault(nested(MAX_DEPTH + 1))).toMatch(/nested deeper than 16 levels/);
  });

  test.each([17, 5_000, 200_000])('metadata of %i levels is refused within 5 ms', (depth) => {
    const metadata = { deep: nested(depth) };
    const before = process.threadCpuUsage();
    expect(accepts(metadata)).toBe(false);
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(5);
  });
});

describe('numbers', () => {
  test.each([0, 1, -1, 0.1, 1.5e-300, 5e-324, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])(
    '%d is kept',
    (number) => {
      expect(accepts({ number })).toBe(true);
    },
  );

  test.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 2 ** 53, 2 ** 53 + 1, -(2 ** 53), Number.NaN])(
    '%d is refused',
    (number) => {
      expect(accepts({ number })).toBe(false);
    },
  );

  test('NaN as a string is a string', () => {
    expect(accepts({ number: 'NaN' })).toBe(true);
  });
});

describe('what is not plain JSON', () => {
  const values = {
    'a Buffer': Buffer.from('x'),
    'an ArrayBuffer': new ArrayBuffer(1),
    'a typed array': new Uint8Array(1),
    'a Date': new Date(0),
    'a Map': new Map(),
    'a function': () => 1,
    'a symbol': Symbol('x'),
    'a BigInt': 1n,
    undefined,
    'half a surrogate pair': '\ud800',
  };

  test.each(Object.entries(values))('%s is refused, at the top and inside', (_, value) => {
    expect(jsonFault(value)).not.toBeNull();
    expect(accepts({ a: value })).toBe(false);
    expect(accepts({ a: [{ b: value }] })).toBe(false);
  });

  test('a key with half a surrogate pair is refused', () => {
    expect(accepts({ 'a\udc00': 1 })).toBe(false);
  });

  test.each([null, undefined, 'text', 1, true, [], [{}], Buffer.from('{}'), new Date(0)])(
    'metadata that is %o is refused',
    (metadata) => {
      expect(accepts(metadata)).toBe(false);
    },
  );

  test('an object without a prototype is plain JSON', () => {
    expect(accepts(Object.assign(Object.create(null), { a: 1 }))).toBe(true);
  });
});

describe('size', () => {
  const overhead = JSON.stringify({ a: '' }).length;

  test('metadata is measured in bytes of UTF-8, not in characters', () => {
    expect(accepts({ a: 'x'.repeat(MAX_METADATA_BYTES - overhead) })).toBe(true);
    expect(accepts({ a: 'x'.repeat(MAX_METADATA_BYTES - overhead + 1) })).toBe(false);
    expect(accepts({ a: '€'.repeat(Math.floor((MAX_METADATA_BYTES - overhead) / 3)) })).toBe(true);
    expect(accepts({ a: '€'.repeat(Math.floor((MAX_METADATA_BYTES - overhead) / 3) + 1) })).toBe(false);
  });

  test('100,000 keys and a key of 50 KB are refused', () => {
    expect(accepts(Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`key${index}`, index])))).toBe(
      false,
    );
    expect(accepts({ ['k'.repeat(50_000)]: 1 })).toBe(false);
  });
});

describe('keys', () => {
  test('keys that databases and prototypes give a meaning to come back as they were sent', () => {
    const text = '{"__proto__":{"admin":true},"constructor":1,"$where":"1","a.b":2,"":3,"\\u0000":4}';
    const kept: unknown = metadataSchema.parse(JSON.parse(text));
    expect(JSON.stringify(kept)).toBe(text);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });
});

test('whatever is accepted comes back from JSON exactly as it was', () => {
  fc.assert(
    fc.property(fc.anything({ maxDepth: 4, withBigInt: true, withDate: true, withNullPrototype: true }), (value) => {
      fc.pre(jsonFault(value) === null);
      expect(JSON.parse(JSON.stringify(value))).toEqual(value);
    }),
  );
});

test('every JSON text of a few levels is accepted, but for its inexact numbers', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }), (value) => {
      const inexact = JSON.stringify(value, (_, item: unknown) =>
        typeof item === 'number' && (Object.is(item, -0) || (Number.isInteger(item) && !Number.isSafeInteger(item)))
          ? '#inexact'
          : item,
      ).includes('#inexact');
      expect(jsonFault(value) === null).toBe(!inexact);
    }),
  );
});
