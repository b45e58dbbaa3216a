import { PassThrough } from 'node:stream';
import { build } from 'pino-pretty';
import { expect, test } from 'vitest';
import { createLogger, type Logger } from '../../src/log.ts';

/** What is written for one call. */
function written(call: (log: Logger) => void): string {
  const lines: string[] = [];
  call(createLogger({ level: 'trace', node: 'node', to: { write: (line) => void lines.push(line) } }));
  return lines.join('');
}

const HOSTILE = 'a\r\n{"level":60,"msg":"forged"}\u001b[2J\u009b31m\u2028${jndi:ldap://x}\u0000';

test('a line ends only where it ends: CR, LF, ANSI and separators of a value are escaped', () => {
  const line = written((log) => log.warn({ path: HOSTILE, given: { agent: HOSTILE } }, 'a request failed'));
  // oxlint-disable-next-line no-control-regex
  expect(line).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*\n$/);
  expect(JSON.parse(line)).toMatchObject({
    level: 40,
    path: String.raw`a\u000d\u000a{"level":60,"msg":"forged"}\u001b[2J\u009b31m\u2028\${jndi:ldap://x}\u0000`.replace(
      '\\$',
      '$',
    ),
    given: { agent: expect.stringMatching(/^a\\u000d/) },
  });
});

test('the same on a terminal, where lines are made readable', async () => {
  const screen = new PassThrough();
  const log = createLogger({ level: 'info', node: 'node', to: build({ destination: screen, colorize: false }) });
  log.info({ path: HOSTILE }, 'a request failed');
  const shown = String((await screen.iterator().next()).value);
  expect(shown.split('\n')).toHaveLength(4);
  expect(shown).toMatch(/^ {4}path: "a\\u000d\\u000a.*\\u001b\[2J/m);
});

test('every line has the name of its node', () => {
  expect(JSON.parse(written((log) => log.info('here')))).toMatchObject({ node_id: 'node' });
});

test('a text of 100 KB is cut, and its length told', () => {
  const line = written((log) => log.warn({ agent: 'x'.repeat(100_000) }));
  expect(line.length).toBeLessThan(1_300);
  expect(JSON.parse(line).agent).toMatch(/^x{1000}… \(100000\)$/);
});

test('secrets are not written, at the top or within', () => {
  const auth = { token: 'one', password: 'two', refresh_token: 'three', nested: { access_token: 'four' } };
  const line = written((log) => log.info({ token: 'five', request: auth, authorization: 'Bearer six' }));
  expect(line).not.toMatch(/one|two|three|four|five|six/);
});

test('an error is its message, causes, code and place, and nothing else that was hung on it', () => {
  const error = Object.assign(new Error('the model said no\u001b[31m', { cause: new Error('out of credit') }), {
    code: 'E_MODEL',
    request: { messages: ['somebody said this'] },
  });
  const line = written((log) => log.warn({ err: error }, 'assistant failed'));
  expect(line).not.toContain('somebody');
  expect(JSON.parse(line).err).toEqual({
    type: 'Error',
    message: String.raw`the model said no\u001b[31m: out of credit`,
    code: 'E_MODEL',
    stack: expect.stringMatching(/^ {4}at .*log\.test\.ts/),
  });
});

test('what is thrown and no error is written as well', () => {
  expect(JSON.parse(written((log) => log.error({ err: 'a bare text' }))).err).toEqual({
    type: 'string',
    message: 'a bare text',
  });
});
