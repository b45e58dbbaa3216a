import type { RawData } from 'ws';
import type { Metrics } from '../metrics.ts';
import { streamRoom } from '../delivery/rooms.ts';
import type { ChatSocket } from './types.ts';

/** Above this a socket gets no deltas, which it can read from the checkpoints. */
const BEHIND_BYTES = 262_144;
/** Below this it gets them again. */
const CAUGHT_UP_BYTES = 16_384;
/** Above this it is closed, and catches up by seq (G9). */
const SLOW_BYTES = 1_048_576;

interface PacketSource {
  on(event: 'packetCreate', listener: (packet: { data?: RawData | string }) => void): void;
  on(event: 'flush' | 'drain', listener: () => void): void;
  readonly transport: { readonly socket?: { readonly bufferedAmount: number; terminate(): void } };
  close(discard?: boolean): void;
}

/**
 * Counts the bytes that wait to be read by a socket's other end, in Engine.IO's buffer and in the kernel's way, and
 * keeps them bounded: first no deltas, then an end that lets the client come back. The largest packet that waits is not
 * counted: else one event of more than the limit would close every reader, and again each time they come back for it.
 */
export function boundOutbox(socket: ChatSocket, metrics: Metrics, onSlow: () => void): void {
  const connection = socket.conn as unknown as PacketSource;
  let buffered = 0;
  let largest = 0;
  let isChecking = false;
  const waiting = () => buffered + (connection.transport.socket?.bufferedAmount ?? 0);
  const isSlow = () => waiting() > SLOW_BYTES + largest;
  const closeIfSlow = () => {
    isChecking = isSlow();
    if (!isChecking) return;
    metrics.slowConsumers.inc();
    onSlow();
    const transport = connection.transport.socket;
    connection.close(true);
    transport?.terminate(); // a close frame would wait behind what the peer does not read
  };
  connection.on('packetCreate', ({ data }) => {
    const size = sizeOf(data);
    if (waiting() < CAUGHT_UP_BYTES) largest = 0;
    largest = Math.max(largest, size);
    buffered += size;
    if (waiting() <= BEHIND_BYTES) return;
    if (!socket.data.is_behind) leaveStreams(socket);
    if (isChecking || !isSlow()) return;
    isChecking = true;
    setImmediate(closeIfSlow); // what one turn of the event loop brings is written at its end, also to those who read
  });
  connection.on('flush', () => {
    buffered = 0;
  });
  connection.on('drain', () => {
    if (socket.data.is_behind && waiting() < CAUGHT_UP_BYTES) rejoinStreams(socket);
  });
}

function sizeOf(data: RawData | string | undefined): number {
  if (typeof data === 'string') return Buffer.byteLength(data);
  return data && 'byteLength' in data ? data.byteLength : 0;
}

function leaveStreams(socket: ChatSocket): void {
  socket.data.is_behind = true;
  for (const id of socket.data.joined) void socket.leave(streamRoom(id));
}

function rejoinStreams(socket: ChatSocket): void {
  socket.data.is_behind = false;
  if (socket.data.protocol === 0) return;
  for (const id of socket.data.joined) void socket.join(streamRoom(id));
}
