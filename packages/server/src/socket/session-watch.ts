import { ChatError, type ClientAck } from '@tertulia/protocol';
import type { Context } from '../events/context.ts';
import { sessionRoom } from '../delivery/rooms.ts';
import type { ChatServer, ChatSocket } from './types.ts';

/** `setTimeout` fires at once beyond 2^31 - 1 ms; a longer wait is armed again. */
const LONGEST_TIMER_MS = 2_000_000_000;
/** A lost command must not leave a revoked login alive: the database is asked this often (G7). */
const RECHECK_MS = 15_000;

const timers = new WeakMap<ChatSocket, NodeJS.Timeout>();

/** Ends a socket when its login ends: at the token's expiry. */
export function watchLogin(socket: ChatSocket): void {
  clearTimeout(timers.get(socket));
  const remaining = socket.data.expires_at * 1000 - Date.now();
  const wait = Math.max(0, Math.min(remaining, LONGEST_TIMER_MS));
  const timer = setTimeout(
    () => (remaining > LONGEST_TIMER_MS ? watchLogin(socket) : endLogin(socket, 'expired')),
    wait,
  );
  timers.set(socket, timer);
}

/** The socket is gone. */
export function unwatchLogin(socket: ChatSocket): void {
  clearTimeout(timers.get(socket));
}

/** Tells the socket and closes it for good: a client does not reconnect by itself after this. */
function endLogin(socket: ChatSocket, reason: 'expired' | 'revoked'): void {
  if (socket.data.is_revoked) return;
  socket.data.is_revoked = true;
  if (socket.data.protocol > 0) socket.emit('session_expired', { reason });
  const { code, message } = new ChatError('auth_expired');
  socket.emit('error', { message, error: code });
  socket.disconnect(true);
}

/** Ends this node's sockets of login sessions that were ended. */
export function endSessions(io: ChatServer, sessionIds: readonly string[]): void {
  for (const id of sessionIds) {
    for (const socketId of [...(io.sockets.adapter.rooms.get(sessionRoom(id)) ?? [])]) {
      const socket = io.sockets.sockets.get(socketId);
      if (socket) endLogin(socket, 'revoked');
    }
  }
}

/** Asks the database again and again which logins are still live; answers what stops it. */
export function recheckSessions(io: ChatServer, context: Context): () => void {
  const timer = setInterval(() => {
    const ids = [...new Set([...io.sockets.sockets.values()].map((socket) => socket.data.session_id))];
    if (ids.length === 0) return;
    context.accounts.liveSessions(ids).then(
      (live) =>
        endSessions(
          io,
          ids.filter((id) => !live.has(id)),
        ),
      (error: unknown) => context.log.error({ err: error }, 'live sessions could not be read'),
    );
  }, RECHECK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * A newer access token of the same user carries the socket on.
 * @throws {ChatError} `unauthorized`
 */
export async function refreshLogin(
  socket: ChatSocket,
  token: string,
  context: Context,
): Promise<ClientAck<'auth_refresh'>> {
  const login = await context.accounts.authenticate(token);
  if (login.user.id !== socket.data.user.id) throw new ChatError('unauthorized');
  if (!socket.connected) throw new ChatError('auth_expired'); // it has gone meanwhile: no timer for it
  if (login.session_id !== socket.data.session_id) {
    await socket.leave(sessionRoom(socket.data.session_id));
    await socket.join(sessionRoom(login.session_id));
  }
  Object.assign(socket.data, { session_id: login.session_id, expires_at: login.expires_at });
  watchLogin(socket);
  return { expires_at: login.expires_at };
}
