import type { Server as HttpServer } from 'node:http';
import type { User } from '@tertulia/protocol';
import { Server } from 'socket.io';
import type { Config } from '../config.ts';
import type { Emitter } from '../delivery/emitter.ts';
import { baseUserRoom, sessionRoom, userRoom } from '../delivery/rooms.ts';
import type { Context } from '../events/context.ts';
import { newEngineSessionId } from '../ids.ts';
import type { Logger } from '../log.ts';
import { reasonLabel } from '../metrics.ts';
import { trustProxies } from '../proxies.ts';
import { createRefusals } from '../refusals.ts';
import { limitsOf, PACKET_BYTES } from '../events/limits.ts';
import { CorkedWebSocketServer } from './corked-websocket.ts';
import { guardFrontDoor, type FrontDoor } from './front-door.ts';
import { debugPackets } from './debug-packets.ts';
import { sendAway, type Departure } from './departure.ts';
import { handle } from './handle.ts';
import { leaveConversation } from './joined-rooms.ts';
import { authenticateSockets } from './handshake.ts';
import { HEARTBEAT_MS, beat } from './heartbeat.ts';
import type { SocketLimits } from './limits.ts';
import { boundOutbox } from './outbox.ts';
import { BoundedDecoder, Encoder } from './packet-parser.ts';
import { endSessions, recheckSessions, unwatchLogin, watchLogin } from './session-watch.ts';
import { shareSessions, type Siblings } from './sibling-sessions.ts';
import { boundStrangers, packetAllowance } from './transport-limits.ts';
import type { ChatServer, ChatSocket } from './types.ts';
import { UserSockets } from './user-sockets.ts';

/** Answers under way on HTTP have this long to get out when the server stops. */
const LAST_ANSWERS_MS = 1_000;

/** The socket side of a server. */
export interface SocketServer {
  readonly io: ChatServer;
  /** Ends the sockets of login sessions that were ended. */
  endSessions(sessionIds: readonly string[]): void;
  /** A user has another name from now on, also on sockets that are open. */
  renameUser(user: User): void;
  /** Begins to serve. Sockets that come before are not answered. */
  begin(context: Context): void;
  /** Takes no more new sockets, and closes those that are open so that their clients come back by themselves. */
  sendAway(departure: Omit<Departure, 'ended'>): Promise<void>;
  /** Closes what is left, and stops listening. */
  close(): Promise<void>;
}

/** Makes the Socket.IO server; nothing is answered until `begin`. */
export function createSocketServer(
  httpServer: HttpServer,
  config: Config,
  limits: SocketLimits,
  log: Logger,
  siblings: Siblings | null,
): SocketServer {
  const door: FrontDoor = {
    config,
    limits,
    refusals: createRefusals(log, 'handshake refused'),
    proxies: trustProxies(config.TRUSTED_PROXIES),
    isClosed: false,
    ended: new Set(),
  };
  const io: ChatServer = new Server(httpServer, {
    serveClient: false,
    pingInterval: 10_000,
    pingTimeout: 5_000,
    connectTimeout: 5_000,
    maxHttpBufferSize: PACKET_BYTES,
    perMessageDeflate: false,
    httpCompression: false,
    wsEngine: CorkedWebSocketServer,
    allowEIO3: false,
    transports: [...config.TRANSPORTS],
    cors: {
      origin: config.ALLOWED_ORIGINS.includes('*') ? '*' : [...config.ALLOWED_ORIGINS],
      methods: ['GET', 'POST'],
    },
    parser: { Encoder, Decoder: BoundedDecoder },
  });
  io.engine.generateId = () => newEngineSessionId(config.NODE_ID);
  const stopSharing = siblings && shareSessions(httpServer, io, door, siblings);
  guardFrontDoor(httpServer, door);
  boundStrangers(io);
  const stops: (() => void)[] = [];
  return {
    io,
    endSessions: (sessionIds) => endSessions(io, sessionIds),
    renameUser: (user) => renameUser(io, user),
    begin(context) {
      accept(io, context, door);
      stops.push(recheckSessions(io, context), beat(io, context.delivery));
    },
    sendAway(departure) {
      door.isClosed = true;
      return sendAway(io, { ...departure, ended: door.ended });
    },
    async close() {
      for (const stop of stops) stop();
      await stopSharing?.();
      await closeAll(io, httpServer);
    },
  };
}

function renameUser(io: ChatServer, user: User): void {
  for (const room of [userRoom(user.id), baseUserRoom(user.id)]) {
    for (const id of io.sockets.adapter.rooms.get(room) ?? []) {
      const socket = io.sockets.sockets.get(id);
      if (socket) socket.data.user = user;
    }
  }
}

function accept(io: ChatServer, context: Context, door: FrontDoor): void {
  const allowPackets = packetAllowance(context.config);
  const userSockets = new UserSockets(context.config.SOCKETS_PER_USER);
  const nameOwner = context.config.DEBUG_SOCKETS ? debugPackets(io, context.log) : null;
  authenticateSockets(io, context.accounts, door, (error) => context.reportFailure(error, 'handshake failed'));
  io.on('connection', (socket) => {
    const { data } = socket;
    const isBase = data.protocol === 0;
    nameOwner?.(socket);
    context.metrics.connections.inc({ protocol: String(data.protocol) });
    allowPackets(socket);
    boundOutbox(socket, context.metrics, () => context.log.warn({ user_id: data.user.id }, 'slow consumer closed'));
    handle(socket, context, door.limits);
    void socket.join([sessionRoom(data.session_id), isBase ? baseUserRoom(data.user.id) : userRoom(data.user.id)]);
    hearOfUser(socket, context);
    socket.once('disconnect', (reason) => {
      unwatchLogin(socket);
      context.delivery.userWent(data.user.id);
      userSockets.remove(socket);
      context.metrics.connections.dec({ protocol: String(data.protocol) });
      context.metrics.disconnects.inc({ reason: reasonLabel(reason) });
      socket.conn.close(); // a transport without a socket is of no use, and is counted nowhere
    });
    watchLogin(socket);
    userSockets.add(socket);
    greet(socket, context);
  });
}

/** What other nodes tell of the user reaches this one from now on. */
function hearOfUser({ data }: ChatSocket, { delivery, reportFailure }: Context): void {
  delivery.userCame(data.user.id);
  if (data.protocol > 0) return;
  delivery.awaited
    .followTasksOf(data.user.id)
    .catch((error: unknown) => reportFailure(error, 'open tasks are not followed'));
}

function greet(socket: ChatSocket, { config, store }: Context): void {
  const { user, protocol, expires_at } = socket.data;
  const greeting = { message: `Welcome, ${user.full_name ?? user.username}!`, user };
  const extension = {
    protocol,
    store_epoch: store.epoch,
    heartbeat_ms: HEARTBEAT_MS,
    expires_at,
    limits: limitsOf(config),
  };
  socket.emit('connected', protocol === 0 ? greeting : { ...greeting, ...extension });
}

/** What delivery emits with: this node's sockets only. */
export function localEmitter(io: ChatServer): Emitter {
  const { adapter } = io.sockets;
  return {
    emit(rooms, name, payload, except = []) {
      if (rooms.length === 0) return; // to Socket.IO, no room means all of them
      io.local
        .to([...rooms])
        .except([...except])
        .emit(name, payload);
    },
    hasRoom: (room) => adapter.rooms.has(room),
    leave(from, conversationId) {
      for (const id of [...(adapter.rooms.get(from) ?? [])]) {
        const socket = io.sockets.sockets.get(id);
        if (socket) leaveConversation(socket, conversationId);
      }
    },
  };
}

async function closeAll(io: ChatServer, httpServer: HttpServer): Promise<void> {
  const closed = io.close();
  const late = setTimeout(() => httpServer.closeAllConnections(), LAST_ANSWERS_MS); // one that sends nothing never ends
  await closed;
  clearTimeout(late);
}
