import { afterAll, beforeAll, expect, test } from 'vitest';
import { accountSchema, sessionSchema, tokensSchema } from '@tertulia/protocol';
import { PASSWORD, startHttp, type TestHttp } from '../support/start-http.ts';

let http: TestHttp;
const ada = { email: 'ada@example.org', username: 'Ada', password: PASSWORD, full_name: 'Ada Lovelace' };

beforeAll(async () => {
  http = await startHttp();
  await http.call('POST', '/api/v1/auth/register', { json: ada });
});
afterAll(() => http.close());

test('an account is registered, signs in and sees itself', async () => {
  const alice = { email: 'alice@example.org', username: 'Alice', password: PASSWORD, full_name: 'Alice Example' };
  const registered = await http.call('POST', '/api/v1/auth/register', { json: alice });
  expect(registered.status).toBe(201);
  expect(accountSchema.strict().parse(registered.body)).toMatchObject({
    email: 'alice@example.org',
    username: 'Alice',
    full_name: 'Alice Example',
    is_active: true,
    is_superuser: false,
  });
  const signedIn = await http.call('POST', '/api/v1/auth/login', { json: { username: 'alice', password: PASSWORD } });
  expect(signedIn.status).toBe(200);
  expect(signedIn.headers.get('cache-control')).toBe('no-store');
  const tokens = tokensSchema.strict().parse(signedIn.body);
  expect(tokens.expires_in).toBe(1_800);
  const me = await http.call('GET', '/api/v1/auth/me', { token: tokens.access_token });
  expect(me.body).toEqual(registered.body);
});

test('a path is also taken with a slash at its end', async () => {
  const answer = await http.call('POST', '/api/v1/auth/login/', { json: { username: 'ada', password: PASSWORD } });
  expect(answer.status).toBe(200);
});

test('the OAuth 2 form signs in as well', async () => {
  const body = new URLSearchParams({ grant_type: 'password', username: 'ada@example.org', password: PASSWORD });
  const answer = await http.call('POST', '/api/v1/auth/token', { body });
  expect(answer.status).toBe(200);
  expect(tokensSchema.parse(answer.body).token_type).toBe('bearer');
  const other = new URLSearchParams({ grant_type: 'client_credentials', username: 'ada', password: PASSWORD });
  expect((await http.call('POST', '/api/v1/auth/token', { body: other })).status).toBe(422);
});

test('a taken email or username is refused in the words of the base layer', async () => {
  const sameEmail = await http.call('POST', '/api/v1/auth/register', { json: { ...ada, username: 'other' } });
  expect([sameEmail.status, sameEmail.body]).toEqual([
    400,
    { detail: 'Email already registered', error: 'email_taken' },
  ]);
  const sameName = await http.call('POST', '/api/v1/auth/register', { json: { ...ada, email: 'x@example.org' } });
  expect([sameName.status, sameName.body]).toEqual([
    400,
    { detail: 'Username already taken', error: 'username_taken' },
  ]);
});

test('of 10 registrations of one name at once, one is made', async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      http.call('POST', '/api/v1/auth/register', {
        json: { email: `race${index}@example.org`, username: index % 2 ? 'Racer' : 'racer', password: PASSWORD },
      }),
    ),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ body }) => body.error === 'username_taken')).toHaveLength(9);
});

test('the wrong password, an unknown name and a deactivated account get one and the same answer', async () => {
  await http.signUp('sleeper');
  await http.accounts.setActive('sleeper', false);
  const attempts = [
    { username: 'ada', password: 'not the password' },
    { username: 'nobody', password: PASSWORD },
    { username: 'sleeper', password: PASSWORD },
  ];
  for (const json of attempts) {
    const answer = await http.call('POST', '/api/v1/auth/login', { json });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(answer.body).toEqual({ detail: 'Incorrect username or password', error: 'bad_credentials' });
  }
});

test('a deactivated account is out at once, and its old sessions stay ended when it comes back', async () => {
  const { access_token, refresh_token } = await http.signUp('leaver');
  await http.accounts.setActive('LEAVER', false);
  expect((await http.call('GET', '/api/v1/auth/me', { token: access_token })).status).toBe(401);
  await http.accounts.setActive('leaver', true);
  expect((await http.call('GET', '/api/v1/auth/me', { token: access_token })).status).toBe(401);
  expect((await http.call('POST', '/api/v1/auth/refresh', { json: { refresh_token } })).status).toBe(401);
  expect(
    (await http.call('POST', '/api/v1/auth/login', { json: { username: 'leaver', password: PASSWORD } })).status,
  ).toBe(200);
});

test('names are changed, and what another has is refused', async () => {
  const { access_token: token } = await http.signUp('changer');
  const changed = await http.call('PUT', '/api/v1/auth/me', {
    token,
    json: { username: 'Changed', full_name: 'C. H.' },
  });
  expect([changed.status, changed.body.username, changed.body.full_name]).toEqual([200, 'Changed', 'C. H.']);
  const onlyCase = await http.call('PUT', '/api/v1/auth/me', { token, json: { username: 'CHANGED', full_name: null } });
  expect([onlyCase.status, onlyCase.body.username, onlyCase.body.full_name]).toEqual([200, 'CHANGED', null]);
  expect((await http.call('PUT', '/api/v1/auth/me', { token, json: { username: 'aDA' } })).body.error).toBe(
    'username_taken',
  );
  expect((await http.call('PUT', '/api/v1/auth/me', { token, json: { email: 'ADA@example.org' } })).body.error).toBe(
    'email_taken',
  );
  expect(
    (await http.call('POST', '/api/v1/auth/login', { json: { username: 'changed', password: PASSWORD } })).status,
  ).toBe(200);
});

test('a refresh token is exchanged, and its repeat within the grace gets the same successor', async () => {
  const { refresh_token } = await http.signUp('refresher');
  const first = await http.call('POST', '/api/v1/auth/refresh', { json: { refresh_token } });
  const again = await http.call('POST', '/api/v1/auth/refresh', { json: { refresh_token } });
  expect([first.status, again.status]).toEqual([200, 200]);
  expect(again.body.refresh_token).toBe(first.body.refresh_token);
  expect(first.body.refresh_token).not.toBe(refresh_token);
  expect((await http.call('GET', '/api/v1/auth/me', { token: again.body.access_token })).body.username).toBe(
    'refresher',
  );
});

test('50 exchanges of one refresh token at once all get the same successor', async () => {
  const { refresh_token } = await http.signUp('storm');
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => http.call('POST', '/api/v1/auth/refresh', { json: { refresh_token } })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
});

test('signing out ends this session only', async () => {
  const { access_token, refresh_token } = await http.signUp('leaver-one');
  const login = await http.accounts.authenticate(access_token);
  const other = await http.call('POST', '/api/v1/auth/login', { json: { username: 'leaver-one', password: PASSWORD } });
  expect((await http.call('POST', '/api/v1/auth/logout', { token: access_token })).status).toBe(204);
  expect(http.revoked.at(-1)).toBe(login.session_id);
  expect((await http.call('GET', '/api/v1/auth/me', { token: access_token })).status).toBe(401);
  expect((await http.call('POST', '/api/v1/auth/refresh', { json: { refresh_token } })).status).toBe(401);
  expect((await http.call('GET', '/api/v1/auth/me', { token: other.body.access_token })).status).toBe(200);
});

test('signing out everywhere ends every session and tells which', async () => {
  const { access_token } = await http.signUp('leaver-all');
  const other = await http.call('POST', '/api/v1/auth/login', { json: { username: 'leaver-all', password: PASSWORD } });
  const before = http.revoked.length;
  expect((await http.call('POST', '/api/v1/auth/logout-all', { token: access_token })).status).toBe(204);
  expect(http.revoked.length - before).toBe(2);
  expect((await http.call('GET', '/api/v1/auth/me', { token: other.body.access_token })).status).toBe(401);
});

test('a new password ends the other sessions, keeps this one, and the old password is over', async () => {
  const { access_token: token } = await http.signUp('rotator');
  const other = await http.call('POST', '/api/v1/auth/login', { json: { username: 'rotator', password: PASSWORD } });
  const wrong = await http.call('POST', '/api/v1/auth/password', {
    token,
    json: { current_password: 'not the password', new_password: 'another phrase 7' },
  });
  expect([wrong.status, wrong.body.error]).toEqual([401, 'bad_credentials']);
  const before = http.revoked.length;
  const changed = await http.call('POST', '/api/v1/auth/password', {
    token,
    json: { current_password: PASSWORD, new_password: 'another phrase 7' },
  });
  expect(changed.status).toBe(204);
  expect(http.revoked.length - before).toBe(1);
  expect((await http.call('GET', '/api/v1/auth/me', { token })).status).toBe(200);
  expect((await http.call('GET', '/api/v1/auth/me', { token: other.body.access_token })).status).toBe(401);
  expect(
    (await http.call('POST', '/api/v1/auth/refresh', { json: { refresh_token: other.body.refresh_token } })).status,
  ).toBe(401);
  expect(
    (await http.call('POST', '/api/v1/auth/login', { json: { username: 'rotator', password: PASSWORD } })).status,
  ).toBe(401);
  expect(
    (await http.call('POST', '/api/v1/auth/login', { json: { username: 'rotator', password: 'another phrase 7' } }))
      .status,
  ).toBe(200);
});

test("one's sessions are listed and ended one by one", async () => {
  const { access_token: token } = await http.signUp('lister');
  await http.call('POST', '/api/v1/auth/login', {
    json: { username: 'lister', password: PASSWORD },
    headers: { 'user-agent': `Phone ${'x'.repeat(300)}`, 'x-forwarded-for': '203.0.113.9' },
  });
  const listed = await http.call('GET', '/api/v1/auth/sessions', { token });
  const sessions = listed.body.sessions.map((one: unknown) => sessionSchema.strict().parse(one));
  expect(sessions.map(({ current }: { current: boolean }) => current)).toEqual([false, true]);
  expect(sessions[0]).toMatchObject({ address: '127.0.0.1', live_sockets: 0 });
  expect(sessions[0].user_agent).toMatch(/^Phone x{194}$/);
  expect((await http.call('DELETE', `/api/v1/auth/sessions/${sessions[0].id}`, { token })).status).toBe(204);
  expect(http.revoked.at(-1)).toBe(sessions[0].id);
  expect((await http.call('DELETE', `/api/v1/auth/sessions/${sessions[0].id}`, { token })).status).toBe(404);
  expect((await http.call('GET', '/api/v1/auth/sessions', { token })).body.sessions).toHaveLength(1);
});

test("another's session and a session that never was get the same answer, and nothing ends", async () => {
  const { access_token: token } = await http.signUp('stranger');
  const victim = await http.signUp('victim');
  const [session] = (await http.call('GET', '/api/v1/auth/sessions', { token: victim.access_token })).body.sessions;
  const foreign = await http.call('DELETE', `/api/v1/auth/sessions/${session.id}`, { token });
  const missing = await http.call('DELETE', '/api/v1/auth/sessions/no-such-session', { token });
  expect([foreign.status, foreign.body]).toEqual([404, missing.body]);
  expect((await http.call('GET', '/api/v1/auth/me', { token: victim.access_token })).status).toBe(200);
});

test('all other sessions are ended in one request', async () => {
  const { access_token: token } = await http.signUp('cleaner');
  const other = await http.call('POST', '/api/v1/auth/login', { json: { username: 'cleaner', password: PASSWORD } });
  expect((await http.call('DELETE', '/api/v1/auth/sessions', { token })).status).toBe(204);
  expect((await http.call('GET', '/api/v1/auth/me', { token })).status).toBe(200);
  expect((await http.call('GET', '/api/v1/auth/me', { token: other.body.access_token })).status).toBe(401);
});
