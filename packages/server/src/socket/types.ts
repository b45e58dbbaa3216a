import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import type { User } from '@tertulia/protocol';

/** What the server knows of a socket. */
export interface SocketData {
  user: User;
  session_id: string;
  /** 0 for the base layer. */
  protocol: number;
  /** Unix seconds at which the login of this socket ends. */
  expires_at: number;
  /** Set once the login has ended: nothing more is accepted. */
  is_revoked: boolean;
  /** Ids of joined conversations. */
  joined: Set<string>;
  /** Left its streams because it did not read fast enough. */
  is_behind: boolean;
  /** Events that have come and are being handled. */
  unanswered: number;
  /** `performance.now()` of its last event, to find the stalest of a user's sockets. */
  active_at: number;
}

/** What comes in is `unknown` until its schema has passed. */
export type ChatSocket = Socket<
  Record<string, (...values: unknown[]) => void>,
  DefaultEventsMap,
  DefaultEventsMap,
  SocketData
>;
export type ChatServer = Server<
  Record<string, (...values: unknown[]) => void>,
  DefaultEventsMap,
  DefaultEventsMap,
  SocketData
>;
