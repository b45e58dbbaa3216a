import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { ChatServer, ChatSocket } from './types.ts';

/** Clients return at this pace: so a thousand of them take another node a second. */
const RETURN_MS = 1;
/** Events that are being handled are waited for this long, so that they are acknowledged. */
const BUSY_MS = 1_000;
const LOOK_MS = 10;
/** What a client has sent before it learns of the end arrives within this time. */
const LAST_WORDS_MS = 1_000;

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
  await allHandled(socket);
  if (!socket.connected) return;
  announceEnd(socket, returnMs - leaveMs);
  await hearOut(socket.conn as unknown as Connection);
  await allHandled(socket);
  socket.conn.close(true);
}

async function allHandled({ data }: ChatSocket): Promise<void> {
  for (let waited = 0; data.unanswered > 0 && waited < BUSY_MS; waited += LOOK_MS) await delay(LOOK_MS);
}

/** Closes a socket at once, so that its client comes back by itself. */
export function sayGoodbye(socket: ChatSocket): void {
  announceEnd(socket, 0);
  socket.conn.close();
}

function announceEnd(socket: ChatSocket, reconnectAfterMs: number): void {
  const reconnect_after_ms = Math.round(reconnectAfterMs);
  if (socket.data.protocol > 0) socket.emit('server_shutdown', { reconnect_after_ms });
}

/** What is used of an Engine.IO connection beyond its types. */
interface Connection extends EventEmitter {
  readonly writeBuffer: readonly unknown[];
  readonly transport: {
    readonly writable: boolean;
    /** Of a WebSocket. */
    readonly socket?: WebSocket;
    /** Of polling: while it is set, the next answer ends the session for the client. */
    shouldClose?: () => void;
    send(packets: { type: 'noop' }[]): void;
  };
  sendPacket(...values: unknown[]): void;
}

/**
 * Tells the client that the connection ends, and goes on to take what it sends until it has learnt of that. Engine.IO's
 * own `close` drops it: a message sent in that moment would be lost to whoever does not repeat it.
 */
async function hearOut(connection: Connection): Promise<void> {
  const over = delay(LAST_WORDS_MS, undefined, { ref: false });
  const closed = once(connection, 'close');
  if (connection.writeBuffer.length > 0) await Promise.race([once(connection, 'drain'), closed, over]);
  connection.sendPacket = () => undefined; // nothing may follow the end
  const { transport } = connection;
  if (transport.socket) {
    transport.socket.close();
  } else {
    transport.shouldClose = () => undefined;
    if (transport.writable) transport.send([{ type: 'noop' }]);
  }
  await Promise.race([closed, over]);
}
