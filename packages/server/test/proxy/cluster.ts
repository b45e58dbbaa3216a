import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';
import { TestClient } from '../support/test-client.ts';
import { TestHub } from '../support/test-hub.ts';
import { Balancer, type BalancerName, type Variant } from './balancer.ts';

/** The names of the nodes. */
export const NODES = ['node-1', 'node-2', 'node-3'];

/** What a client connects by, in order. */
export type Transports = ('polling' | 'websocket')[];

/** A client's transport session, and the node that holds it. */
export const sidOf = (client: TestClient): string => client.socket.io.engine.id;
export const nodeOf = (client: TestClient): string => sidOf(client).split('.')[0]!;

/** Three nodes of one database behind a real balancer, and somebody who has an account there. */
export class Cluster {
  readonly nodes: readonly TestServer[];
  readonly balancer: Balancer;
  readonly person: Person;
  readonly #directory: string;
  readonly #clients: TestClient[] = [];

  private constructor(nodes: readonly TestServer[], balancer: Balancer, person: Person, directory: string) {
    this.nodes = nodes;
    this.balancer = balancer;
    this.person = person;
    this.#directory = directory;
  }

  static async start(name: BalancerName, variant: Variant): Promise<Cluster> {
    const directory = await mkdtemp(join(tmpdir(), 'tertulia-cluster-'));
    const hub = new TestHub();
    const settings = {
      TRUSTED_PROXIES: '127.0.0.1',
      SOCKETS_PER_USER: '1000',
      TASKS_RUNNING: '1000',
      TASKS_QUEUED: '1000',
      ...(variant === 'websocket-only' && { TRANSPORTS: 'websocket' }),
    };
    const nodes: TestServer[] = [];
    for (const NODE_ID of NODES) {
      nodes.push(
        await startServer({ directory, sharesFolder: true, bus: hub.connect(), settings: { ...settings, NODE_ID } }),
      );
    }
    const person = await nodes[0]!.signUp('alice');
    const ports = nodes.map(({ url }) => Number(new URL(url).port));
    return new Cluster(nodes, await Balancer.start(name, variant, ports), person, directory);
  }

  /** A base-layer client that comes through the balancer. Its cookies are kept, as a page of the same site does. */
  async connect(transports: Transports, reconnection = false): Promise<TestClient> {
    const options = TestClient.options(this.person.token, { transports, reconnection });
    const client = new TestClient(io(this.balancer.url, { ...options, withCredentials: true }));
    this.#clients.push(client);
    await client.next('connected');
    const { engine } = client.socket.io;
    if (transports.length > 1 && engine.transport.name === 'polling') {
      await new Promise((resolve) => engine.once('upgrade', resolve));
    }
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.balancer.close();
    for (const node of this.nodes) await node.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
