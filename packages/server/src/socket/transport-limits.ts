import { PACKET_BYTES } from '../events/limits.ts';
import type { Config } from '../config.ts';
import { CorkedWebSocket, STRANGER_BYTES } from './corked-websocket.ts';
import { floodOf } from './inbound-meter.ts';
import type { ChatServer, ChatSocket } from './types.ts';

/** A poller that does not come for the end of its session is not waited for any longer. */
const POLLER_MS = 1_000;

interface Transport {
  readonly name: string;
  readonly socket?: unknown;
  maxHttpBufferSize?: number;
}

/** What strangers may send and hold is bounded more tightly than what comes after a login (G9). */
export function boundStrangers(io: ChatServer): void {
  io.engine.on('connection', ({ transport }: { transport: Transport }) => {
    if (transport.name === 'polling')
      Object.assign(transport, { maxHttpBufferSize: STRANGER_BYTES, closeTimeout: POLLER_MS });
  });
}

/** The socket's login was good: it may send whole packets, also once it has upgraded to a WebSocket. */
export function allowPackets(socket: ChatSocket, config: Config): void {
  const connection = socket.conn as unknown as {
    readonly transport: Transport;
    on(event: 'upgrade', listener: (transport: Transport) => void): void;
  };
  const allow = (transport: Transport) => {
    if (transport.name === 'polling') transport.maxHttpBufferSize = PACKET_BYTES;
    else if (transport.socket instanceof CorkedWebSocket) transport.socket.allow(PACKET_BYTES, floodOf(config));
  };
  allow(connection.transport);
  connection.on('upgrade', allow);
}
