import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
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

test('whoever knows the password never meets the limit', async () => {
  await http.accounts.createUser({ username: 'busy', email: 'busy@example.org', password: PASSWORD });
  const answers: Answer[] = [];
  for (let turn = 0; turn < 30; turn += 1) answers.push(await logIn('busy', PASSWORD));
  expect(new Set(statuses(answers))).toEqual(new Set([200]));
});

test('right sign-ins in between make no room for more wrong ones', async () => {
  await http.accounts.createUser({ username: 'target', email: 'target@example.org', password: PASSWORD });
  const passwords = ['wrong 1', PASSWORD, 'wrong 2', PASSWORD, PASSWORD, 'wrong 3', PASSWORD, 'wrong 4'];
  const answers: Answer[] = [];
  for (const password of passwords) answers.push(await logIn('target', password));
  expect(statuses(answers)).toEqual([401, 200, 401, 200, 200, 401, 429, 429]);
});

test('after too many wrong ones the right password is refused as well, until the minute is over', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
  await http.close();
  http = await startHttp({ LOGINS_PER_ACCOUNT: '10' });
  await http.accounts.createUser({ username: 'target', email: 'target@example.org', password: PASSWORD });
  expect(new Set(statuses(await inTurn(Array.from({ length: 10 }, () => 'target'))))).toEqual(new Set([401]));
  expect((await logIn('target', PASSWORD)).status).toBe(429);
  vi.advanceTimersByTime(60_000);
  expect((await logIn('target', PASSWORD)).status).toBe(200);
});

test('failed and refused sign-ins are told in the log: whose, from where, and neither name nor password', async () => {
  const { id } = await http.accounts.createUser({
    username: 'target',
    email: 'target@example.org',
    password: PASSWORD,
  });
  await inTurn(['target', 'target', 'target', 'target', 'ghost']);
  const lines = http.logged.map((line) => JSON.parse(line)).filter(({ msg }) => String(msg).startsWith('sign-in'));
  const address = '127.0.0.1';
  expect(lines).toMatchObject([
    ...[1, 2, 3].map(() => ({ level: 30, msg: 'sign-in failed', user_id: id, address })),
    { level: 40, msg: 'sign-in refused', code: 'rate_limited', count: 1, address },
    { level: 30, msg: 'sign-in failed', user_id: 'unknown', address },
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/target|ghost|not the password/);
});

test('guessing the current password on the way to a new one is limited too', async () => {
  const { access_token: token } = await http.signUp('guessed');
  const guess = () =>
    http.call('POST', '/api/v1/auth/password', {
      token,
      json: { current_password: 'a guess', new_password: 'another phrase 7' },
    });
  expect(statuses([await guess(), await guess(), await guess(), await guess()])).toEqual([401, 401, 401, 429]);
});

test('who is signed in is limited on their own account as anywhere else', async () => {
  await http.close();
  http = await startHttp({ EVENT_BURST: '5', EVENT_RATE: '1' });
  const [{ access_token: token }, other] = [await http.signUp('curious'), await http.signUp('calm')];
  const me = (asker: string) => http.call('GET', '/api/v1/auth/me', { token: asker });
  const answers = await Promise.all(Array.from({ length: 8 }, () => me(token)));
  expect(statuses(answers).filter((status) => status === 429)).toHaveLength(3);
  expect(answers.find(({ status }) => status === 429)!.body.retry_after_ms).toBeGreaterThan(0);
  expect((await http.call('GET', '/api/v1/auth/sessions', { token })).status).toBe(429);
  expect((await me(other.access_token)).status).toBe(200);
});

test('an address is limited in refreshes, and who is refused keeps a token that is good', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
  const { refresh_token } = await http.signUp('patient');
  const refresh = (token: string) => http.call('POST', '/api/v1/auth/refresh', { json: { refresh_token: token } });
  const guesses = async (count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, (_, index) => refresh(`a guess ${index}`)));
    return new Set(statuses(answers));
  };
  for (let round = 0; round < 30; round += 1) expect(await guesses(100)).toEqual(new Set([401]));
  expect(await guesses(1)).toEqual(new Set([429]));
  expect((await refresh(refresh_token)).status).toBe(429);
  vi.advanceTimersByTime(60_000);
  expect((await refresh(refresh_token)).status).toBe(200);
});
