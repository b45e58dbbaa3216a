/**
 * Every room's name is made here. Base-layer and extended sockets are in different rooms, so that neither ever gets
 * the other's events; streams have a room of their own, which a socket that cannot keep up leaves for a while.
 */

/** Base-layer sockets that joined a conversation. */
export const baseConversationRoom = (conversationId: string) => `base:conversation:${conversationId}`;
/** Extended sockets that joined a conversation. */
export const conversationRoom = (conversationId: string) => `conversation:${conversationId}`;
/** Extended sockets that get a conversation's deltas. */
export const streamRoom = (conversationId: string) => `stream:${conversationId}`;
/** A user's base-layer sockets. */
export const baseUserRoom = (userId: string) => `base:user:${userId}`;
/** A user's extended sockets. */
export const userRoom = (userId: string) => `user:${userId}`;
/** All sockets of a login session. */
export const sessionRoom = (sessionId: string) => `session:${sessionId}`;
/** Every room of a conversation. */
export const conversationRooms = (conversationId: string) => [
  baseConversationRoom(conversationId),
  conversationRoom(conversationId),
  streamRoom(conversationId),
];
