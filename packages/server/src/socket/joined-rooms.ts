import { baseConversationRoom, conversationRoom, conversationRooms, streamRoom } from '../delivery/rooms.ts';
import type { Joiner } from '../delivery/emitter.ts';
import type { ChatSocket } from './types.ts';

/** The rooms that a socket is in for a conversation; one that is behind gets no deltas. */
export function roomsOf(socket: ChatSocket, conversationId: string): string[] {
  if (socket.data.protocol === 0) return [baseConversationRoom(conversationId)];
  const room = conversationRoom(conversationId);
  return socket.data.is_behind ? [room] : [room, streamRoom(conversationId)];
}

/** A socket as delivery joins it: one that closed while its join was under way is in no room, or would be for ever. */
export function joinerOf(socket: ChatSocket): Joiner {
  return {
    rooms: socket.rooms,
    join(rooms) {
      if (socket.connected) void socket.join(rooms);
    },
  };
}

/** Leaves a conversation, joined or not. */
export function leaveConversation(socket: ChatSocket, conversationId: string): void {
  socket.data.joined.delete(conversationId);
  for (const room of conversationRooms(conversationId)) void socket.leave(room);
}
