import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anchorsOfFile, plainHeading } from '../../src/assistants/guide/headings.ts';
import { piecesOf } from '../../src/assistants/guide/pieces.ts';
import { type Section, sectionsOf } from '../../src/assistants/guide/sections.ts';

const sections = (markdown: string): Section[] => [...sectionsOf('guide/page.md', markdown)];

test('a page is split at its headings, each with the path to it', () => {
  const found = sections('above\n\n# Page #\n\nintro\n\n## One\n\nfirst\n\n### Deep\n\ndeep\n\n## Two\nsecond\n');
  expect(found.map(({ headings, anchor, blocks }) => [headings.join('/'), anchor, blocks])).toEqual([
    ['page', '', ['above']],
    ['Page', 'page', ['intro']],
    ['Page/One', 'one', ['first']],
    ['Page/One/Deep', 'deep', ['deep']],
    ['Page/Two', 'two', ['second']],
  ]);
});

test('a sharp in code is no heading, and code with blank lines stays whole', () => {
  const code = '```sh\n# install\n\n## really\n```';
  const tildes = '~~~~\n```\n# not yet\n~~~\n# still code\n~~~~';
  const [page, next] = sections(`# Page\nsay\n${code}\nafter\n\n${tildes}\n# Next\n\n    # indented code\n`);
  expect(page?.blocks).toEqual(['say', code, 'after', tildes]);
  expect(next?.blocks).toEqual(['    # indented code']);
});

test('code that is never closed ends with the page, and is closed in the quote', () => {
  expect(sections('# Page\n\n```js\n# x\n\ny')[0]?.blocks).toEqual(['```js\n# x\n\ny\n```']);
});

test('underlined headings count, lines under tables and lists do not', () => {
  const found = sections('Page\n====\n\nintro\n\nPart\n---\n\ntext\n\n| a | b |\n---\n\n- item\n---\n');
  expect(found.map(({ headings }) => headings.join('/'))).toEqual(['Page', 'Page/Part']);
});

test('front matter and comments are not part of the page', () => {
  expect(sections('---\ntitle: x\n---\n# Page\n\n<!-- hidden\nnote -->\n\ntext\n')).toMatchObject([
    { blocks: ['text'] },
  ]);
});

test('a heading without a text of its own is no section, but part of the path', () => {
  expect(sections('# Page\n## One\n### Deep\ntext').map(({ headings }) => headings)).toEqual([['Page', 'One', 'Deep']]);
});

test.each([
  ['Joining a conversation', 'joining-a-conversation'],
  ['`join_conversation` and **leave**', 'join_conversation-and-leave'],
  ['What is G1–G9?', 'what-is-g1g9'],
  ['Node.js & ws  (two)', 'nodejs--ws--two'],
  ['[Errors](errors.md), _really_', 'errors-really'],
  ['`GET /tasks/<id>`', 'get-tasksid'],
  ['Größe & Maß', 'größe--maß'],
  ['接続する', '接続する'],
])('the heading "%s" has the anchor %s', (heading, anchor) => {
  expect(anchorsOfFile()(plainHeading(heading))).toBe(anchor);
});

test('headings of the same name are numbered', () => {
  const anchorOf = anchorsOfFile();
  expect(['Errors', 'Errors', 'Errors 1', 'Errors'].map(anchorOf)).toEqual([
    'errors',
    'errors-1',
    'errors-1-1',
    'errors-2',
  ]);
});

test('a long section makes several pieces under one heading, with nothing lost', () => {
  const words = Array.from({ length: 20_000 }, (_, at) => `w${at}`);
  const found = sections(
    `# Page\n\n${words.slice(0, 10_000).join(' ')}\n\n\`\`\`\n${words.slice(10_000).join('\n')}\n\`\`\`\n`,
  );
  expect(new Set(found.map(({ anchor }) => anchor))).toEqual(new Set(['page']));
  for (const { blocks } of found) expect(blocks.join('').length).toBeLessThan(8_100);
  expect(found.flatMap(({ blocks }) => blocks.join('\n').match(/w\d+/g) ?? [])).toEqual(words);
});

test('any text makes sections of bounded size without failing', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('```', '~~~', '# a', '---', '===', '', '<!--', '-->', '| a |', '> ```'),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
      for (const { blocks, headings } of sections(lines.join('\n'))) {
        expect(blocks.length).toBeGreaterThan(0);
        expect(headings.length).toBeGreaterThan(0);
      }
    }),
  );
});

test('the pieces of a text are the text, and never split a character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 500 }), (text) => {
      const pieces = [...piecesOf(text)];
      expect(pieces.join('')).toBe(text);
      for (const piece of pieces) expect(piece.isWellFormed()).toBe(true);
    }),
  );
});
