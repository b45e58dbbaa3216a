import { ChatError, clientEvents, type ClientAck, type ClientEventName, type ClientPayload } from '@tertulia/protocol';
import type { z } from 'zod';
import { conversationRoom } from '../delivery/rooms.ts';
import { chat, chatTarget } from '../events/chat.ts';
import type { Context } from '../events/context.ts';
import { joinerOf, leaveConversation, roomsOf } from './joined-rooms.ts';
import { refreshLogin } from './session-watch.ts';
import type { ChatSocket } from './types.ts';

/** How one client event is checked and carried out; what `run` answers is the acknowledgement. */
export interface EventHandler {
  readonly schema: z.ZodType;
  run(socket: ChatSocket, payload: never, context: Context): Promise<object>;
}

function handler<E extends ClientEventName>(
  name: E,
  run: (socket: ChatSocket, payload: ClientPayload<E>, context: Context) => Promise<ClientAck<E>>,
): EventHandler {
  return { schema: clientEvents[name].payload, run };
}

/** Every event that clients may send. */
export const clientEventHandlers = {
  chat: handler('chat', async (socket, payload, context) => {
    const target = chatTarget(socket.data.user, payload);
    const isBase = socket.data.protocol === 0;
    const joined = isBase ? false : await joinAsSender(socket, target.conversationId, target.isNew, context);
    try {
      return await chat(context, socket.data.user, payload, target);
    } catch (error) {
      if (joined && target.isNew) leaveConversation(socket, target.conversationId);
      throw error;
    }
  }),

  join_conversation: handler('join_conversation', async (socket, { conversation_id, after_seq }, context) => {
    refuseTooManyRooms(socket, conversation_id, context);
    const { user } = socket.data;
    const { page, joined } = await context.delivery.join(
      joinerOf(socket),
      user.id,
      conversation_id,
      after_seq ?? null,
      roomsOf(socket, conversation_id),
    );
    if (joined) noteJoined(socket, conversation_id, context);
    const answer = { conversation_id, message: 'Successfully joined conversation' };
    if (joined && socket.data.protocol === 0) socket.emit('joined_conversation', answer);
    return { ...answer, joined, ...page };
  }),

  leave_conversation: handler('leave_conversation', async (socket, { conversation_id }) => {
    leaveConversation(socket, conversation_id);
    const answer = { conversation_id, message: 'Successfully left conversation' };
    if (socket.data.protocol === 0) socket.emit('left_conversation', answer);
    return answer;
  }),

  sync: handler('sync', async (socket, { conversation_id, after_seq }, context) => {
    return { conversation_id, ...(await context.delivery.page(socket.data.user.id, conversation_id, after_seq)) };
  }),

  auth_refresh: handler('auth_refresh', (socket, { token }, context) => refreshLogin(socket, token, context)),
} satisfies Record<ClientEventName, EventHandler>;

/** An extended sender has joined before its message is stored: it misses neither the message nor the answer's start. */
async function joinAsSender(
  socket: ChatSocket,
  conversationId: string,
  isNew: boolean,
  context: Context,
): Promise<boolean> {
  if (socket.rooms.has(conversationRoom(conversationId))) return false;
  refuseTooManyRooms(socket, conversationId, context);
  await context.delivery.joinSender(
    joinerOf(socket),
    socket.data.user.id,
    conversationId,
    isNew,
    roomsOf(socket, conversationId),
  );
  noteJoined(socket, conversationId, context);
  return true;
}

/** Joins that were under way together each saw room for themselves: the last ones go again. */
function noteJoined(socket: ChatSocket, conversationId: string, context: Context): void {
  try {
    refuseTooManyRooms(socket, conversationId, context);
  } catch (error) {
    leaveConversation(socket, conversationId);
    throw error;
  }
  socket.data.joined.add(conversationId);
}

function refuseTooManyRooms(socket: ChatSocket, conversationId: string, context: Context): void {
  const max = context.config.JOINED_CONVERSATIONS;
  if (socket.data.joined.size < max || socket.data.joined.has(conversationId)) return;
  throw new ChatError('too_many_rooms', { limit: `${max} joined conversations` });
}
