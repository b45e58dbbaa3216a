import { MAX_METADATA_BYTES, type Limits } from '@tertulia/protocol';
import type { Config } from '../config.ts';
import { PAGE_BYTES, PAGE_EVENTS } from '../delivery/page-bounds.ts';

/** The largest packet taken: 16,000 emoji as JSON escapes are 192 KB. */
export const PACKET_BYTES = 262_144;

/**
 * The limits on what one user may ask, over sockets and REST together. Each refusal is a `ChatError` with
 * `rate_limited`, the limit's name, and when to try again.
 */
export interface UserLimits {
  takeChat(userId: string): Promise<void>;
  /** Any other request over REST. */
  takeRequest(userId: string): Promise<void>;
}

/** The limits that a client should know. */
export function limitsOf(config: Config): Limits {
  return {
    message_code_points: config.MESSAGE_MAX,
    packet_bytes: PACKET_BYTES,
    metadata_bytes: MAX_METADATA_BYTES,
    joined_conversations: config.JOINED_CONVERSATIONS,
    page_events: PAGE_EVENTS,
    page_bytes: PAGE_BYTES,
  };
}
