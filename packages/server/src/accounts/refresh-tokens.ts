import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Makes refresh tokens: 256 bits that only their holder has. Stored is their hash. */
export interface RefreshTokens {
  /** The first token of a login session. */
  first(): string;
  /** The successor of a token: the same each time, so that a lost answer can be given again without storing it. */
  successor(token: string): string;
  /** What is stored of a token. */
  hash(token: string): string;
}

/** Makes refresh tokens whose successors only a holder of the secret can compute. */
export function createRefreshTokens(secret: string): RefreshTokens {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'tertulia refresh token successor', 32));
  return {
    first: () => randomBytes(32).toString('base64url'),
    successor: (token) => createHmac('sha256', key).update(token).digest('base64url'),
    hash: (token) => createHash('sha256').update(token).digest('base64url'),
  };
}
