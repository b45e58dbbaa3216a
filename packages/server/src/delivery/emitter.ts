import type {
  BaseServerEventName,
  BaseServerPayload,
  ExtendedServerEventName,
  ExtendedServerPayload,
} from '@tertulia/protocol';

/** What delivery needs of the socket server, on this node only. */
export interface Emitter {
  emit<E extends BaseServerEventName | ExtendedServerEventName>(
    rooms: readonly string[],
    name: E,
    payload: E extends BaseServerEventName
      ? BaseServerPayload<E>
      : E extends ExtendedServerEventName
        ? ExtendedServerPayload<E>
        : never,
    except?: readonly string[],
  ): void;
  /** Whether a socket of this node is in the room. */
  hasRoom(room: string): boolean;
  /** Makes all sockets of the room `from` leave a conversation. */
  leave(from: string, conversationId: string): void;
}

/** A socket that joins conversations. */
export interface Joiner {
  join(rooms: string[]): void;
  readonly rooms: ReadonlySet<string>;
}
