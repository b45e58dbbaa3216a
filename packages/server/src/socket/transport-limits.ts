import { PACKET_BYTES } from '../events/limits.ts';
import type { Config } from '../config.ts';
import { CorkedWebSocket, STRANGER_BYTES } from './corked-websocket.ts';
import { UserMeters, type InboundMeter } from './inbound-meter.ts';
import { BoundedDecoder } from './packet-parser.ts';
import type { ChatServer, ChatSocket } from './types.ts';

/** A poller that does not come for the end of its session is not waited for any longer. */
const POLLER_MS = 1_000;
/** A user who sends this many times a socket's burst of events within a second is not answered any more. */
const FLOOD_BURSTS = 40;

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

/** Makes what is called when a socket's login was good: it may send whole packets, and is metered with its user's others. */
export function packetAllowance(config: Config): (socket: ChatSocket) => void {
  const meters = new UserMeters(FLOOD_BURSTS * config.EVENT_BURST);
  return (socket) => {
    const meter = meters.of(socket.data.user.id);
    const { decoder } = socket.client as unknown as { decoder: unknown };
    if (decoder instanceof BoundedDecoder) decoder.meter = meter;
    const connection = socket.conn as unknown as {
      readonly transport: Transport;
      on(event: 'upgrade', listener: (transport: Transport) => void): void;
    };
    allow(connection.transport, meter);
    connection.on('upgrade', (transport) => allow(transport, meter));
  };
}

function allow(transport: Transport, meter: InboundMeter): void {
  if (transport.name === 'polling') transport.maxHttpBufferSize = PACKET_BYTES;
  else if (transport.socket instanceof CorkedWebSocket) transport.socket.allow(PACKET_BYTES, meter);
}
