import { createSecretKey, randomUUID } from 'node:crypto';
import { ChatError } from '@tertulia/protocol';
import { jwtVerify, SignJWT, type JWTPayload, type JWTVerifyResult } from 'jose';

const ALGORITHM = 'HS256';
const TYPE = 'at+jwt';
const PARTY = 'tertulia';

/** How far another node's clock may be ahead, in seconds. */
const CLOCK_SKEW = 5;

/** Longer than any token of ours; nothing longer is even parsed. */
const MAX_LENGTH = 4_096;

/** What access tokens are made with. */
export interface AccessTokenSettings {
  readonly secret: string;
  readonly minutes: number;
  /** Unix milliseconds. */
  readonly clock?: () => number;
}

/** A token that verified. */
export interface AccessClaims {
  readonly user_id: string;
  readonly session_id: string;
  /** Unix seconds. */
  readonly expires_at: number;
}

/** Issues and verifies access tokens. */
export interface AccessTokens {
  issue(userId: string, sessionId: string): Promise<{ token: string; expires_at: number }>;
  /** Says only that the token is ours and in time; whether its session is live is the store's to say. @throws {ChatError} `unauthorized` */
  verify(token: string): Promise<AccessClaims>;
}

/** Makes the issuer and verifier; the key is imported once. */
export function createAccessTokens({ secret, minutes, clock = Date.now }: AccessTokenSettings): AccessTokens {
  const key = createSecretKey(Buffer.from(secret));
  const seconds = () => Math.floor(clock() / 1_000);

  return {
    async issue(userId, sessionId) {
      const now = seconds();
      const expiresAt = now + minutes * 60;
      const token = await new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setIssuer(PARTY)
        .setAudience(PARTY)
        .setSubject(userId)
        .setJti(randomUUID())
        .setIssuedAt(now)
        .setExpirationTime(expiresAt)
        .sign(key);
      return { token, expires_at: expiresAt };
    },

    async verify(token) {
      if (token.length > MAX_LENGTH) throw new ChatError('unauthorized');
      const verified = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: PARTY,
        audience: PARTY,
        requiredClaims: ['exp', 'iat', 'sub', 'sid'],
        currentDate: new Date(clock()),
      }).catch((cause: unknown) => {
        throw new ChatError('unauthorized', {}, { cause });
      });
      return checkedClaims(verified, seconds(), minutes * 60);
    },
  };
}

/** What jose leaves open: further header fields, a lifetime beyond the setting, an issue date ahead of the clock. */
function checkedClaims({ payload, protectedHeader }: JWTVerifyResult, now: number, lifetime: number): AccessClaims {
  const { sub, sid, iat, exp } = payload as JWTPayload & { sid?: unknown };
  const foreignHeader = Object.keys(protectedHeader).some((name) => name !== 'alg' && name !== 'typ');
  if (foreignHeader || typeof sub !== 'string' || typeof sid !== 'string') throw new ChatError('unauthorized');
  if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) throw new ChatError('unauthorized');
  if (iat! > now + CLOCK_SKEW || exp! > iat! + lifetime) throw new ChatError('unauthorized');
  return { user_id: sub, session_id: sid, expires_at: exp! };
}
