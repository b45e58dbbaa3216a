import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { RedisServer } from './redis-server.ts';
import { startServer, type ServerOptions, type TestServer } from './start-server.ts';
import { TcpFaults } from './tcp-faults.ts';

/** A node of a cluster, and its own way to Redis. */
export interface ClusterNode extends TestServer {
  readonly link: TcpFaults;
  /** Resolves once it hears the others by Redis, or does not. */
  hearsRedis(does: boolean): Promise<void>;
}

/** Servers of this process on one database, linked by a Redis of their own. */
export interface Cluster {
  readonly nodes: readonly ClusterNode[];
  readonly redis: RedisServer;
  close(): Promise<void>;
}

/** Starts so many nodes. They share a SQLite file, unless the settings name another database. */
export async function startCluster(count: number, options: ServerOptions = {}): Promise<Cluster> {
  const redis = await RedisServer.start();
  const directory = await mkdtemp(join(tmpdir(), 'tertulia-cluster-'));
  const nodes: ClusterNode[] = [];
  for (let number = 1; number <= count; number += 1) nodes.push(await startNode(number, redis, directory, options));
  await Promise.all(nodes.map((node) => node.hearsRedis(true)));
  return {
    nodes,
    redis,
    async close() {
      redis.signal('SIGCONT');
      await Promise.all(nodes.map((node) => node.close()));
      await Promise.all(nodes.map(({ link }) => link.close()));
      await redis.stop();
      await rm(directory, { recursive: true });
    },
  };
}

async function startNode(
  number: number,
  redis: RedisServer,
  directory: string,
  options: ServerOptions,
): Promise<ClusterNode> {
  const link = await TcpFaults.start(redis.port);
  const settings = { NODE_ID: `node-${number}`, REDIS_URL: `redis://127.0.0.1:${link.port}`, ...options.settings };
  const server = await startServer({ ...options, directory, nodes: 1, sharesFolder: true, settings });
  const up = server.context.metrics.registry.getSingleMetric('tertulia_bus_up');
  return Object.assign(server, {
    link,
    async hearsRedis(does: boolean) {
      const state = async () => expect((await up?.get())?.values[0]?.value).toBe(Number(does));
      await vi.waitFor(state, { timeout: 20_000, interval: 10 });
    },
  });
}
