import { ChatError } from '@tertulia/protocol';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { addressKey } from '../accounts/limits.ts';
import type { Config } from '../config.ts';
import type { UserLimits } from '../events/context.ts';

/** The limits on what sockets and their users may ask. Each refusal names its limit and when to try again. */
export interface SocketLimits extends UserLimits {
  /** @throws {ChatError} `rate_limited` */
  takeEvent(socketId: string): Promise<void>;
  /** Counts a handshake. @throws {ChatError} `rate_limited`, where its address opened too many without a valid token */
  takeHandshake(address: string): Promise<void>;
  /** Counts a login by handshake. @throws {ChatError} `rate_limited` */
  takeLogin(userId: string): Promise<void>;
  /** The handshake's token was good: it does not count against its address. */
  returnHandshake(address: string): void;
}

/** Each of a user's sockets may come back this often in 10 s: a handshake costs as much as a hundred refused events. */
const RECONNECTS = 50;

/** Makes the limits, kept in this process. A burst is the number of points, refilled at the rate. */
export function createSocketLimits(config: Config): SocketLimits {
  const chat = bucket(config.CHAT_RATE, config.CHAT_BURST);
  const events = bucket(config.EVENT_RATE, config.EVENT_BURST);
  const requests = bucket(config.EVENT_RATE, config.EVENT_BURST);
  const loginsMax = RECONNECTS * config.SOCKETS_PER_USER;
  const logins = new RateLimiterMemory({ points: loginsMax, duration: 10 });
  const handshakes = new RateLimiterMemory({ points: config.HANDSHAKES_PER_10S, duration: 10 });
  return {
    takeChat: (userId) => take(chat, userId, `${config.CHAT_RATE} messages a second`),
    takeEvent: (socketId) => take(events, socketId, `${config.EVENT_RATE} events a second`),
    takeRequest: (userId) => take(requests, userId, `${config.EVENT_RATE} requests a second`),
    takeHandshake: (address) =>
      take(handshakes, addressKey(address), `${config.HANDSHAKES_PER_10S} handshakes in 10 s`),
    takeLogin: (userId) => take(logins, userId, `${loginsMax} connections in 10 s`),
    returnHandshake: (address) => void handshakes.reward(addressKey(address), 1),
  };
}

function bucket(rate: number, burst: number): RateLimiterMemory {
  return new RateLimiterMemory({ points: burst, duration: burst / rate });
}

async function take(limiter: RateLimiterMemory, key: string, limit: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    throw new ChatError('rate_limited', { limit, retry_after_ms: Math.ceil(refusal.msBeforeNext) });
  }
}
