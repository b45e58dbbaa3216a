import { afterEach, expect, test, vi } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { startCluster, type Cluster } from '../support/start-cluster.ts';
import { startServer, type ServerOptions, type TestServer } from '../support/start-server.ts';

const SECRET = 'the secret that all nodes of this test share';

describeWith('redis-server', 'nodes that meet over Redis', () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const server of open.splice(0).toReversed()) await server.close();
  });

  async function twoNodes(): Promise<Cluster> {
    const cluster = await startCluster(2, { settings: { JWT_SECRET: SECRET } });
    open.push(cluster);
    return cluster;
  }

  /** Starts one more server beside the nodes. */
  async function join({ nodes, redis }: Cluster, settings: ServerOptions['settings']): Promise<TestServer> {
    const { directory } = nodes[0]!;
    const server = await startServer({
      directory,
      nodes: 1,
      sharesFolder: true,
      settings: { REDIS_URL: redis.url, JWT_SECRET: SECRET, ...settings },
    });
    open.push(server);
    return server;
  }

  const warnings = ({ logged }: TestServer) =>
    logged.map((line) => JSON.parse(line)).filter(({ level, msg }) => level === 40 && /another server has/.test(msg));
  const warned = (server: TestServer) =>
    vi.waitFor(() => expect(warnings(server)).not.toEqual([]), { timeout: 20_000, interval: 10 });

  test('say nothing where all is well', async () => {
    const { nodes } = await twoNodes();
    const received = /bus_messages_total\{.*"received".*\} [1-9]/;
    const metrics = () => nodes[0]!.context.metrics.registry.metrics();
    await vi.waitFor(async () => expect(await metrics()).toMatch(received), { timeout: 20_000, interval: 10 });
    for (const node of nodes) expect(warnings(node)).toEqual([]);
  });

  test('warn on both of a NODE_ID that both have, once, and the third says nothing', async () => {
    const cluster = await twoNodes();
    const [first, second] = cluster.nodes;
    const twin = await join(cluster, { NODE_ID: 'node-1' });
    await Promise.all([warned(first!), warned(twin)]);
    for (const node of [first!, twin]) {
      expect(warnings(node)).toMatchObject([{ other_node: 'node-1', msg: /the same NODE_ID/ }].map(matching));
    }
    expect(warnings(second!)).toEqual([]);
  });

  test('warn of a secret that differs, and do not tell it', async () => {
    const cluster = await twoNodes();
    const stranger = await join(cluster, {
      NODE_ID: 'node-3',
      JWT_SECRET: 'a secret of its own, which nobody else has',
    });
    await Promise.all([...cluster.nodes, stranger].map(warned));
    expect(warnings(cluster.nodes[0]!)).toMatchObject(
      [{ other_node: 'node-3', msg: /another JWT_SECRET/ }].map(matching),
    );
    for (const { logged } of [...cluster.nodes, stranger])
      expect(logged.join('\n')).not.toMatch(/nobody else has|nodes of this test/);
  });
});

/** The line with its sentence looked for in part. */
function matching({ msg, ...line }: { other_node: string; msg: RegExp }) {
  return { ...line, msg: expect.stringMatching(msg) };
}
