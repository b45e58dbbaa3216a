import { WebSocket } from 'ws';

/** Where and as whom a client connects. */
export interface EngineClientOptions {
  readonly port: number;
  /** Loopback address to connect to, so that one address is not counted as one visitor. */
  readonly host?: string;
  readonly auth?: object;
}

/**
 * A Socket.IO client that speaks Engine.IO's text frames over a WebSocket itself, so that the load costs little and
 * the servers' own cost is what is measured.
 */
export class EngineClient {
  readonly #socket: WebSocket;
  readonly #acks = new Map<number, (answer: unknown) => void>();
  #nextId = 0;
  /** The transport session's id, which begins with the name of the node that has it. */
  sessionId = '';
  /** Called with each event's name and the frame's text after it. */
  onEvent: (name: string, rest: string) => void = () => undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Connects and waits for the namespace's answer. */
  static connect({ port, host = '127.0.0.1', auth }: EngineClientOptions): Promise<EngineClient> {
    return new Promise((resolve, reject) => {
      const address = `ws://${host}:${port}/socket.io/?EIO=4&transport=websocket`;
      const socket = new WebSocket(address, { perMessageDeflate: false });
      const client = new EngineClient(socket);
      socket.on('error', reject);
      socket.on('message', (data) => {
        const frame = Buffer.isBuffer(data) ? data.toString() : '';
        if (frame.startsWith('0')) {
          client.sessionId = (JSON.parse(frame.slice(1)) as { sid: string }).sid;
          socket.send(`40${auth ? JSON.stringify(auth) : ''}`);
        } else if (frame === '2') socket.send('3');
        else if (frame.startsWith('40')) resolve(client);
        else if (frame.startsWith('44')) reject(new Error(frame));
        else client.#take(frame);
      });
    });
  }

  #take(frame: string): void {
    if (frame.startsWith('43')) {
      const bracket = frame.indexOf('[');
      const id = Number(frame.slice(2, bracket));
      const settle = this.#acks.get(id);
      this.#acks.delete(id);
      settle?.(frame);
    } else if (frame.startsWith('42')) {
      const end = frame.indexOf('"', 4);
      this.onEvent(frame.slice(4, end), frame);
    }
  }

  /** Sends an event; `json` is the payload as text, so that it is made once. */
  send(name: string, json: string, acknowledged?: (frame: unknown) => void): void {
    const id = this.#nextId;
    this.#nextId += 1;
    if (acknowledged) this.#acks.set(id, acknowledged);
    this.#socket.send(`42${acknowledged ? id : ''}["${name}",${json}]`);
  }

  /** Sends an event with one payload and answers its acknowledgement. */
  ask(name: string, payload: object): Promise<Record<string, unknown>> {
    return this.askAll(name, [payload]);
  }

  /** Sends an event with several values and answers its acknowledgement. */
  async askAll(name: string, values: unknown[]): Promise<Record<string, unknown>> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.send(name, JSON.stringify(values).slice(1, -1), resolve);
    const frame = String(await promise);
    return (JSON.parse(frame.slice(frame.indexOf('['))) as Record<string, unknown>[])[0] ?? {};
  }

  close(): void {
    this.#socket.close();
  }
}
