import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emailKey, loginKey, usernameKey } from '../../src/accounts/names.ts';

test.each([
  ['ADA', 'ada'],
  ['Straße', 'strasse'],
  ['ΟΔΟΣ', 'οδος'],
  ['οδοσ', 'οδος'],
  ['ﬁsh', 'fish'],
  ['Ａｄａ', 'ada'],
  ['Ⅳth', 'ivth'],
  ['e\u0301mile', 'émile'],
  ['\u01f0an', '\u01f0an'],
])('%s is compared as %s', (name, key) => {
  expect(usernameKey(name)).toBe(key);
  expect(loginKey(` ${name} `)).toBe(key);
});

test('letters of other scripts that look alike stay different', () => {
  expect(usernameKey('раураl')).not.toBe(usernameKey('paypal'));
});

test('an email keeps its dots and plus signs, which some hosts tell apart', () => {
  expect(emailKey(' Ada.L+x@Example.ORG ')).toBe('ada.l+x@example.org');
});

test('a name that vanishes or comes apart is refused', () => {
  for (const name of ['\u3164\u3164\u3164', 'a\u034Fb', '\uFDFA\uFDFA\uFDFA', '']) {
    expect(() => usernameKey(name)).toThrow(expect.objectContaining({ code: 'invalid_payload' }));
  }
});

describe('for any text', () => {
  const anyText = fc.string({ unit: 'binary', maxLength: 60 });

  test('the key of a key is itself', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(loginKey(loginKey(text))).toBe(loginKey(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test('case and normal form make no difference', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const key = loginKey(text);
        for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const) expect(loginKey(text.normalize(form))).toBe(key);
        expect(loginKey(text.toUpperCase())).toBe(key);
      }),
      { numRuns: 2_000 },
    );
  });
});
