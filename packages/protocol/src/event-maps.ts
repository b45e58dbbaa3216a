import type { AckAnswer, ClientEventName, ClientPayload } from './client-events.ts';
import type {
  BaseServerEventName,
  BaseServerPayload,
  ExtendedServerEventName,
  ExtendedServerPayload,
} from './server-events.ts';

/** Socket.IO's map of what clients send, for a typed client: `Socket<ServerToClientEvents, ClientToServerEvents>`. */
export type ClientToServerEvents = {
  [E in ClientEventName]: (payload: ClientPayload<E>, ack?: (answer: AckAnswer<E>) => void) => void;
};

/** Socket.IO's map of what a socket of the base layer receives. */
export type BaseServerToClientEvents = {
  [E in BaseServerEventName]: (payload: BaseServerPayload<E>) => void;
};

/** Socket.IO's map of what a socket of protocol 1 receives. */
export type ServerToClientEvents = {
  [E in ExtendedServerEventName]: (payload: ExtendedServerPayload<E>) => void;
};
