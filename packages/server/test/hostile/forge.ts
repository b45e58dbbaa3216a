import { createHmac } from 'node:crypto';
import { TEST_SECRET } from '../support/start-http.ts';

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token's claims, unverified. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

/** The token of the same login with other claims or another header, signed with the secret of test servers. */
export function forge(token: string, claims: object, header: object = {}): string {
  const input = `${base64({ alg: 'HS256', typ: 'at+jwt', ...header })}.${base64({ ...claimsOf(token), ...claims })}`;
  return `${input}.${createHmac('sha256', TEST_SECRET).update(input).digest('base64url')}`;
}

/** The token of the same login that ends so many seconds from now. */
export function endingIn(seconds: number, token: string): { token: string; expiresAt: number } {
  const expiresAt = Math.floor(Date.now() / 1_000) + seconds;
  return { token: forge(token, { exp: expiresAt }), expiresAt };
}
