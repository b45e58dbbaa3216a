import { expect, test } from 'vitest';
import { quote } from '../../src/assistants/guide/quote.ts';
import { sectionsOf } from '../../src/assistants/guide/sections.ts';

function quoteOf(markdown: string, ...words: string[]): string {
  const sections = [...sectionsOf('guide/page.md', markdown)];
  const section = sections.find(({ blocks }) => words.every((word) => blocks.join().includes(word))) ?? sections[0];
  if (!section) throw new Error('there is no section');
  return quote(section, words, 'docs').text;
}

const filler = 'This sentence says nothing of interest to anyone. '.repeat(10);

test('links start where the folder is, those in code stay as they are', () => {
  const text =
    'See [a](other.md#x), [b](../top.md), [c](#here), [d](https://example.org/), [e](/root) and ![f](images/f.png).';
  expect(quoteOf(`# Page\n\n${text}\n\n\`\`\`md\n[a](other.md)\n\`\`\``)).toBe(
    [
      '> See [a](docs/guide/other.md#x), [b](docs/top.md), [c](docs/guide/page.md#here), [d](https://example.org/), [e](/root) and ![f](docs/guide/images/f.png).',
      '>',
      '> ```md',
      '> [a](other.md)',
      '> ```',
    ].join('\n'),
  );
});

test('a wrapped paragraph is quoted as one line', () => {
  expect(quoteOf('# Page\n\nThe badgers\nlive here.')).toBe('> The badgers live here.');
});

test('of a long section the part with the words is quoted', () => {
  const text = quoteOf(
    `# Page\n\n${filler}\n\n${filler}\n\nThe badgers live here.\n\n${filler}\n\n${filler}`,
    'badgers',
  );
  expect(text).toMatch(/^> The badgers live here\./);
});

test('code that has the words comes with what leads to it', () => {
  const text = quoteOf(`# Page\n\n${filler}\n\n${filler}\n\nRun this:\n\n\`\`\`sh\nbadgers --go\n\`\`\``, 'badgers');
  expect(text).toBe('> Run this:\n>\n> ```sh\n> badgers --go\n> ```');
});

test('code is quoted whole, or whole lines of it in code that ends', () => {
  const code = (lines: number) => `\`\`\`\n${'badgers\n'.repeat(lines)}\`\`\``;
  expect(quoteOf(`# Page\n\nRun this:\n\n${code(125)}`, 'badgers').match(/badgers/g)).toHaveLength(125);
  const cut = quoteOf(`# Page\n\nRun this:\n\n${code(400)}`, 'run');
  expect(cut).toMatch(/^> Run this:\n>\n> ```\n(?:> badgers\n){80,125}> ```\n>\n> …$/);
});

test('a long paragraph ends with a sentence', () => {
  expect(quoteOf(`# Page\n\n${filler.repeat(5)}`)).toMatch(/^> .{700,900}to anyone\.\n>\n> …$/);
});

test('after a short paragraph the next one is begun', () => {
  const text = quoteOf(`# Page\n\nThe badgers live here.\n\n${filler.repeat(3)}`, 'badgers');
  expect(text).toMatch(/^> The badgers live here\.\n>\n> This .{600,}anyone\.\n>\n> …$/);
});

test('a long text without a sentence is cut between words and never in a character', () => {
  expect(quoteOf(`# Page\n\n${'word '.repeat(400)}`)).toMatch(/word\n>\n> …$/);
  expect(quoteOf(`# Page\n\n${'😀'.repeat(900)}`).isWellFormed()).toBe(true);
});

test('of a long table the head and the rows with the words are quoted', () => {
  const rows = Array.from(
    { length: 200 },
    (_, at) => `| SETTING_${at} | does ${at === 150 ? 'badgers' : 'something'} |`,
  );
  expect(quoteOf(`# Page\n\n| name | about |\n| --- | --- |\n${rows.join('\n')}`, 'badgers')).toBe(
    '> | name | about |\n> | --- | --- |\n> | SETTING_150 | does badgers |\n>\n> …',
  );
});

test('the link of a section has its path of headings, with nothing in them taken for Markdown', () => {
  const [section] = sectionsOf('a (b)/page one.md', '# `GET` [x] *y* <z>\n\ntext');
  expect(section && quote(section, [], 'docs').link).toBe(
    String.raw`[GET \[x\] y](docs/a%20%28b%29/page%20one.md#get-x-y)`,
  );
});
