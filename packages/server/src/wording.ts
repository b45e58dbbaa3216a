import { z } from 'zod';

/** What is said of a field that is not there. */
export const MISSING = 'is missing';

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
};

const UNITS: Readonly<Record<string, string>> = { string: 'characters', array: 'entries' };

/** What is wrong with a value, in words for people, where its schema has none of its own; null leaves it to Zod. */
function wordingOf(issue: z.core.$ZodRawIssue): string | null {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? MISSING : `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${alternatives(issue.values.map(String))}`;
    case 'too_small':
      return bound(issue.origin, String(issue.minimum), 'at least');
    case 'too_big':
      return bound(issue.origin, String(issue.maximum), 'at most');
    default:
      return null;
  }
}

function bound(origin: string, limit: string, most: string): string {
  const unit = UNITS[origin];
  return unit ? `must have ${most} ${limit} ${unit}` : `must be ${most} ${limit}`;
}

function alternatives(values: readonly string[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

// For the process: every schema that is checked in it speaks to people, over sockets, REST and on a terminal.
z.config({ customError: wordingOf });
