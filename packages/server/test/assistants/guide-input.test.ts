import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { createGuide } from '../../src/assistants/guide/guide.ts';
import { ask } from './ask.ts';

const guide = await createGuide({ folder: fileURLToPath(new URL('docs', import.meta.url)), paceMs: 0 });
afterAll(() => guide.close());

const OPERATORS = [
  '"',
  '""',
  "'",
  '*',
  'NEAR(',
  'NEAR',
  ')',
  'AND',
  'OR',
  'NOT',
  '^',
  '-',
  '+',
  ':',
  'body:',
  '{heading}:',
  'port*',
  '\0',
  '(',
  ';',
  '--',
  '%',
  '_',
  '\\',
  'connect',
  'python',
  'server',
  '”',
  '😀',
  '\ud800',
];

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.array(fc.constantFrom(...OPERATORS), { maxLength: 60 }).map((parts) => parts.join(' ')),
  fc.array(fc.constantFrom(...OPERATORS), { maxLength: 60 }).map((parts) => parts.join('')),
);

test('no text of a user makes the guide fail', async () => {
  await fc.assert(
    fc.asyncProperty(anything, anything, async (earlier, question) => {
      const answer = await ask(guide, earlier, 'so and so', question);
      expect(answer).toMatch(/^(From a search|I found nothing|Hello!)/);
      expect(answer.isWellFormed()).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['one word', 'a'.repeat(16_000)],
  ['different words', Array.from({ length: 4_000 }, (_, at) => `w${at}`).join(' ')],
  ['words of the pages', 'connect server message error python '.repeat(450)],
  ['quotes', '"'.repeat(16_000)],
  ['emoji', '😀'.repeat(16_000)],
  ['characters without spaces', '漢字'.repeat(8_000)],
  ['accents on one letter', `e${'\u0301'.repeat(15_999)}`],
  ['apostrophes', "a'".repeat(8_000)],
  ['blanks', ' \n'.repeat(8_000)],
])('16,000 code points of %s are answered in bounded time', async (_, question) => {
  const start = performance.now();
  await ask(guide, question);
  expect(performance.now() - start).toBeLessThan(5_000);
});

test('what was looked for is shown without any Markdown of the user', async () => {
  const answer = await ask(guide, 'xyzzy](https://evil.example) <script>alert(1)</script> `code` ![x](y)');
  expect(answer).not.toContain('](https://evil');
  expect(answer).not.toContain('<script');
});
