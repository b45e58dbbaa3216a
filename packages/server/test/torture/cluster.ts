import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingName } from '../../src/config.ts';
import { freePort, ServerProcess, type ProcessOptions } from '../crash/server-process.ts';
import { Balancer, type BalancerName } from '../proxy/balancer.ts';
import { RedisServer } from '../support/redis-server.ts';
import { TcpFaults } from '../support/tcp-faults.ts';

type Settings = Partial<Record<SettingName, string>>;

/** What a node's process is started with besides its settings, for one life. */
export type Life = Pick<ProcessOptions, 'preload' | 'environment'>;

/** One node, which dies and comes back at the same place. */
export class ClusterNode {
  readonly name: string;
  readonly port: number;
  /** What its connections to Redis pass; null where nothing is to be done to them. */
  readonly link: TcpFaults | null;
  readonly #options: ProcessOptions;
  #process: ServerProcess | null = null;

  constructor(name: string, options: ProcessOptions, link: TcpFaults | null) {
    this.name = name;
    this.link = link;
    this.port = options.port;
    this.#options = { ...options, settings: { ...options.settings, NODE_ID: name, TRUSTED_PROXIES: '127.0.0.1' } };
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get isUp(): boolean {
    return this.#process !== null && !this.#process.isGone;
  }

  /** Starts it, and waits until it listens. */
  async start(life: Life = {}): Promise<void> {
    this.#process = await ServerProcess.start({ ...this.#options, ...life });
  }

  /** kill -9. */
  async kill(): Promise<void> {
    if (this.isUp) await this.#running.kill();
  }

  /** Asks it to stop; answers its exit code. */
  stop(): Promise<number | null> {
    return this.#running.stop();
  }

  pause(): void {
    this.#running.pause();
  }

  resume(): void {
    this.#running.resume();
  }

  /** Resolves when its process has gone. */
  get gone(): ServerProcess['gone'] {
    return this.#running.gone;
  }

  /** The last lines that it wrote. */
  get lastLines(): string {
    return `${this.name}:\n${this.#process?.lastLines ?? 'was never started'}`;
  }

  get #running(): ServerProcess {
    if (!this.#process) throw new Error(`${this.name} was never started`);
    return this.#process;
  }
}

/** How a cluster is made. */
export interface ClusterOptions {
  readonly directory: string;
  readonly nodes: number;
  /** The program that each runs; the product by default. */
  readonly main?: string | undefined;
  readonly settings: Settings;
  readonly environment?: ProcessOptions['environment'];
  /** Nodes without Redis only read what others wrote. */
  readonly redis: 'none' | 'direct' | 'by way of links';
  /** haproxy by default. */
  readonly balancer?: BalancerName;
}

/** Several nodes on one database, behind a balancer as the project sets it up. */
export class Cluster {
  readonly nodes: readonly ClusterNode[];
  readonly #redis: RedisServer | null;
  #balancer: Balancer | null = null;

  private constructor(nodes: readonly ClusterNode[], redis: RedisServer | null) {
    this.nodes = nodes;
    this.#redis = redis;
  }

  /** Starts Redis, then all nodes at once, then the balancer. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const redis = options.redis === 'none' ? null : await RedisServer.start();
    const numbers = Array.from({ length: options.nodes }, (_, index) => index + 1);
    const nodes = await Promise.all(numbers.map((number) => makeNode(`node-${number}`, options, redis)));
    const cluster = new Cluster(nodes, redis);
    try {
      await Promise.all(nodes.map((node) => node.start()));
      cluster.#balancer = await Balancer.start(options.balancer ?? 'haproxy', 'by-sid', portsOf(nodes));
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  get balancer(): Balancer {
    if (!this.#balancer) throw new Error('the cluster was not started');
    return this.#balancer;
  }

  /** Where clients connect. */
  get url(): string {
    return this.balancer.url;
  }

  get redis(): RedisServer {
    if (!this.#redis) throw new Error('this cluster has no Redis');
    return this.#redis;
  }

  /** What the nodes wrote last, for whoever has to find out. */
  get lastLines(): string {
    return this.nodes.map(({ lastLines }) => lastLines).join('\n');
  }

  /** Asks all nodes that are up to stop; answers their exit codes. */
  stop(): Promise<(number | null)[]> {
    return Promise.all(this.nodes.filter(({ isUp }) => isUp).map((node) => node.stop()));
  }

  async close(): Promise<void> {
    await this.#balancer?.close();
    await Promise.all(this.nodes.map((node) => node.kill()));
    for (const { link } of this.nodes) await link?.close();
    await this.#redis?.stop();
  }
}

async function makeNode(
  name: string,
  { directory, main, settings, environment, redis: way }: ClusterOptions,
  redis: RedisServer | null,
): Promise<ClusterNode> {
  const folder = join(directory, name);
  mkdirSync(folder);
  const link = redis && way === 'by way of links' ? await TcpFaults.start(redis.port) : null;
  const redisPort = link?.port ?? redis?.port;
  const shared = redisPort === undefined ? {} : { REDIS_URL: `redis://127.0.0.1:${redisPort}` };
  const own = { directory: folder, port: await freePort(), settings: { ...settings, ...shared } };
  return new ClusterNode(name, { ...own, main, ...(environment && { environment }) }, link);
}

/** The balancer's configuration names three nodes; where there are fewer, some stand there twice. */
function portsOf(nodes: readonly ClusterNode[]): number[] {
  return [0, 1, 2].map((index) => nodes[index % nodes.length]!.port);
}
