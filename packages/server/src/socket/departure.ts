import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { CorkedWebSocket } from './corked-websocket.ts';
import type { ChatServer, ChatSocket } from './types.ts';

/**
 * Clients return at this pace: five hundred a second. Each takes another node 1 ms of processor time by WebSocket and
 * 3 ms by polling and an upgrade, with four conversations joined (measured on an AMD EPYC, 2026-11-23).
 */
const RETURN_MS = 2;
/** Events that are being handled are waited for this long, so that they are acknowledged. */
const BUSY_MS = 1_000;
const LOOK_MS = 10;
/** What a client has sent before it learns of the end arrives within this time, also from a slow mobile network. */
const LAST_WORDS_MS = 2_000;

/** How sockets are sent away. */
export interface Departure {
  /** Transport sessions that have ended for their clients: polls of theirs are to be refused, posts still taken. */
  readonly ended: Set<string>;
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
  const late = [...io.sockets.sockets.values()]; // had a session, and logged in meanwhile
  await Promise.all(late.map((socket) => depart(socket, 0, departure)));
}

/** `returnMs`: when its client may be back, in ms from now. */
async function depart(socket: ChatSocket, returnMs: number, departure: Departure): Promise<void> {
  const leaveMs = Math.min(returnMs, departure.milliseconds);
  await delay(leaveMs);
  await departure.answered(socket.data.user.id);
  await allHandled(socket);
  if (!socket.connected) return;
  announceEnd(socket, returnMs - leaveMs);
  await hearOut(socket.conn as unknown as Connection, departure.ended);
  await allHandled(socket);
  socket.conn.close(true);
}

async function allHandled({ data }: ChatSocket): Promise<void> {
  for (let waited = 0; data.unanswered > 0 && waited < BUSY_MS; waited += LOOK_MS) await delay(LOOK_MS);
}

function announceEnd(socket: ChatSocket, reconnectAfterMs: number): void {
  const reconnect_after_ms = Math.round(reconnectAfterMs);
  if (socket.data.protocol > 0) socket.emit('server_shutdown', { reconnect_after_ms });
}

/** What is used of an Engine.IO connection beyond its types. */
interface Connection extends EventEmitter {
  readonly id: string;
  readonly writeBuffer: readonly unknown[];
  readonly transport: {
    /** Whether a poll waits for its answer. */
    readonly writable: boolean;
    /** Of a WebSocket. */
    readonly socket?: CorkedWebSocket;
    send(packets: { type: 'noop' }[]): void;
  };
  sendPacket(...values: unknown[]): void;
}

/**
 * Ends a connection for its client, and goes on to take what it sends until it has learnt of that. Engine.IO's own
 * `close` drops it, so that a message sent in that moment is lost to whoever does not repeat it; and it tells pollers in
 * a way (a `close` packet) after which python-socketio 5 does not come back by itself. A refused poll brings back all.
 */
async function hearOut(connection: Connection, ended: Set<string>): Promise<void> {
  const over = delay(LAST_WORDS_MS, undefined, { ref: false });
  const closed = once(connection, 'close');
  if (connection.writeBuffer.length > 0) await Promise.race([once(connection, 'drain'), closed, over]);
  connection.sendPacket = () => undefined; // nothing may follow the end
  ended.add(connection.id);
  const { transport } = connection;
  if (transport.socket) transport.socket.closeWithin(LAST_WORDS_MS);
  else if (transport.writable) transport.send([{ type: 'noop' }]); // it polls again
  await Promise.race([closed, over]);
}
