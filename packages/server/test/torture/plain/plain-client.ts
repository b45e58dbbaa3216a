import { io, type Socket } from 'socket.io-client';
import type { Said } from './said.ts';

/** Who connects, and where. */
export interface PlainClientSettings {
  readonly name: string;
  readonly url: string;
  readonly rooms: readonly string[];
  readonly polls: boolean;
}

const COME_BACK_MS = { reconnectionDelay: 100, reconnectionDelayMax: 1_000, randomizationFactor: 0.5 };
/** Socket.IO's own way to "at least once": what is not acknowledged is sent again. */
const AT_LEAST_ONCE = { retries: 1_000, ackTimeout: 5_000 };

/** A client as Socket.IO's documentation would have it. */
export class PlainClient {
  readonly name: string;
  /** The ids of what it was told, in the order in which it came, by room. */
  readonly heard: ReadonlyMap<string, string[]>;
  /** What was acknowledged to it, by id: the room. */
  readonly acknowledged = new Map<string, string>();
  readonly #socket: Socket;
  #sent = 0;
  #isThere = false;

  constructor({ name, url, rooms, polls }: PlainClientSettings) {
    this.name = name;
    this.heard = new Map(rooms.map((room) => [room, []]));
    const transports = polls ? {} : { transports: ['websocket'] };
    this.#socket = io(url, { auth: { rooms }, forceNew: true, ...COME_BACK_MS, ...AT_LEAST_ONCE, ...transports });
    this.#socket.on('welcome', () => {
      this.#isThere = true;
    });
    this.#socket.on('disconnect', () => {
      this.#isThere = false;
    });
    this.#socket.on('said', ({ room, id }: Said) => this.heard.get(room)?.push(id));
  }

  get isCaughtUp(): boolean {
    return this.#isThere && this.#socket.connected;
  }

  get waiting(): number {
    return this.#sent - this.acknowledged.size;
  }

  /** How much it was told so far. */
  get count(): number {
    return [...this.heard.values()].reduce((sum, ids) => sum + ids.length, 0);
  }

  get state(): string {
    return `${this.name} (${this.#socket.connected ? '' : 'not '}connected, ${this.waiting} waiting)`;
  }

  send(text: string, room: string | null): void {
    if (room === null) return;
    const id = `${this.name}-${(this.#sent += 1)}`;
    this.#socket.emit('say', { room, id, text } satisfies Said, (error: Error | null) => {
      if (!error) this.acknowledged.set(id, room);
    });
  }

  close(): void {
    this.#socket.close();
  }
}
