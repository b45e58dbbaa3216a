import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A connection through the proxy: both of its ends. */
interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/**
 * A TCP proxy on loopback that breaks connections as networks do. It knows nothing of what passes, so anything that
 * speaks TCP can stand behind it.
 */
export class TcpFaults {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #isBlackhole = false;
  #refuses = false;
  #delayMs = 0;
  #bytesPerSecond = Infinity;
  /** Connections that were refused so far. */
  refused = 0;

  private constructor(port: number, host: string) {
    this.#server = createServer((near) => this.#join(near, connect(port, host)));
  }

  /** Starts a proxy to a port. */
  static async start(port: number, host = '127.0.0.1'): Promise<TcpFaults> {
    const proxy = new TcpFaults(port, host);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections pass now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Ends all connections as a closing peer does. */
  cut(): void {
    for (const { near, far } of this.#pairs) for (const end of [near, far]) end.destroy();
  }

  /** Ends all connections by RST. */
  reset(): void {
    for (const { near, far } of this.#pairs) for (const end of [near, far]) end.resetAndDestroy();
  }

  /** Connections stay, also new ones, and nothing passes; what waits goes on when it ends. */
  set isBlackhole(is: boolean) {
    this.#isBlackhole = is;
    for (const { near, far } of this.#pairs) {
      for (const end of [near, far]) {
        if (is) end.pause();
        else end.resume();
      }
    }
  }

  /** New connections are reset at once. */
  set refuses(does: boolean) {
    this.#refuses = does;
  }

  /** What passes from now on is late by this many milliseconds, each way, and in order. */
  set delayMs(milliseconds: number) {
    this.#delayMs = milliseconds;
  }

  /** No more than this passes from now on, each way of each connection. */
  set bytesPerSecond(bytes: number) {
    this.#bytesPerSecond = bytes;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, far: Socket): void {
    const pair = { near, far };
    for (const end of [near, far]) end.on('error', () => undefined); // `close` follows
    if (this.#refuses) return this.#drop(pair);
    this.#pairs.add(pair);
    this.#pass(near, far, pair);
    this.#pass(far, near, pair);
  }

  #drop({ near, far }: Pair): void {
    this.refused += 1;
    near.resetAndDestroy();
    far.destroy();
  }

  #pass(from: Socket, to: Socket, pair: Pair): void {
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      if (this.#delayMs === 0) to.write(chunk);
      else setTimeout(() => to.write(chunk), this.#delayMs);
      if (this.#bytesPerSecond < Infinity) this.#rest(from, (chunk.length / this.#bytesPerSecond) * 1_000);
    });
    from.on('close', () => {
      this.#pairs.delete(pair);
      to.destroy();
    });
    if (this.#isBlackhole) from.pause();
  }

  /** Reads nothing for a while. */
  #rest(from: Socket, milliseconds: number): void {
    from.pause();
    setTimeout(() => {
      if (!this.#isBlackhole) from.resume();
    }, milliseconds);
  }
}
