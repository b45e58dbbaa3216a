import { once } from 'node:events';
import { WebSocket } from 'ws';

const PATIENCE_MS = 8_000;

// What an answer holds is what each test says; typing it here would only repeat the schemas.
type Answer = any; // oxlint-disable-line no-explicit-any

/** How a connection that was refused before it was a WebSocket was answered. */
export class RefusedUpgrade extends Error {
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`refused with ${status}: ${body}`);
    this.status = status;
    this.body = body;
  }
}

/** Engine.IO and Socket.IO over a WebSocket, written by hand: sends anything, answers pings, keeps all that comes. */
export class RawSocket {
  readonly webSocket: WebSocket;
  /** Every frame that came, as text. */
  readonly received: string[] = [];
  /** Engine.IO's id of the connection. */
  sid = '';
  /** Resolves with the close code when the connection has ended. */
  readonly closed: Promise<number>;
  readonly #arrivals = new Set<() => void>();
  readonly #taken = new Set<number>();
  #acks = 0;

  private constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    this.closed = once(webSocket, 'close').then(([code]) => code as number);
    void this.closed.then(() => this.#wake());
    webSocket.on('error', () => undefined); // a reset is an end like any other; `closed` tells of it
    webSocket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (text === '2') webSocket.send('3');
      this.received.push(text);
      this.#wake();
    });
  }

  #wake(): void {
    for (const arrive of this.#arrivals) arrive();
    this.#arrivals.clear();
  }

  /** A transport without a socket of Socket.IO yet. @throws {RefusedUpgrade} */
  static async open(url: string, options: { query?: string; headers?: Record<string, string> } = {}) {
    const { query = 'EIO=4&transport=websocket', headers = {} } = options;
    const webSocket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?${query}`, { headers });
    const raw = new RawSocket(webSocket);
    const refused = once(webSocket, 'unexpected-response').then(async ([, response]) => {
      const chunks: Buffer[] = await response.toArray();
      throw new RefusedUpgrade(response.statusCode, Buffer.concat(chunks).toString());
    });
    const failed = raw.closed.then((code) => Promise.reject(new Error(`closed with ${code} before it was open`)));
    await Promise.race([once(webSocket, 'open'), refused, failed]);
    refused.catch(() => undefined);
    failed.catch(() => undefined);
    if (!query.includes('sid=')) raw.sid = JSON.parse((await raw.next((text) => text.startsWith('0'))).slice(1)).sid;
    return raw;
  }

  /** A logged in socket of protocol 1. */
  static async connect(url: string, token: string): Promise<RawSocket> {
    const raw = await RawSocket.open(url);
    raw.send(`40${JSON.stringify({ token, protocol: 1 })}`);
    await raw.next((text) => text.startsWith('42["connected"'));
    return raw;
  }

  send(data: string | Buffer): void {
    this.webSocket.send(data);
  }

  /** The first frame that is wanted and was not asked for before. @throws where the connection ends first */
  async next(wanted: (text: string) => boolean): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    for (let looked = 0; ;) {
      for (; looked < this.received.length; looked += 1) {
        if (this.#taken.has(looked) || !wanted(this.received[looked]!)) continue;
        this.#taken.add(looked);
        return this.received[looked]!;
      }
      if (this.webSocket.readyState === WebSocket.CLOSED) throw new Error(`closed; last came ${this.#last()}`);
      if (Date.now() > deadline) throw new Error(`nothing wanted came; last came ${this.#last()}`);
      await this.#arrival(deadline - Date.now());
    }
  }

  #last(): string {
    return this.received.slice(-5).join(' ').slice(0, 500);
  }

  #arrival(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds + 1);
      this.#arrivals.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Sends an event given as the JSON of its arguments; answers its acknowledgement. */
  async askRaw(json: string): Promise<Answer> {
    this.#acks += 1;
    const start = `43${this.#acks}[`;
    this.send(`42${this.#acks}${json}`);
    return JSON.parse((await this.next((text) => text.startsWith(start))).slice(start.length - 1))[0];
  }

  ask(name: unknown, ...values: unknown[]): Promise<Answer> {
    return this.askRaw(JSON.stringify([name, ...values]));
  }

  /** The next `error` event's payload. */
  async nextError(): Promise<Answer> {
    return JSON.parse((await this.next((text) => text.startsWith('42["error"'))).slice(2))[1];
  }

  close(): void {
    this.webSocket.terminate();
  }
}
