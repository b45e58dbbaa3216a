import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingName } from '../../src/config.ts';
import { freePort, ServerProcess, type ProcessOptions } from '../crash/server-process.ts';

type Settings = Partial<Record<SettingName, string>>;

/** What a node's process is started with besides its settings, for one life. */
export type Life = Pick<ProcessOptions, 'preload' | 'environment'>;

/** One node, which dies and comes back at the same place. */
export class ClusterNode {
  readonly name: string;
  readonly port: number;
  readonly #options: ProcessOptions;
  #process: ServerProcess | null = null;

  constructor(name: string, options: ProcessOptions) {
    this.name = name;
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
  /** The program that each runs. */
  readonly main: string;
  readonly settings: Settings;
}

/** Several nodes on one database. */
export class Cluster {
  readonly nodes: readonly ClusterNode[];

  private constructor(nodes: readonly ClusterNode[]) {
    this.nodes = nodes;
  }

  /** Starts all nodes at once. */
  static async start({ directory, nodes: count, main, settings }: ClusterOptions): Promise<Cluster> {
    const nodes = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const name = `node-${index + 1}`;
        const folder = join(directory, name);
        mkdirSync(folder);
        return new ClusterNode(name, { main, settings, directory: folder, port: await freePort() });
      }),
    );
    const cluster = new Cluster(nodes);
    try {
      await Promise.all(nodes.map((node) => node.start()));
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
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
    await Promise.all(this.nodes.map((node) => node.kill()));
  }
}
