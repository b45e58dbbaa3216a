import { afterEach, beforeEach, expect, test } from 'vitest';
import { PASSWORD, startHttp, type Answer, type TestHttp } from '../support/start-http.ts';

let http: TestHttp;
beforeEach(async () => void (http = await startHttp({ LOGINS_PER_ACCOUNT: '3', LOGINS_PER_ADDRESS: '6' })));
afterEach(() => http.close());

const logIn = (username: string, password = 'not the password', headers = {}) =>
  http.call('POST', '/api/v1/auth/login', { json: { username, password }, headers });
const statuses = (answers: Answer[]) => answers.map(({ status }) => status);

async function inTurn(names: string[], headers: (index: number) => object = () => ({})): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const [index, name] of names.entries()) answers.push(await logIn(name, 'not the password', headers(index)));
  return answers;
}

test('an account is tried so often a minute, by whatever name, and then told when to try again', async () => {
  await http.accounts.createUser({ username: 'Target', email: 'target@example.org', password: PASSWORD });
  const answers = await inTurn(['target', 'TARGET', 'target@example.org', 'Ｔarget']);
  expect(statuses(answers)).toEqual([401, 401, 401, 429]);
  const refused = answers[3]!;
  expect(refused.body).toMatchObject({ error: 'rate_limited', limit: '3 a minute' });
  expect(refused.body.retry_after_ms).toBeGreaterThan(50_000);
  expect(Number(refused.headers.get('retry-after'))).toBe(Math.ceil(refused.body.retry_after_ms / 1_000));
});

test('an account that does not exist is limited the same', async () => {
  expect(statuses(await inTurn(['ghost', 'ghost', 'GHOST', 'ghost']))).toEqual([401, 401, 401, 429]);
});

test('an address is limited over all accounts, whatever its headers claim', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((letter) => `user-${letter}`);
  const spoofed = (index: number) => ({
    'x-forwarded-for': `203.0.113.${index}`,
    'x-real-ip': `203.0.113.${index}`,
    forwarded: `for=203.0.113.${index}`,
  });
  expect(statuses(await inTurn(names, spoofed))).toEqual([401, 401, 401, 401, 401, 401, 429]);
});

test('registrations from one address are limited', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      http.call('POST', '/api/v1/auth/register', {
        json: { email: `many${index}@example.org`, username: `many${index}`, password: PASSWORD },
      }),
    ),
  );
  expect(statuses(answers).filter((status) => status === 429)).toHaveLength(2);
});

test('guessing the current password on the way to a new one is limited too', async () => {
  const { access_token: token } = await http.signUp('guessed');
  const guess = () =>
    http.call('POST', '/api/v1/auth/password', {
      token,
      json: { current_password: 'a guess', new_password: 'another phrase 7' },
    });
  expect(statuses([await guess(), await guess(), await guess()])).toEqual([401, 401, 429]);
});
