import { createHash, randomBytes, randomUUID } from 'node:crypto';

/** A new conversation's id: 122 random bits in hex, so that conversations spread evenly over shards. */
export function newConversationId(): string {
  return randomHex();
}

/** A new id of a message or task, in hex: 48 bits of milliseconds, then random ones, so that new rows of an index lie together. */
export function newId(): string {
  return Date.now().toString(16).padStart(12, '0') + randomHex().slice(12);
}

/** 32 digits. `randomUUID` draws from a pool, which costs a tenth of `randomBytes`; 6 of its bits are fixed. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}

/** The conversation that a first message opens: the same for every repeat of the same message by the same user. */
export function derivedConversationId(userId: string, clientMsgId: string): string {
  return createHash('sha256').update(`conversation:${userId}:${clientMsgId}`).digest('hex').slice(0, 32);
}

/**
 * An Engine.IO session's id: the node that holds it, by which a load balancer finds it, a dot, and 128 random bits.
 * Whoever knows it can send in the session's name. Nothing in it is changed in a URL.
 */
export function newEngineSessionId(nodeId: string): string {
  return `${nodeId}.${randomBytes(16).toString('base64url')}`;
}
