import type { ManagerOptions, Socket, SocketOptions } from 'socket.io-client';

/** How a test's socket connects. */
export interface ClientOptions {
  /** Absent for the base layer. */
  readonly protocol?: number;
  readonly transports?: ('polling' | 'websocket')[];
  readonly reconnection?: boolean;
}

/** How long a test waits for an event before it says what came instead. */
const PATIENCE_MS = 30_000;

// What an answer holds is what each test says; typing it here would only repeat the schemas.
export type Payload = any; // oxlint-disable-line no-explicit-any

interface Received {
  readonly name: string;
  readonly payload: Payload;
}

/** A socket whose events wait in a queue until the test asks, so that none is missed. */
export class TestClient {
  readonly socket: Socket;
  /** Everything that came and was not asked for yet, in order. */
  readonly waiting: Received[] = [];
  /** Everything that ever came, in order. */
  readonly received: Received[] = [];
  #wake: (() => void) | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.onAny((name: string, payload: unknown) => this.#take({ name, payload }));
    socket.on('disconnect', (reason) => this.#take({ name: 'disconnect', payload: reason }));
    socket.on('connect_error', (error) => this.#take({ name: 'connect_error', payload: error }));
  }

  /** Options of a socket.io-client that keeps to itself. */
  static options(token: string, options: ClientOptions): Partial<ManagerOptions & SocketOptions> {
    return {
      auth: { token, ...(options.protocol !== undefined && { protocol: options.protocol }) },
      forceNew: true,
      reconnection: options.reconnection ?? false,
      ...(options.transports && { transports: options.transports }),
    };
  }

  #take(received: Received): void {
    this.waiting.push(received);
    this.received.push(received);
    this.#wake?.();
  }

  /** The next event of this name (and for which `wanted` holds); those before it are dropped. */
  async next(name: string, wanted: (payload: Payload) => boolean = () => true): Promise<Payload> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const index = this.waiting.findIndex((received) => received.name === name && wanted(received.payload));
      if (index >= 0) return this.waiting.splice(0, index + 1).at(-1)?.payload;
      if (Date.now() > deadline)
        throw new Error(`no ${name} came; waiting: ${JSON.stringify(this.waiting.slice(-10))}`);
      await this.#arrival(deadline - Date.now());
    }
  }

  #arrival(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds + 1);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Emits and waits for the acknowledgement. */
  ask(name: string, payload: unknown): Promise<Payload> {
    return this.socket.timeout(PATIENCE_MS).emitWithAck(name, payload);
  }

  /** Names of what came so far, in order. */
  names(): string[] {
    return this.received.map(({ name }) => name);
  }

  close(): void {
    this.socket.close();
  }
}
