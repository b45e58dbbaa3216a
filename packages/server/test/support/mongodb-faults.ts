import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { changeId, commandOf, messagesOf, replyTo, type Command, type WireMessage } from './mongodb-messages.ts';

/** What happens to a command on its way between driver and server. */
export type Fault =
  /** The connection is cut before the server has the command. */
  | 'request_lost'
  /** The server carries the command out; the connection is cut in place of its reply. */
  | 'reply_lost'
  /** Answered `NotWritablePrimary`; the server never sees the command. */
  | 'not_primary'
  /** The server carries it out; its reply is replaced by `InterruptedDueToReplStateChange`. */
  | 'stepped_down'
  /** The server gets it when the driver has given it up, and so perhaps after the driver's next try. */
  | 'stall'
  /** The reply is late, but in time. */
  | 'delay'
  /** Answered as done; the server never sees it. No honest server does so: with it, a test of the tests. */
  | 'false_ack';

/** Decides what happens to a command. */
export type Rule = (command: Command) => Fault | null;

const ERRORS = {
  not_primary: { code: 10_107, codeName: 'NotWritablePrimary', errmsg: 'not primary' },
  stepped_down: { code: 11_602, codeName: 'InterruptedDueToReplStateChange', errmsg: 'operation was interrupted' },
} as const;

/** The driver gives a command up after so long; whoever stalls it waits for longer. */
const DRIVER_WAITS_MS = 250;
const STALL_MS = 400;
const DELAY_MS = 40;

/** Options of the driver that make it notice and come back quickly: it looks again at most each so many milliseconds. */
const OPTIONS = `directConnection=true&socketTimeoutMS=${DRIVER_WAITS_MS}&minHeartbeatFrequencyMS=20`;

/** A proxy before a MongoDB server that knows where messages begin and end, and treats some commands badly. */
export class FaultProxy {
  /** How often each fault was injected. */
  readonly injected = new Map<Fault, number>();
  /** Asked for each command. */
  rule: Rule = () => null;
  /** Each insert gets another `_id` on its way, as if each try made a new document: with it, a test of the tests. */
  changesIds = false;
  readonly #target: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #stalled = new Set<Promise<void>>();

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((client) => void this.#carry(client).catch(() => undefined));
  }

  /** Listens before the server of this URL, which has one host and no TLS. */
  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The same URL, by way of this proxy. */
  through(url: string): string {
    const proxied = new URL(url);
    proxied.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return `${proxied.href}${proxied.search ? '&' : '?'}${OPTIONS}`;
  }

  get total(): number {
    return [...this.injected.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Resolves when no command is on its way any more that its driver has given up. */
  async settled(): Promise<void> {
    while (this.#stalled.size > 0) await Promise.all(this.#stalled);
  }

  async close(): Promise<void> {
    await this.settled();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #carry(client: Socket): Promise<void> {
    const server = connect(Number(this.#target.port || 27_017), this.#target.hostname);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      // A cut is what this is for: both directions end with their sockets.
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    }
    const intercepted: Intercepted = new Map();
    const answering = carryReplies(server, client, intercepted).catch(() => undefined);
    try {
      for await (const request of messagesOf(client)) this.#treat(request, client, server, intercepted);
    } finally {
      await this.settled(); // what is stalled is carried out even if nobody waits for it any more
      server.destroy();
      await answering;
      client.destroy();
    }
  }

  #treat(request: WireMessage, client: Socket, server: Socket, intercepted: Intercepted): void {
    const command = commandOf(request);
    const fault = command && this.rule(command);
    if (fault) this.injected.set(fault, (this.injected.get(fault) ?? 0) + 1);
    if (this.changesIds && command?.name === 'insert') changeId(request);
    const { requestId, bytes } = request;
    switch (fault) {
      case 'request_lost':
        return void client.destroy();
      case 'not_primary':
        return void client.write(replyTo(requestId, { ok: 0, ...ERRORS.not_primary }));
      case 'false_ack':
        return void client.write(replyTo(requestId, { ok: 1, n: 1 }));
      case 'stall': {
        const stalled = stall(request, client, server, intercepted).finally(() => this.#stalled.delete(stalled));
        return void this.#stalled.add(stalled);
      }
      case 'reply_lost':
        intercepted.set(requestId, () => client.destroy());
        break;
      case 'stepped_down':
        intercepted.set(requestId, () => client.write(replyTo(requestId, { ok: 0, ...ERRORS.stepped_down })));
        break;
      case 'delay':
        intercepted.set(requestId, (reply) => setTimeout(() => client.write(reply), DELAY_MS));
        break;
      default:
    }
    server.write(bytes);
  }
}

/** What is done with the reply to a request, where it does not just go on. */
type Intercepted = Map<number, (reply: Buffer) => void>;

async function carryReplies(server: Socket, client: Socket, intercepted: Intercepted): Promise<void> {
  for await (const { bytes, responseTo } of messagesOf(server)) {
    const treat = intercepted.get(responseTo);
    intercepted.delete(responseTo);
    if (treat) treat(bytes);
    else client.write(bytes);
  }
  client.destroy();
}

/** Carries a command and its reply late; resolves when the server has answered. */
async function stall({ requestId, bytes }: WireMessage, client: Socket, server: Socket, intercepted: Intercepted) {
  await delay(STALL_MS);
  const replied = new Promise<void>((resolve) => {
    intercepted.set(requestId, (reply) => {
      client.write(reply);
      resolve();
    });
  });
  server.write(bytes);
  await Promise.race([replied, once(server, 'close')]);
}
