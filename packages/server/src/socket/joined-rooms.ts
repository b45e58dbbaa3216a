import { baseConversationRoom, conversationRoom, conversationRooms, streamRoom } from '../delivery/rooms.ts';
import type { ChatSocket } from './types.ts';

/** The rooms that a socket is in for a conversation; one that is behind gets no deltas. */
export function roomsOf(socket: ChatSocket, conversationId: string): string[] {
  if (socket.data.protocol === 0) return [baseConversationRoom(conversationId)];
  const room = conversationRoom(conversationId);
  return socket.data.is_behind ? [room] : [room, streamRoom(conversationId)];
}

/** Leaves a conversation, joined or not. */
export function leaveConversation(socket: ChatSocket, conversationId: string): void {
  socket.data.joined.delete(conversationId);
  for (const room of conversationRooms(conversationId)) void socket.leave(room);
}
