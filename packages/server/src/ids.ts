import { createHash, randomUUID } from 'node:crypto';

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
