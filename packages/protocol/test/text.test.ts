import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientEvents, codePoints, idSchema, line, messageText, wellFormedText } from '../src/index.ts';

describe('a message', () => {
  const invisible = {
    empty: '',
    'only spaces': '  \t\n ',
    'only no-break and ideographic spaces': '\u00a0\u3000',
    'only zero-width': '\u200b\u200c\u200d\u2060\ufeff',
    'only control characters': '\u0000\u0007\u001b',
    'only direction marks': '\u200e\u200f\u202e\u2066\u2069',
    'only annotation marks': '\ufff9\ufffb',
    'only soft hyphens': '\u00ad',
    'only variation selectors': '\ufe0f\u{e0100}',
    'only tag characters': '\u{e0041}\u{e007f}',
    'only Hangul fillers': '\u115f\u3164\uffa0',
    'only line separators': '\u2028\u2029',
  };

  test.each(Object.entries(invisible))('%s is refused', (_, text) => {
    expect(messageText.safeParse(text).success).toBe(false);
  });

  test.each(['a', '.', ' a ', '👩‍👩‍👧', '\u202eevil', 'z\u0301\u0302\u0303', 'a\u0000b', '\ufeffBOM', '<script>', '한'])(
    '%j is kept unchanged',
    (text) => {
      expect(messageText.parse(text)).toBe(text);
    },
  );

  test.each(['\ud800', 'a\udc00', '\udc00\ud800', 'ok\ud83d'])('half a surrogate pair is refused: %j', (text) => {
    expect(messageText.safeParse(text).success).toBe(false);
    expect(wellFormedText.safeParse(text).success).toBe(false);
  });

  test.each([null, undefined, 1, [], {}, Buffer.from('a'), new Date(0)])(
    'a message that is %o is refused',
    (message) => {
      expect(clientEvents.chat.payload.safeParse({ message }).success).toBe(false);
    },
  );

  test('any well-formed text comes through unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(wellFormedText.parse(text)).toBe(text);
      }),
    );
  });

  test('text is accepted exactly when it is well-formed', () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes));
    const surrogates = fc.array(fc.integer({ min: 0xd7ff, max: 0xe000 })).map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(fc.oneof(units, surrogates), (text) => {
        expect(wellFormedText.safeParse(text).success).toBe(text.isWellFormed());
      }),
    );
  });
});

describe('counting', () => {
  test('an emoji is one code point, a family is seven and an accent of its own is one more', () => {
    expect(codePoints('')).toBe(0);
    expect(codePoints('👍')).toBe(1);
    expect(codePoints('👨‍👩‍👧‍👦')).toBe(7);
    expect(codePoints('e\u0301')).toBe(2);
  });

  test('code points are those that iterating over the text finds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(codePoints(text)).toBe([...text].length);
      }),
    );
  });
});

describe('a line', () => {
  const title = line(5);

  test('its limit is in code points', () => {
    expect(title.safeParse('👍👍👍👍👍').success).toBe(true);
    expect(title.safeParse('123456').success).toBe(false);
  });

  test.each(['a\nb', 'a\tb', 'a\u0000', '\u007fa', '\u0085a'])('a control character is refused: %j', (text) => {
    expect(title.safeParse(text).success).toBe(false);
  });
});

describe('an id', () => {
  test.each(['a', 'A-Z_0.9:x', '0190a6b2-7c1e', 'x'.repeat(128)])('%s is accepted', (id) => {
    expect(idSchema.safeParse(id).success).toBe(true);
  });

  const refused = ['', 'x'.repeat(129), 'a b', '../a', 'a/b', 'a\n', 'é', 'a\u0000', '$ne', '{}'];
  test.each([...refused, { $ne: null }, { $gt: '' }, ['a'], 1, /a/, 'x'.repeat(10_240)])('%o is refused', (id) => {
    expect(idSchema.safeParse(id).success).toBe(false);
    expect(clientEvents.join_conversation.payload.safeParse({ conversation_id: id }).success).toBe(false);
  });
});
