import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChatServer, ChatSocket } from './types.ts';

/** Clients return at this pace: so a thousand of them take another node a second. */
const RETURN_MS = 1;
/** Events that are being handled are waited for this long; what takes longer is repeated elsewhere. */
const BUSY_MS = 1_000;
const LOOK_MS = 10;
/** A poller that does not fetch its last packets is not waited for any longer. */
const FETCH_MS = 1_000;

/** How sockets are sent away. */
export interface Departure {
  /** The last ones go after this many milliseconds. */
  readonly milliseconds: number;
  /** Resolves when a user awaits no answer any more, or is not to wait any longer. */
  answered(userId: string): Promise<void>;
}

/**
 * Closes every socket so that its client comes back, to another node where there is one: spread over time in proportion
 * to their number, and each when its answers are there. Those of protocol 1 go last, since they can be told to wait.
 */
export async function sendAway(io: ChatServer, departure: Departure): Promise<void> {
  const sockets = [...io.sockets.sockets.values()];
  const base = sockets.filter(({ data }) => data.protocol === 0);
  const extended = sockets.filter(({ data }) => data.protocol > 0);
  const pace = Math.min(RETURN_MS, departure.milliseconds / (base.length || 1));
  await Promise.all([
    ...base.map((socket, index) => depart(socket, index * pace, departure)),
    ...extended.map((socket, index) => depart(socket, base.length * pace + index * RETURN_MS, departure)),
  ]);
}

/** `returnMs`: when its client may be back, in ms from now. */
async function depart(socket: ChatSocket, returnMs: number, departure: Departure): Promise<void> {
  const leaveMs = Math.min(returnMs, departure.milliseconds);
  await delay(leaveMs);
  await departure.answered(socket.data.user.id);
  for (let waited = 0; socket.data.unanswered > 0 && waited < BUSY_MS; waited += LOOK_MS) await delay(LOOK_MS);
  if (!socket.connected) return;
  const gone = once(socket.conn, 'close');
  sayGoodbye(socket, returnMs - leaveMs);
  await Promise.race([gone, delay(FETCH_MS)]);
}

/** Closes a socket so that its client comes back by itself. */
export function sayGoodbye(socket: ChatSocket, reconnectAfterMs: number): void {
  const reconnect_after_ms = Math.round(reconnectAfterMs);
  if (socket.data.protocol > 0) socket.emit('server_shutdown', { reconnect_after_ms });
  socket.conn.close();
}
