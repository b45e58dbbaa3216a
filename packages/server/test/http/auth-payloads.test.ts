import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD, startHttp, type TestHttp } from '../support/start-http.ts';

let http: TestHttp;
beforeAll(async () => void (http = await startHttp()));
afterAll(() => http.close());

const register = (json: object) => http.call('POST', '/api/v1/auth/register', { json });
const logIn = (json: unknown) => http.call('POST', '/api/v1/auth/login', { json });

describe('a body that fails its schema', () => {
  test('is told where and why, as FastAPI does', async () => {
    const answer = await register({ email: 'no address', username: 'ab' });
    expect(answer.status).toBe(422);
    expect(answer.body.error).toBe('invalid_payload');
    expect(answer.body.detail).toEqual([
      { loc: ['body', 'email'], msg: 'Invalid email address', type: 'invalid_format' },
      { loc: ['body', 'username'], msg: '3 to 50 letters, digits, dots, dashes or underscores', type: 'custom' },
      { loc: ['body', 'password'], msg: 'Field required', type: 'missing' },
    ]);
  });

  test('is told so in words for people, also of a password', async () => {
    const short = await register({ email: 'a@example.org', username: 'ada', password: 'short' });
    expect(short.body.detail).toEqual([
      { loc: ['body', 'password'], msg: 'must have 8 to 1,000 characters', type: 'too_small' },
    ]);
    const { body } = await logIn({ username: 1, password: null });
    expect(body.detail.map(({ msg }: { msg: string }) => msg)).toEqual(['must be text', 'must be text']);
  });

  test.each([
    ['operators', { username: { $gt: '' }, password: { $gt: '' } }],
    ['arrays', { username: ['ada'], password: ['x'] }],
    ['numbers', { username: 1, password: 2 }],
    ['nothing', {}],
    ['null', null],
    ['a list', []],
    ['a text', 'ada'],
    ['a number', 7],
  ])('of %s is refused before anything is looked up', async (_name, json) => {
    const answer = await logIn(json);
    expect([answer.status, answer.body.error]).toEqual([422, 'invalid_payload']);
    expect(answer.body.detail[0].loc[0]).toBe('body');
  });

  test.each(['{"username":"ada"', '{"a":1}{"b":2}', '', 'undefined', '{"a":NaN}', "{'a':1}", '\u0000'])(
    'of broken JSON %j is 422',
    async (body) => {
      const answer = await http.call('POST', '/api/v1/auth/login', {
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect([answer.status, answer.body.detail[0].type]).toEqual([422, 'json_invalid']);
    },
  );

  test.each(['text/plain', 'application/xml', 'image/png', 'nonsense'])('of type %s is 422', async (type) => {
    const answer = await http.call('POST', '/api/v1/auth/login', {
      body: JSON.stringify({ username: 'ada', password: PASSWORD }),
      headers: { 'content-type': type },
    });
    expect([answer.status, answer.body.error]).toEqual([422, 'invalid_payload']);
  });

  test('in a form is 422 as well', async () => {
    const twice = new URLSearchParams([
      ['username', 'a'],
      ['username', 'b'],
      ['password', 'c'],
    ]);
    expect((await http.call('POST', '/api/v1/auth/token', { body: twice })).status).toBe(422);
    const broken = { body: 'no boundary', headers: { 'content-type': 'multipart/form-data' } };
    expect((await http.call('POST', '/api/v1/auth/token', broken)).status).toBe(422);
  });
});

test.each([18, 5_000, 100_000])('JSON nested %d deep is refused in little time', async (depth) => {
  const body = `{"username":"ada","password":"x","metadata":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const headers = { 'content-type': 'application/json' };
  const answer = await http.call('POST', '/api/v1/auth/login', { body, headers });
  expect([answer.status, answer.body.detail[0].type]).toEqual([422, 'json_inexact']);
});

test.each([
  ['half a surrogate pair', '{"username":"\\ud800","password":"x"}'],
  ['an endless number', '{"username":"a","password":"x","n":1e309}'],
  ['a number too exact', '{"username":"a","password":"x","n":9007199254740993}'],
])('JSON with %s is refused', async (_name, body) => {
  const answer = await http.call('POST', '/api/v1/auth/login', {
    body,
    headers: { 'content-type': 'application/json' },
  });
  expect([answer.status, answer.body.detail[0].type]).toEqual([422, 'json_inexact']);
});

test('what a registration must not set is ignored', async () => {
  const answer = await register({
    email: 'mallory@example.org',
    username: 'mallory',
    password: PASSWORD,
    id: 'chosen',
    is_superuser: true,
    is_active: false,
    role: 'admin',
    created_at: '1970-01-01T00:00:00.000Z',
    __proto__: { is_superuser: true },
  });
  expect(answer.body).toMatchObject({ is_superuser: false, is_active: true });
  expect(answer.body.id).not.toBe('chosen');
  expect(answer.body.created_at).not.toMatch(/^1970/);
  const { access_token: token } = (await logIn({ username: 'mallory', password: PASSWORD })).body;
  const changed = await http.call('PUT', '/api/v1/auth/me', {
    token,
    json: { is_superuser: true, id: 'x', is_active: false },
  });
  expect(changed.body).toEqual(answer.body);
});

describe('twins of a username are one name', () => {
  beforeAll(() => http.signUp('José'));

  test.each([
    ['another case', 'JOSÉ'],
    ['taken apart', 'Jose\u0301'],
    ['full width', 'Ｊｏｓé'],
    ['a variation selector', 'José\uFE0F'],
    ['a grapheme joiner', 'Jo\u034Fsé'],
    ['a long s', 'Joſé'],
  ])('%s', async (_name, username) => {
    const answer = await register({ email: 'twin@example.org', username, password: PASSWORD });
    expect([answer.status, answer.body.error]).toEqual([400, 'username_taken']);
    expect((await logIn({ username, password: PASSWORD })).status).toBe(200);
  });

  test('a name of letters that cannot be seen, or that come apart, is none', async () => {
    for (const username of ['\u3164\u3164\u3164', '\u115F\u1160\u034F', '\uFDFA\uFDFA\uFDFA']) {
      const answer = await register({ email: 'unseen@example.org', username, password: PASSWORD });
      expect([username, answer.status]).toEqual([username, 422]);
    }
  });

  test('a name with what a name does not have is refused', async () => {
    for (const username of [
      'a@b',
      'a b c',
      'a\u0000bc',
      "a'--",
      'abc\u202E',
      'abc\u200B',
      '<script>',
      'ab',
      'x'.repeat(51),
    ]) {
      const answer = await register({ email: 'odd@example.org', username, password: PASSWORD });
      expect([username, answer.status]).toEqual([username, 422]);
    }
  });

  test('an email in another case is the same email', async () => {
    const answer = await register({ email: 'JOSE.TWIN@Example.ORG', username: 'josetwin', password: PASSWORD });
    expect(answer.status).toBe(201);
    const again = await register({ email: 'jose.twin@example.org', username: 'josetwin2', password: PASSWORD });
    expect(again.body.error).toBe('email_taken');
  });
});

test.each(["' OR 1=1 --", '"; DROP TABLE users; --', 'ada\u0000', '%', '_____', '$ne', '{"$gt":""}', 'x'.repeat(254)])(
  'the name %j is taken literally',
  async (username) => {
    expect((await logIn({ username, password: PASSWORD })).body.error).toBe('bad_credentials');
  },
);

describe('a password', () => {
  let made = 0;
  const withPassword = (password: string) => {
    made += 1;
    return register({ email: `pw${made}@example.org`, username: `pw${made}`, password });
  };

  test.each([0, 7])('of %d characters is too short', async (length) => {
    expect((await withPassword('x'.repeat(length))).status).toBe(422);
  });

  test('of 4 emoji is too short, though each counts as two units', async () => {
    expect((await withPassword('🦜🦜🦜🦜')).status).toBe(422);
  });

  test.each([8, 64, 73, 1_000])('of %d characters counts to its last one', async (length) => {
    const password = `${'x'.repeat(length - 1)}a`;
    expect((await withPassword(password)).status).toBe(201);
    expect((await logIn({ username: `pw${made}`, password })).status).toBe(200);
    expect((await logIn({ username: `pw${made}`, password: `${'x'.repeat(length - 1)}b` })).status).toBe(401);
  });

  test('of 1,001 characters is too long', async () => {
    expect((await withPassword('x'.repeat(1_001))).status).toBe(422);
  });

  test('with NUL counts beyond it', async () => {
    expect((await withPassword('secret\u0000after')).status).toBe(201);
    expect((await logIn({ username: `pw${made}`, password: 'secret\u0000after' })).status).toBe(200);
    expect((await logIn({ username: `pw${made}`, password: 'secret\u0000other' })).status).toBe(401);
    expect((await logIn({ username: `pw${made}`, password: 'secret' })).status).toBe(401);
  });

  test('typed on another keyboard, composed or not, is the same', async () => {
    expect((await withPassword('Ångström é')).status).toBe(201);
    expect((await logIn({ username: `pw${made}`, password: 'Ångström é'.normalize('NFD') })).status).toBe(200);
  });

  test('keeps its spaces and its case', async () => {
    expect((await withPassword(' Spaced Out ')).status).toBe(201);
    expect((await logIn({ username: `pw${made}`, password: 'Spaced Out' })).status).toBe(401);
    expect((await logIn({ username: `pw${made}`, password: ' spaced out ' })).status).toBe(401);
  });
});

test('no log line ever held a password or a token', () => {
  const all = http.logged.join('');
  expect(all).not.toContain(PASSWORD);
  expect(all).not.toMatch(/eyJ[A-Za-z0-9_-]{10}/);
});
