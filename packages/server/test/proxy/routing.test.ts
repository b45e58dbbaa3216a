import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../examples/run-program.ts';
import { describeWith } from '../support/describe-with.ts';
import { findPython } from '../support/requirements.ts';
import type { TestClient } from '../support/test-client.ts';
import { BALANCERS, type Variant } from './balancer.ts';
import { Cluster, nodeOf, NODES, type Transports } from './cluster.ts';

/** Two messages, each acknowledged and answered. */
async function converse(client: TestClient): Promise<void> {
  for (const message of ['hello', 'and again']) {
    expect(await client.ask('chat', { message })).toMatchObject({ ok: true });
    const { assistant_responses } = await client.next('conversation', (one) => one.user_message.content === message);
    expect(assistant_responses[0].content).toContain(message);
  }
}

/** How clients may connect, and whether those of one address meet several nodes. */
const VARIANTS: { variant: Variant; ways: Transports[]; spreads: boolean }[] = [
  { variant: 'by-sid', ways: [['polling'], ['polling', 'websocket'], ['websocket']], spreads: true },
  { variant: 'by-cookie', ways: [['polling'], ['polling', 'websocket'], ['websocket']], spreads: true },
  { variant: 'by-address', ways: [['polling'], ['polling', 'websocket'], ['websocket']], spreads: false },
  { variant: 'websocket-only', ways: [['websocket']], spreads: true },
];

async function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  return (await fetch(url, { headers })).status;
}

const PYTHON_CLIENT = fileURLToPath(new URL('client.py', import.meta.url));

/** What the Python client says of one exchange of its own. */
async function conversePython(cluster: Cluster, transports: Transports) {
  const words = [PYTHON_CLIENT, cluster.balancer.url, transports.join(',')];
  const { stdout, stderr } = await run(findPython()!, words, { input: cluster.person.token });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { transport: string; sid: string; answer: string };
}

describe.each(BALANCERS)('%s', (name) => {
  describe.each(VARIANTS)('$variant', ({ variant, ways, spreads }) => {
    describeWith(name, 'three nodes', () => {
      let cluster: Cluster;
      beforeAll(async () => void (cluster = await Cluster.start(name, variant)));
      afterAll(() => cluster?.close());

      test.each(ways.map((way) => ({ way })))('clients converse by $way', async ({ way }) => {
        const clients = await Promise.all(Array.from({ length: 12 }, () => cluster.connect(way)));
        await Promise.all(clients.map(converse));
        const met = new Set(clients.map(nodeOf));
        expect(NODES).toEqual(expect.arrayContaining([...met]));
        expect(met.size > 1).toBe(spreads);
      });

      test('what a client invents of its host is not believed', async () => {
        const page = 'https://elsewhere.example';
        const headers = { origin: page, 'x-forwarded-host': 'elsewhere.example' };
        const { url } = cluster.balancer;
        expect(await statusOf(`${url}/socket.io/?EIO=4&transport=polling`, headers)).toBe(403);
        expect(await statusOf(`${url}/socket.io/?EIO=4&transport=polling`, { ...headers, origin: url })).not.toBe(403);
      });

      describeWith('python', 'a client in Python', () => {
        test.each(ways.map((way) => ({ way })))('converses by $way', async ({ way }) => {
          const { transport, sid, answer } = await conversePython(cluster, way);
          expect(transport).toBe(way.at(-1));
          expect(sid).toMatch(/^node-[123]\./);
          expect(answer).toContain('hello from Python');
        });
      });
    });
  });
});
