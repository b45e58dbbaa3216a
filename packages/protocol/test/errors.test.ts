import { expect, test } from 'vitest';
import { ChatError, ERROR_CODES, ERRORS, refusalSchema, restErrorSchema } from '../src/index.ts';

test('every error has a code in snake_case, an HTTP status of a failure and a sentence for people', () => {
  for (const [code, { status, message }] of Object.entries(ERRORS)) {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(status, code).toBeGreaterThanOrEqual(400);
    expect(status, code).toBeLessThan(600);
    expect(message, code).toMatch(/^[A-Z][^\n]{10,}$/);
  }
});

test('the errors that clients of the base layer compare word by word are those of its specification', () => {
  expect(ERRORS.bad_credentials).toMatchObject({ status: 401, message: 'Incorrect username or password' });
  expect(ERRORS.email_taken).toMatchObject({ status: 400, message: 'Email already registered' });
  expect(ERRORS.username_taken).toMatchObject({ status: 400, message: 'Username already taken' });
});

test('what may be tried again unchanged is a matter of load or of the server, never of the request', () => {
  const retryable = ERROR_CODES.filter((code) => ERRORS[code].retryable);
  for (const code of retryable) expect([429, 503], code).toContain(ERRORS[code].status);
});

test("an error says its table's sentence unless it is given a more exact one", () => {
  expect(new ChatError('not_found').message).toBe(ERRORS.not_found.message);
  expect(new ChatError('not_found', { message: 'No such task.' }).message).toBe('No such task.');
});

test('an error keeps its code, its details and its cause', () => {
  const cause = new Error('disk full');
  const error = new ChatError('unavailable', { retry_after_ms: 500 }, { cause });
  expect(error).toMatchObject({ name: 'ChatError', code: 'unavailable', details: { retry_after_ms: 500 }, cause });
});

test('every code can stand in a refusal and in a REST error, and no other word can', () => {
  for (const code of ERROR_CODES) {
    expect(refusalSchema.safeParse({ ok: false, error: { code, message: 'x' } }).success, code).toBe(true);
    expect(restErrorSchema.safeParse({ detail: 'x', error: code }).success, code).toBe(true);
  }
  expect(refusalSchema.safeParse({ ok: false, error: { code: 'oops', message: 'x' } }).success).toBe(false);
  expect(restErrorSchema.safeParse({ detail: 'x', error: 'oops' }).success).toBe(false);
});
