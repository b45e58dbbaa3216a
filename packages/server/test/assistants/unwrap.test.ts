import { expect, test } from 'vitest';
import { unwrap } from '../../src/assistants/guide/unwrap.ts';

const lines = (...all: string[]) => all.join('\n');

test.each([
  ['a wrapped paragraph is one line', lines('one', 'two', '  three'), 'one two three'],
  [
    'so is each wrapped item of a list',
    lines('- one', '  two', '- three', 'four', '  1. five', '     six'),
    lines('- one two', '- three four', '  1. five six'),
  ],
  ['a break that is meant stays', lines('one  ', 'two\\', 'three'), lines('one  ', 'two\\', 'three')],
  ['so do the rows of a table', lines('| a |', '| - |', '| b |'), lines('| a |', '| - |', '| b |')],
  ['and a quote with its lines', lines('> [!NOTE]', '> text'), lines('> [!NOTE]', '> text')],
  ['and HTML', lines('<p>', '<b>x</b>', '</p>'), lines('<p>', '<b>x</b>', '</p>')],
  ['and code, fenced', lines('```', 'a', 'b', '```'), lines('```', 'a', 'b', '```')],
  ['and code, by indentation', lines('    a', '    b'), lines('    a', '    b')],
  [
    'a table under its sentence is no part of it',
    lines('one', 'two', '| a |', '| b |'),
    lines('one two', '| a |', '| b |'),
  ],
  ['text in a script without blanks is joined without', lines('接続', 'します。'), '接続します。'],
])('%s', (_, block, expected) => {
  expect(unwrap(block)).toBe(expected);
});
