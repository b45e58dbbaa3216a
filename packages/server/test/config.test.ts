import { describe, expect, test } from 'vitest';
import { ConfigError, printableConfig, readConfig } from '../src/config.ts';

const secret = 'Jx2v9QmTz7LkP4sWb8RnYc6HdFg3AaEe';
const production = { ENVIRONMENT: 'production', JWT_SECRET: secret };

function problemsWith(variables: Record<string, string>): readonly string[] {
  try {
    readConfig(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('without any variable the settings are those of a laptop', () => {
  expect(readConfig({})).toMatchObject({
    ENVIRONMENT: 'development',
    PORT: 8000,
    HOST: '127.0.0.1',
    DATA_DIR: './data',
    ASSISTANT: 'guide',
    DEBUG_SOCKETS: false,
    MESSAGE_MAX: 16_000,
  });
});

test('an empty variable counts as not set, as in a .env file', () => {
  expect(readConfig({ PORT: '', JWT_SECRET: '' })).toMatchObject({ PORT: 8000, JWT_SECRET: undefined });
});

test('all problems are reported at once, each with its variable', () => {
  const problems = problemsWith({ PORT: 'http', LOG_LEVEL: 'loud', CHAT_RATE: '-1', DEBUG_SOCKETS: 'maybe' });
  expect(problems.map((problem) => problem.split(/[=:]/)[0])).toEqual(
    expect.arrayContaining(['PORT', 'LOG_LEVEL', 'CHAT_RATE', 'DEBUG_SOCKETS']),
  );
});

test.each([
  ['PORT', '70000', 'must be a whole number from 0 to 65535'],
  ['PORT', 'http', 'must be a whole number from 0 to 65535'],
  ['PORT', '8000.5', 'must be a whole number from 0 to 65535'],
  ['CHAT_RATE', '-1', 'must be a whole number from 1 to 1000000000'],
  ['MESSAGE_MAX', '999999', 'must be a whole number from 1 to 60000'],
  ['ENVIRONMENT', 'staging', 'must be development or production'],
  ['TRANSPORTS', 'polling', 'must be polling,websocket or websocket'],
  ['TRANSPORTS', 'websocket,pigeon', 'must be polling,websocket or websocket'],
  ['TRUSTED_PROXIES', '10.0.0.0/8,nginx', 'write addresses or networks, such as 10.0.0.0/8'],
  ['TRUSTED_PROXIES', '10.0.0.0/33', 'write addresses or networks, such as 10.0.0.0/8'],
  ['TRUSTED_PROXIES', '::/0', 'write addresses or networks, such as 10.0.0.0/8'],
  ['TRUSTED_PROXIES', '10.0.0.1/', 'write addresses or networks, such as 10.0.0.0/8'],
  ['LOG_LEVEL', 'loud', 'must be trace, debug, info, warn, error, fatal or silent'],
])('%s=%s says what is allowed', (name, value, sentence) => {
  expect(problemsWith({ [name]: value })).toEqual([`${name}=${value}: ${sentence}`]);
});

test.each(['chat.example.com', 'https://chat.example.com/', 'https://chat.example.com/path', 'localhost:3000', 'null'])(
  'the origin %s is none, and told of at the start',
  (origin) => {
    const problems = problemsWith({ ALLOWED_ORIGINS: `https://a.example,${origin}` });
    expect(problems).toEqual([expect.stringMatching(/^ALLOWED_ORIGINS=[^,]+: is no origin; write each as https:/)]);
  },
);

test('origins of pages and of apps are taken, with and without a port', () => {
  const ALLOWED_ORIGINS = 'https://a.example,http://localhost:3000,http://[::1]:8080,capacitor://localhost';
  expect(problemsWith({ ALLOWED_ORIGINS })).toEqual([]);
});

test('the settings cannot be changed while the server runs', () => {
  expect(() => Object.assign(readConfig({}), { PORT: 1 })).toThrow(TypeError);
});

describe('the test page', () => {
  test('is neither on nor off by itself: the environment decides', () => {
    expect(readConfig({}).TEST_PAGE).toBeUndefined();
    expect(readConfig(production).TEST_PAGE).toBeUndefined();
  });

  test.each([
    ['1', true],
    ['true', true],
    ['0', false],
    ['false', false],
  ])('TEST_PAGE=%s is %s in any environment', (text, wanted) => {
    expect(readConfig({ TEST_PAGE: text }).TEST_PAGE).toBe(wanted);
    expect(readConfig({ ...production, TEST_PAGE: text }).TEST_PAGE).toBe(wanted);
  });
});

describe('production', () => {
  test('needs a secret', () => {
    expect(problemsWith({ ENVIRONMENT: 'production' })).toEqual([expect.stringContaining('JWT_SECRET')]);
    expect(problemsWith(production)).toEqual([]);
  });

  test('refuses to let every origin in', () => {
    const origins = { ALLOWED_ORIGINS: 'https://a.example,*' };
    expect(problemsWith({ ...production, ...origins })).toEqual([expect.stringContaining('ALLOWED_ORIGINS')]);
    expect(problemsWith(origins)).toEqual([]);
  });
});

describe('a secret', () => {
  test.each(['short', 'x'.repeat(64), 'please-change-this-secret-please', 'changeme-changeme-changeme-0123456789'])(
    '%s is refused in any environment',
    (JWT_SECRET) => {
      expect(problemsWith({ JWT_SECRET })).toEqual([expect.stringContaining('JWT_SECRET')]);
      expect(problemsWith({ ...production, JWT_SECRET })).toEqual([expect.stringContaining('JWT_SECRET')]);
    },
  );

  test('is never printed, not even in the sentence that refuses it', () => {
    expect(JSON.stringify(printableConfig(readConfig(production)))).not.toContain(secret);
    expect(printableConfig(readConfig(production))).toMatchObject({ JWT_SECRET: '***', METRICS_TOKEN: undefined });
    expect(problemsWith({ METRICS_TOKEN: 'hunter2' }).join()).not.toContain('hunter2');
  });
});
