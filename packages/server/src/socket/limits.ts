import { ChatError } from '@tertulia/protocol';
import { RateLimiterRes } from 'rate-limiter-flexible';
import { addressKey } from '../accounts/limits.ts';
import type { Config } from '../config.ts';
import type { UserLimits } from '../events/limits.ts';
import { limitersInMemory, type RateLimiter, type RateLimiters } from '../rate-limiters.ts';

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

/** Makes the limits. A burst is the number of points, refilled at the rate. */
export function createSocketLimits(config: Config, limiters: RateLimiters): SocketLimits {
  const { CHAT_BURST, CHAT_RATE, EVENT_BURST, EVENT_RATE } = config;
  const chat = limiters('chat', CHAT_BURST, CHAT_BURST / CHAT_RATE);
  const events = limitersInMemory('events', EVENT_BURST, EVENT_BURST / EVENT_RATE); // a socket is here alone
  const requests = limiters('requests', EVENT_BURST, EVENT_BURST / EVENT_RATE);
  const loginsMax = RECONNECTS * config.SOCKETS_PER_USER;
  const logins = limiters('socket-logins', loginsMax, 10);
  const handshakes = limiters('handshakes', config.HANDSHAKES_PER_10S, 10);
  return {
    takeChat: (userId) => take(chat, userId, `${CHAT_RATE} messages a second`),
    takeEvent: (socketId) => take(events, socketId, `${EVENT_RATE} events a second`),
    takeRequest: (userId) => take(requests, userId, `${EVENT_RATE} requests a second`),
    takeHandshake: (address) =>
      take(handshakes, addressKey(address), `${config.HANDSHAKES_PER_10S} handshakes in 10 s`),
    takeLogin: (userId) => take(logins, userId, `${loginsMax} connections in 10 s`),
    returnHandshake(address) {
      handshakes.reward(addressKey(address), 1).catch(() => undefined); // it then counts, until its time is over
    },
  };
}

async function take(limiter: RateLimiter, key: string, limit: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    throw new ChatError('rate_limited', { limit, retry_after_ms: Math.ceil(refusal.msBeforeNext) });
  }
}
