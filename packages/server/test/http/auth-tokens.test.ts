import { createHmac, generateKeyPairSync } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startHttp, TEST_SECRET, type TestHttp } from '../support/start-http.ts';

let http: TestHttp;
let claims: { sub: string; sid: string };
let token: string;
let refreshToken: string;
let count = 0;

beforeAll(async () => void (http = await startHttp()));
afterAll(() => http.close());
beforeEach(async () => {
  const signedUp = await http.signUp(`bearer${(count += 1)}`);
  token = signedUp.access_token;
  refreshToken = signedUp.refresh_token;
  const login = await http.accounts.authenticate(token);
  claims = { sub: login.user.id, sid: login.session_id };
});

const now = () => Math.floor(Date.now() / 1_000);
const me = (given: string) => http.call('GET', '/api/v1/auth/me', { token: given });
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token signed as ours are, but for what the test changes; a claim of undefined is left out. */
function forge(payload: object = {}, header: object = {}, key: string | Buffer = TEST_SECRET, hash = 'sha256'): string {
  const standard = { iss: 'tertulia', aud: 'tertulia', iat: now(), exp: now() + 600, jti: 'forged', ...claims };
  const input = `${base64({ alg: 'HS256', typ: 'at+jwt', ...header })}.${base64({ ...standard, ...payload })}`;
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`;
}

const REFUSED = { status: 401, error: 'unauthorized', challenge: 'Bearer' };

/** What a request with this token meets. */
async function verdict(given: string): Promise<{ status: number; error: string; challenge: string | null }> {
  const { status, body, headers } = await me(given);
  return { status, error: body.error, challenge: headers.get('www-authenticate') };
}

test('a token forged in every detail right is taken, so the refusals below mean something', async () => {
  expect((await me(forge())).status).toBe(200);
});

describe('a token is refused', () => {
  test.each(['none', 'None', 'nOnE', ''])('with algorithm %s', async (alg) => {
    expect(await verdict(forge({}, { alg }))).toEqual(REFUSED);
    expect(await verdict(forge({}, { alg }).replace(/[^.]*$/, ''))).toEqual(REFUSED);
  });

  test('without an algorithm', async () => {
    expect(await verdict(forge({}, { alg: undefined }))).toEqual(REFUSED);
  });

  test('with HS512 and the right key', async () => {
    expect(await verdict(forge({}, { alg: 'HS512' }, TEST_SECRET, 'sha512'))).toEqual(REFUSED);
  });

  test('with HS256 keyed by a public key', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    expect(await verdict(forge({}, {}, publicKey.export({ type: 'spki', format: 'pem' })))).toEqual(REFUSED);
  });

  test('signed RS256 by a key of its own', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const foreign = await new SignJWT({ sid: claims.sid })
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt' })
      .setSubject(claims.sub)
      .setIssuer('tertulia')
      .setAudience('tertulia')
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey);
    expect(await verdict(foreign)).toEqual(REFUSED);
  });

  test.each([
    ['kid', 'unknown'],
    ['kid', '../../dev/null'],
    ['kid', "' OR 1=1 --"],
    ['jku', 'http://127.0.0.1:1/keys'],
    ['x5u', 'http://127.0.0.1:1/cert'],
    ['jwk', { kty: 'oct', k: 'AAAA' }],
    ['crit', ['exp']],
    ['b64', false],
  ])('with %s %s in its header', async (name, value) => {
    expect(await verdict(forge({}, { [name]: value }))).toEqual(REFUSED);
  });

  test.each([
    ['no exp', { exp: undefined }],
    ['exp as text', { exp: '9999999999' }],
    ['a negative exp', { exp: -1 }],
    ['a past exp', { exp: 1_000_000_000 }],
    ['an exp that overflows timers', { exp: 1e15 }],
    ['an exp with fractions', { exp: 4_102_444_800.5 }],
    ['exp null', { exp: null }],
    ['no iat', { iat: undefined }],
    ['no sub', { sub: undefined }],
    ['no sid', { sid: undefined }],
    ['sub as object', { sub: { $ne: null } }],
    ['sid as object', { sid: { $gt: '' } }],
    ['a sid that never was', { sid: '../../etc' }],
    ['a foreign iss', { iss: 'elsewhere' }],
    ['no aud', { aud: undefined }],
    ['a foreign aud', { aud: 'elsewhere' }],
  ])('with %s', async (_name, payload) => {
    expect(await verdict(forge(payload))).toEqual(REFUSED);
  });

  test('at the very second of its exp', async () => {
    expect(await verdict(forge({ exp: now() }))).toEqual(REFUSED);
  });
  test('before its nbf', async () => {
    expect(await verdict(forge({ nbf: now() + 60 }))).toEqual(REFUSED);
  });
  test('issued more than 5 s in the future', async () => {
    expect(await verdict(forge({ iat: now() + 30, exp: now() + 60 }))).toEqual(REFUSED);
  });
  test('living longer than the setting says', async () => {
    expect(await verdict(forge({ exp: now() + 1_801 }))).toEqual(REFUSED);
  });

  test('of another type', async () => {
    for (const typ of ['JWT', 'rt+jwt', undefined]) expect(await verdict(forge({}, { typ }))).toEqual(REFUSED);
  });

  test("with somebody's session and somebody else's name", async () => {
    const other = await http.signUp(`other${count}`);
    expect(await verdict(forge({ sub: other.id }))).toEqual(REFUSED);
  });

  test('with one letter of its signature changed', async () => {
    const end = token.at(-2) === 'A' ? 'B' : 'A';
    expect(await verdict(`${token.slice(0, -2)}${end}${token.at(-1)}`)).toEqual(REFUSED);
  });

  test('where it is a refresh token', async () => {
    expect(await verdict(refreshToken)).toEqual(REFUSED);
  });

  test('in the query, in a cookie, with another scheme, twice, or not there', async () => {
    const places = [
      http.call('GET', `/api/v1/auth/me?access_token=${token}&token=${token}`),
      http.call('GET', '/api/v1/auth/me', { headers: { cookie: `access_token=${token}; token=${token}` } }),
      http.call('GET', '/api/v1/auth/me', { headers: { authorization: `Basic ${token}` } }),
      http.call('GET', '/api/v1/auth/me', { headers: { authorization: `Bearer ${token} ${token}` } }),
      http.call('GET', '/api/v1/auth/me', { headers: { authorization: 'Bearer' } }),
      http.call('GET', '/api/v1/auth/me'),
    ];
    for (const { status } of await Promise.all(places)) expect(status).toBe(401);
    expect(http.logged.join('')).not.toContain(token);
  });
});

test('a token issued up to 5 s ahead by another node is taken', async () => {
  expect((await me(forge({ iat: now() + 4, exp: now() + 600 }))).status).toBe(200);
});

test('a token ends with its time and the refresh token goes on', async () => {
  http.advance(30 * 60_000 + 1_000);
  expect(await verdict(token)).toEqual(REFUSED);
  const refreshed = await http.call('POST', '/api/v1/auth/refresh', { json: { refresh_token: refreshToken } });
  expect((await me(refreshed.body.access_token)).status).toBe(200);
  http.advance(-(30 * 60_000 + 1_000));
});

describe('a refresh token', () => {
  const exchange = (refresh_token: string) => http.call('POST', '/api/v1/auth/refresh', { json: { refresh_token } });

  test('is refused where it is an access token, unknown, empty or long', async () => {
    for (const given of [token, 'x'.repeat(43), '', 'x'.repeat(1_000)])
      expect((await exchange(given)).status).toBe(401);
    expect((await exchange('x'.repeat(1_001))).status).toBe(422);
  });

  test('of two exchanges ago ends the family even within the grace, with its sockets, and it is logged', async () => {
    const second = await exchange(refreshToken);
    const third = await exchange(second.body.refresh_token);
    const replay = await exchange(refreshToken);
    expect([replay.status, replay.body.error]).toEqual([401, 'unauthorized']);
    expect(http.revoked).toContain(claims.sid);
    expect(http.logged.some((line) => line.includes('used again') && line.includes(claims.sub))).toBe(true);
    expect((await exchange(third.body.refresh_token)).status).toBe(401);
    expect(await verdict(third.body.access_token)).toEqual(REFUSED);
  });

  test('used again after the grace ends the family', async () => {
    const second = await exchange(refreshToken);
    http.sql('UPDATE refresh_tokens SET issued_at = issued_at - 10001 WHERE session_id = ?', claims.sid);
    expect((await exchange(refreshToken)).status).toBe(401);
    expect(http.revoked).toContain(claims.sid);
    expect(await verdict(second.body.access_token)).toEqual(REFUSED);
  });

  test('repeated just within the grace is answered with the same successor', async () => {
    const second = await exchange(refreshToken);
    http.sql('UPDATE refresh_tokens SET issued_at = issued_at - 8000 WHERE session_id = ?', claims.sid);
    expect((await exchange(refreshToken)).body.refresh_token).toBe(second.body.refresh_token);
  });

  test('ends with its login, however often it was exchanged', async () => {
    const second = await exchange(refreshToken);
    http.sql('UPDATE sessions SET expires_at = ? WHERE id = ?', Date.now() - 1, claims.sid);
    expect((await exchange(second.body.refresh_token)).status).toBe(401);
    expect(await verdict(second.body.access_token)).toEqual(REFUSED);
  });

  test('is stored as a hash only', async () => {
    for (const file of await readdir(http.directory)) {
      const bytes = await readFile(`${http.directory}/${file}`);
      expect(bytes.includes(refreshToken)).toBe(false);
    }
  });
});
