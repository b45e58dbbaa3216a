import type { Socket } from 'node:net';
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws';
import { InboundMeter } from './inbound-meter.ts';

interface CorkedSocket extends Socket {
  corkedUntilNextTick?: boolean;
}

/**
 * Gathers what is written to a connection within one tick into one system call (measured: 18-20 µs instead of 27-31 µs
 * a round trip of one frame in and two out). It corks the TCP socket, since a room's frames bypass `WebSocket.send`.
 */
function corkEachTick(socket: CorkedSocket): void {
  const write = socket.write.bind(socket) as (...values: unknown[]) => boolean;
  socket.write = (...values: unknown[]) => {
    if (!socket.corkedUntilNextTick && !socket.destroyed) {
      socket.corkedUntilNextTick = true;
      socket.cork();
      process.nextTick(uncork, socket);
    }
    return write(...values);
  };
}

function uncork(socket: CorkedSocket): void {
  socket.corkedUntilNextTick = false;
  socket.uncork();
}

/** Before its login a peer may send this much in one message: an access token and what surrounds it. */
export const STRANGER_BYTES = 16_384;

/**
 * Honest clients send a message in one frame, or a browser in a few; 256 KiB arrive in at most 180 TCP segments of
 * 1,460 bytes. At the defaults a peer that sends byte by byte holds 50 MB of small buffers. A peer that does not
 * answer the end of its connection is waited for `closeTimeout` ms.
 */
const BOUNDS = { maxPayload: STRANGER_BYTES, maxFragments: 256, maxBufferedChunks: 512, closeTimeout: 600 };

/** A WebSocket whose writes are gathered, whose messages may grow once its peer is known, and which a flood ends. */
export class CorkedWebSocket extends WebSocket {
  #meter = new InboundMeter();

  /** Called by the server once the handshake is done; not part of the public types. */
  setSocket(socket: Socket, head: Buffer, options: object): void {
    corkEachTick(socket);
    const inherited = Object.getPrototypeOf(CorkedWebSocket.prototype) as { setSocket(...values: unknown[]): void };
    inherited.setSocket.call(this, socket, head, options);
    for (const frame of ['message', 'ping', 'pong']) this.on(frame, (data: Buffer) => this.#count(data.length));
  }

  /** Stops reading a flood at once, and ends it when what came before has been answered. */
  #count(bytes: number): void {
    if (!this.#meter.isFlooded(bytes) || this.isPaused) return;
    this.pause();
    setImmediate(() => this.close(1008, 'too many packets'));
  }

  /** The peer is known: it may send longer messages, and its frames are counted with those of its user's others. */
  allow(messageBytes: number, meter: InboundMeter): void {
    (this as unknown as { _receiver: { _maxPayload: number } })._receiver._maxPayload = messageBytes;
    this.#meter = meter;
  }

  /** Begins to close; what the peer sends until it has answered is still taken, for so many milliseconds. */
  closeWithin(milliseconds: number): void {
    (this as unknown as { _closeTimeout: number })._closeTimeout = milliseconds;
    this.close();
  }
}

/** The WebSocket engine given to Engine.IO: ws 8.23 or newer, which drops a peer that pings and never reads. */
export class CorkedWebSocketServer extends WebSocketServer<typeof CorkedWebSocket> {
  constructor(options: ServerOptions<typeof CorkedWebSocket>, callback?: () => void) {
    super({ ...options, ...BOUNDS, WebSocket: CorkedWebSocket }, callback);
  }
}
