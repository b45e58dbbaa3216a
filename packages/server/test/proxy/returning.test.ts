import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { run } from '../examples/run-program.ts';
import { describeWith } from '../support/describe-with.ts';
import { findPython } from '../support/requirements.ts';
import type { TestServer } from '../support/start-server.ts';
import { Cluster } from './cluster.ts';

const CLIENT = fileURLToPath(new URL('returning_client.py', import.meta.url));

let cluster: Cluster;
afterEach(() => cluster?.close());

/** The node that has a socket of the cluster's person, once there is one. */
async function nodeInUse({ nodes, person }: Cluster): Promise<TestServer> {
  for (;;) {
    for (const node of nodes) {
      const { body } = await node.call('GET', '/auth/sessions', { token: person.token });
      if (body.sessions.some(({ live_sockets }: { live_sockets: number }) => live_sockets > 0)) return node;
    }
  }
}

describeWith('haproxy', 'a node that stops', () => {
  describeWith('python', 'is left by a client in Python', () => {
    test.each(['polling', 'websocket', 'polling,websocket'])('by %s, and it comes back by itself', async (way) => {
      cluster = await Cluster.start('haproxy', 'by-sid');
      const running = run(findPython()!, [CLIENT, cluster.balancer.url, way], { input: cluster.person.token });
      const node = await nodeInUse(cluster);
      await node.stop();
      const { stdout, stderr } = await running;
      const [first, second] = stdout.trim().split(' ');
      expect(first, stderr).toMatch(new RegExp(`^${node.context.config.NODE_ID}\\.`));
      expect(second, stderr).toMatch(/^node-[123]\./);
      expect(second!.split('.')[0]).not.toBe(node.context.config.NODE_ID);
    });
  });
});
