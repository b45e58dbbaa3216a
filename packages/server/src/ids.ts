import { createHash, randomBytes } from 'node:crypto';

/** A new conversation's id: 128 random bits in hex, so that conversations spread evenly over shards. */
export function newConversationId(): string {
  return randomBytes(16).toString('hex');
}

/** A new id of a message or task, in hex: 48 bits of milliseconds, then random ones, so that new rows of an index lie together. */
export function newId(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  return bytes.toString('hex');
}

/** The conversation that a first message opens: the same for every repeat of the same message by the same user. */
export function derivedConversationId(userId: string, clientMsgId: string): string {
  return createHash('sha256').update(`conversation:${userId}:${clientMsgId}`).digest('hex').slice(0, 32);
}
