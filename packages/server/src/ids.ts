import { createHash, randomBytes } from 'node:crypto';

/** A new id: 128 random bits in hex, so that ids spread evenly over any shard. */
export function newId(): string {
  return randomBytes(16).toString('hex');
}

/** The conversation that a first message opens: the same for every repeat of the same message by the same user. */
export function derivedConversationId(userId: string, clientMsgId: string): string {
  return createHash('sha256').update(`conversation:${userId}:${clientMsgId}`).digest('hex').slice(0, 32);
}
