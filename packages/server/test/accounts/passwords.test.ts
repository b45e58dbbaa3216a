import { expect, test } from 'vitest';
import { createJobQueue } from '../../src/accounts/job-queue.ts';
import { createPasswordRules } from '../../src/accounts/password-rules.ts';
import { createPasswords } from '../../src/accounts/passwords.ts';

const passwords = createPasswords();

test('a hash is a PHC string with its own salt, and matches its password only', async () => {
  const [first, second] = [await passwords.hash('a password'), await passwords.hash('a password')];
  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(second).not.toBe(first);
  expect(await passwords.matches('a password', first)).toBe(true);
  expect(await passwords.matches('a Password', first)).toBe(false);
});

test('a hash made elsewhere with other costs still matches', async () => {
  // Argon2's reference implementation: `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1`.
  const reference = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  expect(await passwords.matches('password', reference)).toBe(true);
  expect(await passwords.matches('Password', reference)).toBe(false);
});

test('nobody matches no password', async () => {
  expect(await passwords.matches('a password', null)).toBe(false);
});

test.each([
  '',
  'plain text',
  '$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  '$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$',
])('a stored hash like %j is an error and not a wrong password', async (stored) => {
  await expect(passwords.matches('a password', stored)).rejects.toThrow('cannot be read');
});

test('jobs run in order, a few at a time, and one too many is told when to come back', async () => {
  const queue = createJobQueue({ running: 2, waiting: 3, job_ms: 50 });
  const order: number[] = [];
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const jobs = gates.map((gate, index) =>
    queue.run(() => {
      order.push(index);
      return gate.promise;
    }),
  );
  expect(order).toEqual([0, 1]);
  await expect(queue.run(() => Promise.resolve())).rejects.toMatchObject({
    code: 'rate_limited',
    details: { retry_after_ms: 75 },
  });
  gates[1]!.reject(new Error('a job that fails gives its place on'));
  await expect(jobs[1]).rejects.toThrow('gives its place on');
  expect(order).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve();
  await Promise.all(jobs.filter((_, index) => index !== 1));
  expect(order).toEqual([0, 1, 2, 3, 4]);
  await expect(queue.run(() => Promise.resolve('free again'))).resolves.toBe('free again');
});

test('in production the most common passwords are refused, in any case; in development they are not', () => {
  const [production, development] = [createPasswordRules('production'), createPasswordRules('development')];
  for (const common of ['password', '12345678', 'PassWord', 'baseball']) {
    expect(() => production(common)).toThrow(expect.objectContaining({ code: 'weak_password' }));
    expect(() => development(common)).not.toThrow();
  }
  for (const fine of ['password but longer', '# The 3,000', 'correct horse 42'])
    expect(() => production(fine)).not.toThrow();
});

test.each(['production', 'development'] as const)('in %s a password has 8 to 1,000 characters', (environment) => {
  const check = createPasswordRules(environment);
  for (const length of [8, 64, 73, 1_000]) expect(() => check('ü'.repeat(length))).not.toThrow();
  for (const refused of [
    '',
    'seven-7',
    '🦜🦜🦜🦜',
    'e\u0301'.repeat(7),
    'x'.repeat(1_001),
    `\ud800${'x'.repeat(20)}`,
  ]) {
    expect(() => check(refused)).toThrow(expect.objectContaining({ code: 'weak_password' }));
  }
});
